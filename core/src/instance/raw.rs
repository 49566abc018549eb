//! One row of a gateway's list.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::model::RawEntry;
use crate::model::raw_entry::Draft;

/// One row of the gateway's list.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    /// The key of the row that it is merged into.
    pub(crate) group: Arc<str>,
    /// Its place in the gateway's list.
    pub(crate) place: u64,
    pub(crate) entry: RawEntry,
    pub(crate) ts: u64,
    /// Its last input as stated: the `ts` it belonged to, and the seconds before that.
    stated_input: Option<(u64, u64)>,
    pub(crate) wire_key: Option<Arc<str>>,
    /// Its contribution to the digest; 0 if that is not compared.
    pub(crate) digest: u64,
}

impl Raw {
    pub(crate) fn new(
        group: String,
        place: u64,
        entry: RawEntry,
        wire_key: Option<Arc<str>>,
        now_ms: u64,
    ) -> Self {
        // A row without a time counts as fresh.
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
    pub(crate) fn input_seconds(&self) -> Option<u64> {
        // Counted from the stated value, so that the rounding of touches does not add up.
        let (stated_ms, seconds) = self.stated_input?;
        Some(seconds.saturating_add(self.ts.saturating_sub(stated_ms) / 1_000))
    }

    /// Moves its `ts`; the time of its last input stays.
    pub(crate) fn touch(&mut self, ts: u64) {
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
pub(crate) fn grouped(mut raws: Vec<Arc<Raw>>) -> Vec<Arc<Raw>> {
    let order = |a: &Raw, b: &Raw| (&a.group, a.place).cmp(&(&b.group, b.place));
    raws.sort_unstable_by(|a, b| order(a, b));
    raws.dedup_by(|a, b| order(a, b).is_eq());
    raws
}

/// Rows with equal contents are equal, regardless of their places in the list.
impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        (self.ts, self.stated_input, &self.entry) == (other.ts, other.stated_input, &other.entry)
    }
}
