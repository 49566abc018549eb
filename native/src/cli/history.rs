//! `history`: prints sessions: who was connected, and when.

use std::time::{Duration, SystemTime};

use presence_core::client::ClientConfig;
use presence_core::model::RawEntry;
use presence_core::model::status::age_text;
use presence_core::wire::history::{HISTORY, MAX_PAGE};
use serde_json::json;
use serde_json::value::to_raw_value;

use super::client::{Link, client_info, in_time};
use super::options::HistoryCommand;
use super::options::Target;
use super::output::{print, print_json_text};
use super::{Failure, finding, printable, table};
use crate::history::page::{Page, PastSession};

const HEAD: [&str; 7] = [
    "HOST",
    "FROM (UTC)",
    "TO (UTC)",
    "LASTED",
    "LAST SEEN",
    "ENDED BY",
    "KEY",
];
const CSV_HEAD: &str = "key,host,from_ms,to_ms,seen_ms,connected,why\n";

pub(super) async fn history(options: &HistoryCommand) -> Result<(), Failure> {
    let (page, now_ms) = match &options.file {
        Some(file) => of_file(file, options)?,
        None => of_gateway(options).await?,
    };
    if options.json {
        let json = serde_json::to_string_pretty(&page).map_err(|error| Failure::Other(error.to_string()))?;
        return print_json_text(&format!("{json}\n"));
    }
    print(&if options.csv {
        csv(&page)
    } else {
        text(&page, now_ms)
    })
}

#[cfg(feature = "history")]
fn of_file(file: &std::path::Path, options: &HistoryCommand) -> Result<(Page, u64), Failure> {
    use presence_core::wire::history::HistoryQuery;

    use crate::clock::Clock;
    use crate::files::open_regular;
    use crate::history::query::Reader;

    let failed = |error: &dyn std::fmt::Display| Failure::Other(format!("{}: {error}", file.display()));
    let now_ms = Clock::system().now().wall_ms;
    // SQLite would wait for the writer of a pipe.
    open_regular(file).map_err(|error| failed(&error))?;
    let mut reader = Reader::open(file).map_err(|error| failed(&error))?;
    let mut found = Page::default();
    while let Some(limit) = left(&found, options.limit) {
        let query = HistoryQuery {
            instance: options.instance.as_deref().map(Into::into),
            since_ms: since(options, now_ms),
            limit,
            cursor: found.next.take().map(Into::into),
            ..HistoryQuery::default()
        };
        let page = reader.page(&query, None).map_err(|error| failed(&error))?;
        if !add(&mut found, page) {
            break;
        }
    }
    Ok((found, now_ms))
}

#[cfg(not(feature = "history"))]
fn of_file(_: &std::path::Path, _: &HistoryCommand) -> Result<(Page, u64), Failure> {
    Err(Failure::Usage(
        "this build reads no file: it is without the feature `history`; ask a gateway with --url".to_owned(),
    ))
}

async fn of_gateway(options: &HistoryCommand) -> Result<(Page, u64), Failure> {
    let target = Target::new(&options.client)?;
    let mut link = Link::new(target.clone(), ClientConfig::new(client_info()))?;
    let found = in_time(&target, async {
        link.connect().await?;
        let now_ms = link.machine().server_ms(link.now());
        let mut params = json!({ "since": since(options, now_ms) });
        if let Some(instance) = &options.instance {
            params["instance"] = json!(instance);
        }
        let found = sessions(&mut link, params, options.limit).await?;
        Ok((found, now_ms))
    })
    .await;
    link.stop().await;
    found
}

/// Requests sessions from the gateway, page by page, at most `limit` of them. The result has a `next` if there are more.
///
/// # Errors
/// That of a call; [`Failure::Other`] if the gateway writes no history.
pub(super) async fn sessions(
    link: &mut Link,
    mut params: serde_json::Value,
    limit: u64,
) -> Result<Page, Failure> {
    let mut found = Page::default();
    while let Some(limit) = left(&found, limit) {
        params["limit"] = json!(limit);
        if let Some(cursor) = found.next.take() {
            params["cursor"] = json!(cursor);
        }
        if !add(&mut found, page(link, &params).await?) {
            break;
        }
    }
    Ok(found)
}

async fn page(link: &mut Link, params: &serde_json::Value) -> Result<Page, Failure> {
    let hello = link.machine().hello();
    if !hello.is_some_and(|hello| hello.has_method(HISTORY)) {
        return Err(Failure::Other(
            "the gateway writes no history: start it with `serve --history FILE`".to_owned(),
        ));
    }
    let params = to_raw_value(params).map_err(|error| Failure::Other(error.to_string()))?;
    finding::read(&link.call(HISTORY, &params).await?)
}

/// The limit of the next request, if more sessions are wanted.
fn left(found: &Page, limit: u64) -> Option<u64> {
    let left = limit.saturating_sub(found.sessions.len() as u64);
    (left > 0).then_some(left.min(MAX_PAGE))
}

fn since(options: &HistoryCommand, now_ms: u64) -> u64 {
    options.since.map_or(0, |ago_ms| now_ms.saturating_sub(ago_ms))
}

/// Adds a page; returns whether there are more.
fn add(found: &mut Page, page: Page) -> bool {
    found.sessions.extend(page.sessions);
    found.instances.extend(page.instances);
    found.next = page.next;
    found.next.is_some()
}

/// The host of an instance.
pub(super) fn host(page: &Page, key: &str) -> Option<String> {
    let facts = RawEntry::read(page.instances.get(key)?.get())?;
    facts
        .str("host")
        .filter(|host| !host.is_empty())
        .map(str::to_owned)
}

fn text(page: &Page, now_ms: u64) -> String {
    if page.sessions.is_empty() {
        return "No sessions.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = page
        .sessions
        .iter()
        .map(|session| cells(page, session, now_ms))
        .collect();
    let mut text = table::render(&HEAD, &rows);
    if page.next.is_some() {
        text.push_str("There are older ones: see --limit.\n");
    }
    text
}

fn cells(page: &Page, session: &PastSession, now_ms: u64) -> Vec<String> {
    let end_ms = session.to.unwrap_or(now_ms);
    let last_seen = match session.to {
        None if session.connected => "connected".to_owned(),
        _ => age_text(now_ms.saturating_sub(session.seen)).into_owned(),
    };
    vec![
        host(page, &session.key).unwrap_or_else(|| "-".to_owned()),
        moment(session.from),
        session.to.map_or_else(|| "-".to_owned(), moment),
        lasted(end_ms.saturating_sub(session.from)),
        last_seen,
        session.why.clone().unwrap_or_else(|| "-".to_owned()),
        session.key.clone(),
    ]
}

/// A moment, such as `28 Nov 2026 11:24:05`.
fn moment(ms: u64) -> String {
    /// The last second of the year 9999: the format ends there.
    const LAST_MS: u64 = 253_402_300_799_000;
    /// After the day of the week.
    const START: usize = 5;
    const LENGTH: usize = 20;
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(ms.min(LAST_MS));
    httpdate::fmt_http_date(time)
        .chars()
        .skip(START)
        .take(LENGTH)
        .collect()
}

/// A length of time, such as `3h 12m`.
fn lasted(ms: u64) -> String {
    let seconds = ms / 1_000;
    match (
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, s) => format!("{s}s"),
        (0, 0, m, s) => format!("{m}m {s}s"),
        (0, h, m, _) => format!("{h}h {m}m"),
        (d, h, ..) => format!("{d}d {h}h"),
    }
}

fn csv(page: &Page) -> String {
    let mut text = CSV_HEAD.to_owned();
    for session in &page.sessions {
        let host = host(page, &session.key).unwrap_or_default();
        let to = session.to.map(|ms| ms.to_string()).unwrap_or_default();
        text.push_str(&format!(
            "{},{},{},{to},{},{},{}\n",
            quoted(&session.key),
            quoted(&host),
            session.from,
            session.seen,
            session.connected,
            quoted(session.why.as_deref().unwrap_or_default()),
        ));
    }
    text
}

/// The characters that begin a formula in a spreadsheet, also in their wide forms.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A field of CSV. Spreadsheets take one of some characters at the start of a cell for a formula: an apostrophe before it
/// keeps it text. In some languages cells also end at semicolons or bars, and a cell may begin with quotes.
fn quoted(field: &str) -> String {
    let field = printable(field);
    let mut text = String::with_capacity(field.len());
    let mut is_start = true;
    for c in field.chars() {
        if is_start && FORMULA_STARTS.contains(&c) {
            text.push('\'');
        }
        is_start = matches!(c, ';' | '|') || (is_start && c == '"');
        if c == '"' {
            text.push('"');
        }
        text.push(c);
    }
    if text == field && !text.contains(',') {
        return text;
    }
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_in_words() {
        for (ms, text) in [
            (999, "0s"),
            (61_000, "1m 1s"),
            (3_660_000, "1h 1m"),
            (90_000_000, "1d 1h"),
        ] {
            assert_eq!(lasted(ms), text);
        }
        assert_eq!(moment(1_795_865_045_000), "28 Nov 2026 11:24:05");
        assert_eq!(moment(u64::MAX), "31 Dec 9999 23:59:59");
    }

    #[test]
    fn a_field_of_csv_is_one_field_and_no_formula() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("\u{ff1d}1+1"), "\"'\u{ff1d}1+1\"");
        assert_eq!(quoted("x;=1+1|@y"), "\"x;'=1+1|'@y\"");
        assert_eq!(quoted("x;\"=1"), "\"x;\"\"'=1\"");
        assert_eq!(quoted("a=1;b"), "a=1;b");
        assert_eq!(quoted("a\nb"), "a\u{fffd}b");
    }
}
