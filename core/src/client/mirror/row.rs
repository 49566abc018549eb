//! A row of the mirror.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::instance::{Raw, SELF_KEY};
use crate::model::RawEntry;
use crate::model::status::Status;

/// One instance, merged from all rows the gateway lists for it.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) key: Arc<str>,
    /// Never empty; by place.
    pub(super) raws: Vec<Arc<Raw>>,
    pub(super) entry: RawEntry,
    pub(super) ts: u64,
    pub(super) last_input_at_ms: Option<u64>,
    /// Each of its raw rows is `disconnect`.
    pub(super) has_left: bool,
    pub(super) status: Status,
}

impl Row {
    /// Identifies the row from one moment to the next: the same instance keeps its key. Opaque.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The merged members, those unknown to this version included. `ts` and `lastInputSeconds` are
    /// integers and belong together.
    #[must_use]
    pub fn entry(&self) -> &RawEntry {
        &self.entry
    }

    /// The gateway's rows that it is merged from, in the gateway's order.
    pub fn raw(&self) -> impl Iterator<Item = &RawEntry> {
        self.raws.iter().map(|raw| &raw.entry)
    }

    /// When it was last heard of.
    #[must_use]
    pub fn ts(&self) -> u64 {
        self.ts
    }

    /// When its last input was, if that is known.
    #[must_use]
    pub fn last_input_at_ms(&self) -> Option<u64> {
        self.last_input_at_ms
    }

    /// Active, Idle, Stale or Left, as of the last settling.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether it is the gateway itself.
    #[must_use]
    pub fn is_self(&self) -> bool {
        *self.key == *SELF_KEY
    }

    /// Its age at `now_ms`, in ms; never negative.
    #[must_use]
    pub fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.ts)
    }

    /// Where the first of its raw rows stands in the gateway's list.
    pub(super) fn place(&self) -> u64 {
        self.raws.first().map_or(0, |raw| raw.place)
    }
}
