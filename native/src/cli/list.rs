//! `list`: prints the connected clients.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::io::IsTerminal;

use presence_core::client::{ClientConfig, Mirror, MirrorConfig};
use presence_core::model::RawEntry;
use presence_core::model::status::age_text;
use serde_json::json;

use super::client::{Link, client_info, in_time, no_params};
use super::options::{ListOptions, MAX_SESSIONS, Target};
use super::output::escaped;
use super::stderr::print_note;
use super::{Failure, history, print, roster, table};
use crate::history::page::{Page, PastSession};

const SEEN_HEAD: [&str; 4] = ["GONE", "LAST SEEN", "ENDED BY", "KEY"];

pub(super) async fn list(options: &ListOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    let mut link = Link::new(target.clone(), ClientConfig::new(client_info()))?;
    let found = in_time(&target, async {
        link.connect().await?;
        let past = if options.seen {
            Some(history::sessions(&mut link, json!({ "latest": true }), MAX_SESSIONS).await?)
        } else {
            None
        };
        // Hello has a list with keys, and only that one states the gateway of each row.
        if !options.json && link.machine().mirror().version().is_some() {
            return Ok((None, past));
        }
        let payload = link.call("system-presence", &no_params()).await?;
        Ok((Some(payload), past))
    })
    .await;
    let now_ms = link.machine().server_ms(link.now());
    let (payload, past) = match found {
        Ok(found) => found,
        Err(failure) => {
            link.stop().await;
            return Err(failure);
        }
    };
    if let Some(note) = past.as_ref().and_then(left_out) {
        print_note(&note);
    }
    let Some(payload) = payload else {
        let text = text(link.machine().mirror(), past.as_ref(), now_ms);
        link.stop().await;
        return print(&text);
    };
    link.stop().await;
    let rows = RawEntry::parse_list(&payload)
        .ok_or_else(|| Failure::Other("the gateway's answer is not a list of rows".to_owned()))?;
    if options.json {
        let is_for_people = std::io::stdout().is_terminal();
        return print(&format!(
            "{}\n",
            if is_for_people {
                escaped(&payload)
            } else {
                payload.to_string()
            }
        ));
    }
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_list(rows, now_ms);
    print(&text(&mirror, past.as_ref(), now_ms))
}

/// The note that there are more sessions than were requested.
fn left_out(past: &Page) -> Option<String> {
    past.next.as_ref()?;
    let number = past.sessions.len();
    Some(format!(
        "only the newest {number} sessions of the history were read: clients whose last session began earlier are missing"
    ))
}

/// The table of current and past rows.
fn text(mirror: &Mirror, past: Option<&Page>, now_ms: u64) -> String {
    let mut text = roster::table(mirror, now_ms, |_| String::new());
    if let Some(past) = past {
        let cells: Vec<_> = gone(mirror, past)
            .into_iter()
            .map(|session| {
                let host = history::host(past, &session.key).unwrap_or_else(|| "-".to_owned());
                let age = age_text(now_ms.saturating_sub(session.seen)).into_owned();
                vec![
                    host,
                    age,
                    session.why.clone().unwrap_or_default(),
                    session.key.clone(),
                ]
            })
            .collect();
        text.push('\n');
        text.push_str(&table::render(&SEEN_HEAD, &cells));
    }
    text
}

/// The last sessions of instances without a row; those that were seen last come first.
fn gone<'a>(mirror: &Mirror, past: &'a Page) -> Vec<&'a PastSession> {
    let rows = mirror.rows();
    let keys: HashSet<&str> = rows.iter().flat_map(|row| row.wire_keys()).collect();
    let mut gone: Vec<&PastSession> = past
        .sessions
        .iter()
        .filter(|session| session.to.is_some() && !keys.contains(&*session.key))
        .collect();
    // Pages are sorted by the start of the sessions, which says little about their end.
    gone.sort_by_key(|session| Reverse(session.seen));
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_beyond_the_bound_are_noted() {
        let session = PastSession {
            key: "mac-1".to_owned(),
            from: 1,
            to: Some(2),
            seen: 2,
            connected: true,
            why: None,
            silences: Vec::new(),
        };
        let mut page = Page {
            sessions: vec![session],
            ..Page::default()
        };
        assert_eq!(left_out(&page), None);
        page.next = Some("1-1".to_owned());
        let note = left_out(&page).unwrap();
        assert!(note.starts_with("only the newest 1 sessions"), "{note}");
    }
}
