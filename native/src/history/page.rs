//! A page of a history in the wire format (PROTOCOL.md 6.3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Sessions, newest first, and the last known entries of their instances.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page {
    pub(crate) sessions: Vec<PastSession>,
    /// By key: the last known entry, without members that state times.
    pub(crate) instances: BTreeMap<String, Box<RawValue>>,
    /// The cursor of the page with older sessions; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// One session. Times are in ms since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PastSession {
    pub(crate) key: String,
    pub(crate) from: u64,
    /// Absent while it continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<u64>,
    /// The last proof of life.
    pub(crate) seen: u64,
    /// Whether the client was ever connected; else it is known by beacons alone.
    pub(crate) connected: bool,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// Times without a sign of life, of more than two minutes each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) silences: Vec<(u64, u64)>,
}
