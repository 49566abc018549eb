//! Explanations of rows as text.

use presence_core::model::status::age_text;
use serde::Deserialize;
use serde_json::Value;

use super::finding::{self, Finding, fitted};
use super::screen::{cut, wrapped};
use super::{printable, table};

/// Most columns of a row's name.
const MAX_NAME: usize = 40;
const ABSENT: &str = "-";

/// An explanation of a row; one from a list alone has fewer members.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    row: Explanation,
    #[serde(default)]
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    key: String,
    why: String,
    #[serde(default)]
    members: Vec<Member>,
    #[serde(default)]
    connections: Vec<Connection>,
    #[serde(default)]
    events: Vec<Event>,
    #[serde(default)]
    ends: String,
    /// `None` while nothing but the end of a connection or a lack of room removes the row.
    expires_in_ms: Option<u64>,
}

/// A member, and who wrote it last.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    name: String,
    value: Value,
    from: Option<String>,
    /// The row of the list that it is from.
    row: Option<String>,
    by: Option<String>,
    age_ms: Option<u64>,
}

/// A live connection of the row.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    client_id: Option<String>,
    mode: Option<String>,
    role: Option<String>,
    ip: Option<String>,
    since_ms: Option<u64>,
}

/// An event of the row.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    age_ms: Option<u64>,
    text: String,
}

/// The explanation for people.
pub(super) fn text(answer: &Answer, columns: usize) -> String {
    let Answer { row, findings } = answer;
    let host = row.members.iter().find(|member| member.name == "host");
    let title = match host.and_then(|host| host.value.as_str()) {
        Some(host) => format!("{} ({})", cut(&printable(host), MAX_NAME), printable(&row.key)),
        None => printable(&row.key),
    };
    let mut lines = wrapped(&title, "", columns);
    lines.extend(wrapped(&printable(&row.why), "", columns));
    let mut ends = printable(&row.ends);
    if let Some(ms) = row.expires_in_ms {
        let seconds = ms.div_ceil(1_000);
        ends.push_str(&format!(
            " It expires in {seconds} s unless a client writes it again."
        ));
    }
    lines.extend(wrapped(&ends, "", columns));
    let or_absent = |text: &Option<String>| text.clone().unwrap_or_else(|| ABSENT.to_owned());
    push_members(&mut lines, &row.members, columns);
    let connections = row.connections.iter().map(|connection| {
        let Connection {
            client_id,
            mode,
            role,
            ip,
            since_ms,
        } = connection;
        vec![
            or_absent(client_id),
            or_absent(mode),
            or_absent(role),
            or_absent(ip),
            age(*since_ms),
        ]
    });
    push_table(
        &mut lines,
        &["CONNECTION", "MODE", "ROLE", "IP", "SINCE"],
        &connections.collect::<Vec<_>>(),
    );
    let events = row
        .events
        .iter()
        .map(|event| (age(event.age_ms), printable(&event.text)));
    let events: Vec<(String, String)> = events.collect();
    if !events.is_empty() {
        lines.push(String::new());
        lines.push("EVENTS".to_owned());
    }
    for (age, text) in events {
        lines.extend(wrapped(&format!("{age}: {text}"), "", columns));
    }
    if !findings.is_empty() {
        lines.push(String::new());
        lines.extend(finding::lines(findings, &|_| None, columns));
        // The gap after the last finding.
        lines.pop();
    }
    fitted(lines, columns)
}

fn age(ms: Option<u64>) -> String {
    ms.map_or_else(|| ABSENT.to_owned(), |ms| age_text(ms).into_owned())
}

/// Adds the members, each with the number of its writer, and the writers, which most members share.
fn push_members(lines: &mut Vec<String>, members: &[Member], columns: usize) {
    let mut writers: Vec<String> = Vec::new();
    let mut number = |member: &Member| {
        let mut writer = match member.from.as_deref() {
            Some("derived") => "derived from members".to_owned(),
            from => from.unwrap_or(ABSENT).to_owned(),
        };
        if let Some(by) = &member.by {
            writer.push_str(&format!(" of {by}"));
        }
        if let Some(row) = &member.row {
            writer.push_str(&format!(", row {row}"));
        }
        if let Some(ms) = member.age_ms {
            writer.push_str(&format!(", {}", age_text(ms)));
        }
        let known = writers.iter().position(|known| *known == writer);
        let at = known.unwrap_or_else(|| {
            writers.push(writer);
            writers.len() - 1
        });
        format!("[{}]", at + 1)
    };
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows: Vec<Vec<String>> = members
        .iter()
        .map(|member| vec![member.name.clone(), value(&member.value), number(member)])
        .collect();
    push_table(lines, &["MEMBER", "VALUE", "WRITER"], &rows);
    for (writer, number) in writers.iter().zip(1..) {
        lines.extend(wrapped(&format!("[{number}] {}", printable(writer)), "", columns));
    }
}

/// Adds a blank line and a table, if the table has rows.
fn push_table(lines: &mut Vec<String>, head: &[&str], rows: &[Vec<String>]) {
    if !rows.is_empty() {
        lines.push(String::new());
        lines.extend(table::render(head, rows).lines().map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_fits_eighty_columns() {
        let answer = serde_json::json!({
            "source": "gateway",
            "row": {
                "key": "mac-1", "keyFrom": "instanceId", "why": "The key is the instanceId, trimmed and in lower case; all clients that send this id share the row.",
                "members": [
                    {"name": "host", "value": "studio\u{202e}", "from": "beacon", "connId": "c", "by": "openclaw-macos / studio", "ageMs": 1000},
                    {"name": "lastInputSeconds", "value": 5, "from": "beacon", "ageMs": 130_000},
                    {"name": "roles", "value": ["operator"]}
                ],
                "connections": [{"connId": "c", "clientId": "openclaw-macos", "mode": "ui", "role": "operator", "sinceMs": 200_000}],
                "events": [{"ageMs": 200_000, "what": "joined", "text": "The client connected."}],
                "expiresInMs": 1_001, "ends": "All its connections are closed."
            },
            "findings": []
        });
        let text = text(&serde_json::from_value(answer).unwrap(), 80);
        assert_eq!(
            text,
            "studio\u{fffd} (mac-1)\n\
             The key is the instanceId, trimmed and in lower case; all clients that send this\n\
             id share the row.\n\
             All its connections are closed. It expires in 2 s unless a client writes it\n\
             again.\n\
             \n\
             MEMBER            VALUE         WRITER\n\
             host              studio\u{fffd}       [1]\n\
             lastInputSeconds  5             [2]\n\
             roles             [\"operator\"]  [3]\n\
             [1] beacon of openclaw-macos / studio, just now\n\
             [2] beacon, 2m ago\n\
             [3] -\n\
             \n\
             CONNECTION      MODE  ROLE      IP  SINCE\n\
             openclaw-macos  ui    operator  -   3m ago\n\
             \n\
             EVENTS\n\
             3m ago: The client connected.\n"
        );
    }
}
