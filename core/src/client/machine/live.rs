//! The state of a connection after the hello.

use crate::client::hello::Hello;
use crate::model::time::Now;
use crate::wire::connect::NEWEST_PROTOCOL;

/// The state of a connection after the hello. Times are on the age clock, in ms.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) hello: Hello,
    pub(super) since_ms: u64,
    /// When the last frame arrived.
    pub(super) received_ms: u64,
    /// Until when a silence that was detected late, or is suspected early, is tolerated.
    pub(super) grace_until_ms: Option<u64>,
    /// The number of consecutive late detections.
    pub(super) graces: u32,
    /// The number of the last event.
    seq: Option<u64>,
    /// The newest known presence version.
    version: u64,
    pub(super) may_read: bool,
    /// The pending request for the list.
    pub(super) list_request: Option<ListRequest>,
    /// Whether to request the list again after the answer.
    pub(super) requests_again: bool,
    /// When the list was last requested.
    pub(super) requested_ms: Option<u64>,
    /// When the last full list arrived.
    pub(super) listed_ms: u64,
    /// Whether the list may be outdated: request it when permitted.
    pub(super) is_behind: bool,
    /// The gateway's announced downtime, in ms.
    pub(super) restart_ms: Option<u64>,
}

/// A request for the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListRequest {
    pub(super) id: u64,
    pub(super) at_ms: u64,
}

impl Live {
    pub(super) fn new(hello: Hello, now: Now) -> Self {
        Self {
            version: hello.presence_version.unwrap_or(0),
            may_read: hello.may_read(),
            since_ms: now.age_ms,
            received_ms: now.age_ms,
            grace_until_ms: None,
            graces: 0,
            // On protocol 4 the numbers of a connection start at 1, so the first event can be missing too. On
            // protocol 3 they start anywhere.
            seq: (hello.protocol >= NEWEST_PROTOCOL).then_some(0),
            list_request: None,
            requests_again: false,
            requested_ms: None,
            listed_ms: now.age_ms,
            is_behind: false,
            restart_ms: None,
            hello,
        }
    }

    /// Records an event's number; returns whether an earlier one is missing.
    pub(super) fn count(&mut self, seq: Option<u64>) -> bool {
        let Some(seq) = seq else { return false };
        let is_gap = self.seq.is_some_and(|last| seq > last.saturating_add(1));
        self.seq = self.seq.max(Some(seq));
        is_gap
    }

    /// Records an event's presence version; returns whether it is new.
    pub(super) fn note_version(&mut self, version: Option<u64>) -> bool {
        let version = version.unwrap_or(0);
        let is_ahead = version > self.version;
        self.version = self.version.max(version);
        is_ahead
    }
}
