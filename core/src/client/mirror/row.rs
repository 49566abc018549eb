//! A row of the mirror, and the gateway's rows that it is merged from.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::group::SELF_KEY;
use crate::model::RawEntry;
use crate::model::raw_entry::Draft;
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

/// One row of the gateway's list.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    /// The key of the row that it is merged into.
    pub(super) group: Arc<str>,
    /// Where it stands in the gateway's list.
    pub(super) place: u64,
    pub(super) entry: RawEntry,
    pub(super) ts: u64,
    /// Its last input as it was stated, if it was: the `ts` it belonged to, and the seconds before that.
    stated_input: Option<(u64, u64)>,
    pub(super) wire_key: Option<Arc<str>>,
    /// What it counts in the digest; 0 if that is not compared.
    pub(super) digest: u64,
}

impl Raw {
    pub(super) fn new(
        group: String,
        place: u64,
        entry: RawEntry,
        wire_key: Option<Arc<str>>,
        now_ms: u64,
    ) -> Self {
        // A row without a time counts as just heard of.
        let ts = entry.ts().unwrap_or(now_ms);
        let input_seconds = entry.integer("lastInputSeconds");
        Self {
            group: group.into(),
            place,
            ts,
            stated_input: input_seconds.map(|seconds| (ts, seconds)),
            entry,
            wire_key,
            digest: 0,
        }
    }

    /// Seconds between its last input and its `ts`, if they are known.
    pub(super) fn input_seconds(&self) -> Option<u64> {
        // Counted from what was stated, or the rounding of every touch would add up.
        let (stated_ms, seconds) = self.stated_input?;
        Some(seconds.saturating_add(self.ts.saturating_sub(stated_ms) / 1_000))
    }

    /// Moves its `ts`; its last input stays when it was.
    pub(super) fn touch(&mut self, ts: u64) {
        self.ts = ts;
        let input_seconds = self.input_seconds();
        let mut draft = Draft::new(&self.entry);
        if input_seconds.is_some() {
            draft.set_integer("lastInputSeconds", input_seconds);
        }
        draft.set_integer("ts", Some(ts));
        let entry = draft.finish();
        self.entry = entry;
    }
}

/// Sorts raw rows by the rows that they are merged into, and there by place; repeats are dropped.
pub(super) fn grouped(mut raws: Vec<Arc<Raw>>) -> Vec<Arc<Raw>> {
    let order = |a: &Raw, b: &Raw| (&a.group, a.place).cmp(&(&b.group, b.place));
    raws.sort_unstable_by(|a, b| order(a, b));
    raws.dedup_by(|a, b| order(a, b).is_eq());
    raws
}

/// Two that say the same are equal, wherever they stand in the list.
impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        (&self.entry, self.ts, self.stated_input) == (&other.entry, other.ts, other.stated_input)
    }
}
