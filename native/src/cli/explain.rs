//! `explain`: says why a row is listed as it is.

use presence_core::client::ClientConfig;
use presence_core::model::RawEntry;
use presence_core::model::key::PresenceKey;
use presence_core::model::status::age_text;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::client::{Link, client_info, in_time};
use super::doctor::{EXPLAIN, has_explain, snapshot};
use super::finding::{self, Finding, fitted};
use super::options::ExplainOptions;
use super::output::print_json;
use super::screen::{Screen, cut, wrapped};
use super::target::Target;
use super::{Failure, print, printable, table};

/// Most rows that an error names.
const MAX_NAMED: usize = 5;
/// Most columns of a row's name in an error.
const MAX_NAME: usize = 40;
const ABSENT: &str = "-";

/// What explains a row; a list alone has less of it.
#[derive(Debug, Deserialize)]
struct Answer {
    row: Explanation,
    #[serde(default)]
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
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
}

/// A member, and who wrote it last.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    name: String,
    value: Value,
    from: Option<String>,
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

/// What happened to the row.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    age_ms: Option<u64>,
    text: String,
}

pub(super) async fn explain(options: &ExplainOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    let mut link = Link::new(target.clone(), ClientConfig::new(client_info()))?;
    let explained = in_time(&target, async {
        link.connect().await?;
        if !has_explain(&link) {
            return Err(Failure::Refused(format!(
                "{EXPLAIN}: this gateway does not have it"
            )));
        }
        let rows = snapshot(&mut link).await?.rows;
        let rows: Vec<(&str, &RawEntry)> = rows.iter().map(|(key, row)| (&**key, row)).collect();
        let key = resolved(&options.row, &rows)?;
        let params = serde_json::json!({ "row": key });
        let params = to_raw_value(&params).map_err(|error| Failure::Other(error.to_string()))?;
        link.call(EXPLAIN, &params).await
    })
    .await;
    link.stop().await;
    let json = explained?;
    if options.json {
        return print_json(&finding::read::<Box<RawValue>>(&json)?);
    }
    print(&text(&finding::read(&json)?, Screen::stdout().columns()))
}

/// The key of the one row that `word` names: as its key, its `instanceId`, its `deviceId`, its `host`, or the start of
/// one of these, whichever names a row first.
fn resolved<'r>(word: &str, rows: &[(&'r str, &RawEntry)]) -> Result<&'r str, Failure> {
    let Some(wanted) = PresenceKey::parse(word) else {
        return Err(Failure::Usage("ROW is blank".to_owned()));
    };
    let wanted = wanted.as_str();
    let normal = |text: &str| PresenceKey::parse(text).map(|key| key.as_str().to_owned());
    let texts = |(key, row): &(&str, &RawEntry)| {
        let member = |name| row.str(name).and_then(normal);
        [
            normal(key),
            member("instanceId"),
            member("deviceId"),
            member("host"),
        ]
    };
    let known: Vec<_> = rows.iter().map(texts).collect();
    let is_whole = |text: &String| text == wanted;
    let is_start = |text: &String| text.starts_with(wanted);
    let rounds = (0..4)
        .map(|place| (place..place + 1, true))
        .chain([(0..4, false)]);
    for (places, is_exact) in rounds {
        let named = |texts: &[Option<String>; 4]| {
            texts[places.clone()]
                .iter()
                .flatten()
                .any(|text| if is_exact { is_whole(text) } else { is_start(text) })
        };
        let found: Vec<&(&str, &RawEntry)> = rows
            .iter()
            .zip(&known)
            .filter(|(_, texts)| named(texts))
            .map(|(row, _)| row)
            .collect();
        match *found {
            [] => {}
            [(key, _)] => return Ok(key),
            _ => return Err(Failure::Other(several(word, &found))),
        }
    }
    Err(Failure::Other(format!(
        "no row has the key, instanceId, deviceId or host {}; `presence-gateway list` prints the rows",
        quoted(word)
    )))
}

fn several(word: &str, found: &[&(&str, &RawEntry)]) -> String {
    let name = |(key, row): &(&str, &RawEntry)| match row.str("host") {
        Some(host) => format!("{} ({})", quoted(key), cut(&printable(host), MAX_NAME)),
        None => quoted(key),
    };
    let mut names: Vec<String> = found.iter().take(MAX_NAMED).map(|row| name(row)).collect();
    if found.len() > MAX_NAMED {
        names.push(format!("{} more", found.len() - MAX_NAMED));
    }
    format!(
        "{} rows are called {}; pass a key: {}",
        found.len(),
        quoted(word),
        names.join(", ")
    )
}

fn quoted(text: &str) -> String {
    format!("`{}`", cut(&printable(text), MAX_NAME))
}

/// The explanation for people.
fn text(answer: &Answer, columns: usize) -> String {
    let Answer { row, findings } = answer;
    let host = row.members.iter().find(|member| member.name == "host");
    let title = match host.and_then(|host| host.value.as_str()) {
        Some(host) => format!("{} ({})", cut(&printable(host), MAX_NAME), printable(&row.key)),
        None => printable(&row.key),
    };
    let mut lines = wrapped(&title, "", columns);
    lines.extend(wrapped(&printable(&row.why), "", columns));
    lines.extend(wrapped(&printable(&row.ends), "", columns));
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

/// Adds the members, each with the number of its writer, and the writers: most members have the same.
fn push_members(lines: &mut Vec<String>, members: &[Member], columns: usize) {
    let mut writers: Vec<String> = Vec::new();
    let mut number = |member: &Member| {
        let mut writer = member.from.clone().unwrap_or_else(|| ABSENT.to_owned());
        if let Some(by) = &member.by {
            writer.push_str(&format!(" of {by}"));
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

    const ROWS: [(&str, &str); 5] = [
        ("SELF", r#"{"host":"pi","mode":"gateway","reason":"self"}"#),
        ("mac-1", r#"{"host":"Studio","instanceId":"Mac-1"}"#),
        ("mac-2", r#"{"host":"studio","instanceId":"mac-2"}"#),
        ("c-17", r#"{"host":"tab","deviceId":"D\u00e9vice"}"#),
        ("mac-1x", r#"{"host":"mac-9","instanceId":"mac-1x"}"#),
    ];

    fn key(word: &str) -> Result<String, String> {
        let rows = ROWS.map(|(key, row)| (key, RawEntry::read(row).unwrap()));
        let rows: Vec<_> = rows.iter().map(|(key, row)| (*key, row)).collect();
        resolved(word, &rows)
            .map(str::to_owned)
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_row_is_named_by_key_id_host_or_start() {
        for (word, expected) in [
            ("self", "SELF"),
            ("PI", "SELF"),
            (" MAC-1 ", "mac-1"),
            ("mac-1x", "mac-1x"),
            ("tab", "c-17"),
            ("d\u{e9}v", "c-17"),
            ("mac-9", "mac-1x"),
        ] {
            assert_eq!(key(word).as_deref(), Ok(expected), "{word}");
        }
        assert_eq!(
            key("studio").unwrap_err(),
            "failed: 2 rows are called `studio`; pass a key: `mac-1` (Studio), `mac-2` (studio)"
        );
        assert!(
            key("mac-")
                .unwrap_err()
                .starts_with("failed: 3 rows are called `mac-`;")
        );
        assert!(
            key("x\u{1b}")
                .unwrap_err()
                .starts_with("failed: no row has the key, instanceId, deviceId or host `x\u{fffd}`")
        );
        assert_eq!(key(" ").unwrap_err(), "usage: ROW is blank");
    }

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
                "expiresInMs": null, "ends": "It stays while it has a live connection."
            },
            "findings": []
        });
        let text = text(&serde_json::from_value(answer).unwrap(), 80);
        assert_eq!(
            text,
            "studio\u{fffd} (mac-1)\n\
             The key is the instanceId, trimmed and in lower case; all clients that send this\n\
             id share the row.\n\
             It stays while it has a live connection.\n\
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
