//! A row of the mirror.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::instance::{Raw, SELF_KEY};
use crate::model::RawEntry;
use crate::model::status::Status;

/// An instance, merged from all rows that the gateway lists for it.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) key: Arc<str>,
    /// Never empty; in order of position.
    pub(super) raws: Vec<Arc<Raw>>,
    pub(super) entry: RawEntry,
    pub(super) ts: u64,
    pub(super) last_input_at_ms: Option<u64>,
    /// Whether the reason of each raw row is `disconnect`.
    pub(super) has_left: bool,
    pub(super) status: Status,
}

impl Row {
    /// Returns the stable key of the row: an instance keeps its key. Opaque.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the merged members, including those unknown to this version. `ts` and `lastInputSeconds` are
    /// integers from one report.
    #[must_use]
    pub fn entry(&self) -> &RawEntry {
        &self.entry
    }

    /// Returns the gateway's rows that it is merged from, in the gateway's order.
    pub fn raw(&self) -> impl Iterator<Item = &RawEntry> {
        self.raws.iter().map(|raw| &raw.entry)
    }

    /// Returns the keys of these rows on the wire; none if the gateway's list has no keys.
    pub fn wire_keys(&self) -> impl Iterator<Item = &str> {
        self.raws.iter().filter_map(|raw| raw.wire_key.as_deref())
    }

    /// Returns the time of its last proof of life.
    #[must_use]
    pub fn ts(&self) -> u64 {
        self.ts
    }

    /// Returns the time of its last input, if known.
    #[must_use]
    pub fn last_input_at_ms(&self) -> Option<u64> {
        self.last_input_at_ms
    }

    /// Returns Active, Idle, Stale or Left, as of the last settling.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Returns whether it is the gateway's own row.
    #[must_use]
    pub fn is_self(&self) -> bool {
        *self.key == *SELF_KEY
    }

    /// Returns its age at `now_ms`, in ms; never negative.
    #[must_use]
    pub fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.ts)
    }

    /// Returns the position of its first raw row in the gateway's list.
    pub(super) fn place(&self) -> u64 {
        self.raws.first().map_or(0, |raw| raw.place)
    }
}
