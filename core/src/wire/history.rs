//! The parameters of `presence.history` (SPEC 6.3).

use alloc::boxed::Box;

use super::params::error::Rule;
use super::params::{Length, Members, ParamsError};
use super::tree::Tree;
use crate::model::entry::MAX_SAFE_INTEGER;

/// The name of the method.
pub const HISTORY: &str = "presence.history";
/// Most UTF-16 units of the requested `instance`.
const MAX_INSTANCE_UNITS: usize = 4_096;
/// Most UTF-16 units of a cursor.
const MAX_CURSOR_UNITS: usize = 64;

/// Default number of sessions of a page.
pub const DEFAULT_PAGE: u64 = 200;
/// Most sessions of a page.
pub const MAX_PAGE: u64 = 500;

/// The requested sessions. Times are in ms since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only of instances with this key, `instanceId`, `deviceId` or host, in any letter case.
    pub instance: Option<Box<str>>,
    /// Only sessions that continue at this time or later.
    pub since_ms: u64,
    /// Only sessions that began before this time.
    pub until_ms: u64,
    /// Only the latest session of each instance.
    pub is_latest: bool,
    /// Most sessions of the page.
    pub limit: u64,
    /// The page after the one that stated this as `next`.
    pub cursor: Option<Box<str>>,
}

impl Default for HistoryQuery {
    fn default() -> Self {
        Self {
            instance: None,
            since_ms: 0,
            until_ms: MAX_SAFE_INTEGER,
            is_latest: false,
            limit: DEFAULT_PAGE,
            cursor: None,
        }
    }
}

pub(super) fn parse(params: &Tree<'_>) -> Result<HistoryQuery, ParamsError> {
    let mut query = HistoryQuery::default();
    let members = Members::of(params)?;
    let instance = members.optional_string("instance", Length::nonempty(MAX_INSTANCE_UNITS))?;
    query.instance = instance.map(Into::into);
    // The casts saturate.
    if let Some(since_ms) = members.optional_number("since")? {
        query.since_ms = (since_ms as u64).min(MAX_SAFE_INTEGER);
    }
    if let Some(until_ms) = members.optional_number("until")? {
        query.until_ms = (until_ms as u64).min(MAX_SAFE_INTEGER);
    }
    if let Some(limit) = members.optional_integer("limit", 1, MAX_PAGE)? {
        query.limit = limit;
    }
    query.is_latest = members.optional_bool("latest")?.unwrap_or_default();
    let cursor = members.optional_string("cursor", Length::nonempty(MAX_CURSOR_UNITS))?;
    if cursor.is_some_and(|cursor| !is_cursor(cursor)) {
        return Err(ParamsError::new("/cursor", Rule::Type("the `next` of a page")));
    }
    query.cursor = cursor.map(Into::into);
    Ok(query)
}

/// Whether it has the form of a `next`. Other texts are refused: with them a reader would get the first page again.
fn is_cursor(text: &str) -> bool {
    let is_number = |text: &str| text.parse::<i64>().is_ok_and(|number| number >= 0);
    text.split_once('-')
        .is_some_and(|(from_ms, id)| is_number(from_ms) && is_number(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Call, Request};

    #[test]
    fn a_cursor_is_the_next_of_a_page() {
        assert!(is_cursor("1700000000000-7") && is_cursor("0-0"));
        for text in [
            "x",
            "",
            "1",
            "1-",
            "1-2-3",
            "-1-1",
            "1--1",
            "9223372036854775808-0",
        ] {
            assert!(!is_cursor(text), "{text}");
        }
    }

    fn limit(params: &str) -> Result<u64, alloc::string::String> {
        let text = alloc::format!(r#"{{"type":"req","id":"1","method":"{HISTORY}","params":{params}}}"#);
        match Request::parse(&text).unwrap().call {
            Ok(Call::PresenceHistory(query)) => Ok(query.limit),
            Ok(call) => panic!("{call:?}"),
            Err(error) => Err(error.message.into()),
        }
    }

    #[test]
    fn a_limit_out_of_range_is_refused() {
        assert_eq!(limit("{}"), Ok(DEFAULT_PAGE));
        assert_eq!(limit(r#"{"limit":1}"#), Ok(1));
        assert_eq!(limit(r#"{"limit":500}"#), Ok(MAX_PAGE));
        for (value, words) in [
            ("0", "must be >= 1"),
            ("501", "must be <= 500"),
            ("1.5", "must be integer"),
            (r#""9""#, "must be integer"),
        ] {
            assert_eq!(
                limit(&alloc::format!(r#"{{"limit":{value}}}"#)),
                Err(alloc::format!("invalid {HISTORY} params: at /limit: {words}"))
            );
        }
    }
}
