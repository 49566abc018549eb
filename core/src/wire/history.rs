//! What is asked of a history of the rows.

use alloc::boxed::Box;

use crate::model::entry::MAX_SAFE_INTEGER;

/// Sessions of a page, unless asked for fewer or more.
pub const DEFAULT_PAGE: u64 = 200;
/// Most sessions of a page.
pub const MAX_PAGE: u64 = 500;

/// Which sessions are asked for. Times are in ms since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only of instances with this key, `instanceId`, `deviceId` or host, in any letter case.
    pub instance: Option<Box<str>>,
    /// Only sessions that go on at this time or later.
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
