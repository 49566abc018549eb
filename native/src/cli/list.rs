//! `list`: prints the connected clients.

use std::io::IsTerminal;

use presence_core::client::{ClientConfig, Mirror, MirrorConfig};
use presence_core::model::RawEntry;
use presence_core::model::status::age_text;
use presence_core::wire::history::MAX_PAGE;
use serde_json::json;

use super::client::{Link, client_info, in_time, no_params};
use super::options::ListOptions;
use super::options::Target;
use super::output::escaped;
use super::{Failure, history, print, roster, table};
use crate::history::page::Page;

const SEEN_HEAD: [&str; 4] = ["GONE", "LAST SEEN", "ENDED BY", "KEY"];

pub(super) async fn list(options: &ListOptions) -> Result<(), Failure> {
    let target = Target::new(&options.client)?;
    let mut link = Link::new(target.clone(), ClientConfig::new(client_info()))?;
    let found = in_time(&target, async {
        link.connect().await?;
        let past = if options.seen {
            Some(history::page(&mut link, &json!({ "latest": true, "limit": MAX_PAGE })).await?)
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

/// The table of current and past rows.
fn text(mirror: &Mirror, past: Option<&Page>, now_ms: u64) -> String {
    let mut text = roster::table(mirror, now_ms, |_| String::new());
    if let Some(past) = past {
        let rows = mirror.rows();
        let gone = past
            .sessions
            .iter()
            .filter(|session| session.to.is_some() && !rows.iter().any(|row| row.key() == session.key));
        let cells = gone.map(|session| {
            let host = history::host(past, &session.key).unwrap_or_else(|| "-".to_owned());
            let age = age_text(now_ms.saturating_sub(session.seen)).into_owned();
            vec![
                host,
                age,
                session.why.clone().unwrap_or_default(),
                session.key.clone(),
            ]
        });
        text.push('\n');
        text.push_str(&table::render(&SEEN_HEAD, &cells.collect::<Vec<_>>()));
    }
    text
}
