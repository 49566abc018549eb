//! What became different between two moments.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Row;
use crate::status::Status;

/// What became different in a roster between two moments: the keys of rows, each in the first list
/// that fits it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterDiff {
    /// Rows that were not there before.
    pub added: Vec<Box<str>>,
    /// Rows that are no longer there.
    pub removed: Vec<Box<str>>,
    /// Rows that say something else.
    pub changed: Vec<Box<str>>,
    /// Rows that say the same and have another status.
    pub status: Vec<Box<str>>,
    /// Rows that only were heard of again.
    pub touched: Vec<Box<str>>,
    /// The roster is offline now, or no longer.
    pub offline: Option<bool>,
}

impl RosterDiff {
    /// Whether nothing became different.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offline.is_none()
            && [
                &self.added,
                &self.removed,
                &self.changed,
                &self.status,
                &self.touched,
            ]
            .iter()
            .all(|keys| keys.is_empty())
    }
}

/// What rows were like before they were first meddled with since the last diff.
#[derive(Debug, Default)]
pub(super) struct Pending {
    rows: BTreeMap<Box<str>, Option<Before>>,
    was_offline: Option<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Before {
    revision: u64,
    status: Status,
    ts: u64,
}

impl Pending {
    /// Call before the row of that key is changed, with the row if there is one.
    pub(super) fn note(&mut self, key: &str, row: Option<&Row>) {
        if !self.rows.contains_key(key) {
            let before = row.map(|row| Before {
                revision: row.revision,
                status: row.status,
                ts: row.ts,
            });
            self.rows.insert(key.into(), before);
        }
    }

    /// Call before the roster goes offline or online.
    pub(super) fn note_offline(&mut self, was_offline: bool) {
        self.was_offline.get_or_insert(was_offline);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.was_offline.is_none()
    }

    pub(super) fn take(&mut self, rows: &BTreeMap<Box<str>, Row>, is_offline: bool) -> Option<RosterDiff> {
        let mut diff = RosterDiff::default();
        for (key, before) in core::mem::take(&mut self.rows) {
            let list = match (before, rows.get(&key)) {
                (None, None) => continue,
                (None, Some(_)) => &mut diff.added,
                (Some(_), None) => &mut diff.removed,
                (Some(before), Some(row)) if before.revision != row.revision => &mut diff.changed,
                (Some(before), Some(row)) if before.status != row.status => &mut diff.status,
                (Some(before), Some(row)) if before.ts != row.ts => &mut diff.touched,
                _ => continue,
            };
            list.push(key);
        }
        diff.offline = self
            .was_offline
            .take()
            .filter(|&was| was != is_offline)
            .map(|_| is_offline);
        (!diff.is_empty()).then_some(diff)
    }
}
