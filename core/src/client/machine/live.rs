//! A connection after hello.

use crate::client::hello::Hello;
use crate::model::time::Now;
use crate::wire::connect::NEWEST_PROTOCOL;

/// A connection after hello. Times are on the age clock, in ms.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) hello: Hello,
    pub(super) since_ms: u64,
    /// When the last frame arrived.
    pub(super) heard_ms: u64,
    /// The silence was noticed late, or is suspected early: it is judged at this time.
    pub(super) grace_until_ms: Option<u64>,
    /// How often in a row it was noticed late.
    pub(super) graces: u32,
    /// Number of the last event.
    seq: Option<u64>,
    /// The newest presence version heard of.
    version: u64,
    pub(super) may_read: bool,
    /// The question for the list that is under way.
    pub(super) asking: Option<Asking>,
    /// Ask once more when it is answered.
    pub(super) asks_again: bool,
    /// When the list was last asked for.
    pub(super) asked_ms: Option<u64>,
    /// When the last full list came.
    pub(super) listed_ms: u64,
    /// The list may be behind: ask when that is allowed.
    pub(super) is_behind: bool,
    /// After what time the gateway said it would be back.
    pub(super) restart_ms: Option<u64>,
}

/// A question for the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) id: u64,
    pub(super) at_ms: u64,
}

impl Live {
    pub(super) fn new(hello: Hello, now: Now) -> Self {
        Self {
            version: hello.presence_version.unwrap_or(0),
            may_read: hello.may_read(),
            since_ms: now.age_ms,
            heard_ms: now.age_ms,
            grace_until_ms: None,
            graces: 0,
            // Gateways of protocol 4 count what they send on this connection from 1: the first can be
            // missing too. Those of protocol 3 are somewhere in their count.
            seq: (hello.protocol >= NEWEST_PROTOCOL).then_some(0),
            asking: None,
            asks_again: false,
            asked_ms: None,
            listed_ms: now.age_ms,
            is_behind: false,
            restart_ms: None,
            hello,
        }
    }

    /// Takes note of an event's number; says whether one before it is missing.
    pub(super) fn count(&mut self, seq: Option<u64>) -> bool {
        let Some(seq) = seq else { return false };
        let is_gap = self.seq.is_some_and(|last| seq > last.saturating_add(1));
        self.seq = self.seq.max(Some(seq));
        is_gap
    }

    /// Takes note of the presence version an event states; says whether it is a new one.
    pub(super) fn note_version(&mut self, version: Option<u64>) -> bool {
        let version = version.unwrap_or(0);
        let is_ahead = version > self.version;
        self.version = self.version.max(version);
        is_ahead
    }
}
