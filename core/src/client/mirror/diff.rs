//! What became different between two moments.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Keeper, MAX_ROWS, Mirror, Row};
use crate::model::json::ObjectText;
use crate::model::status::Status;

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
        let lists = [
            &self.added,
            &self.removed,
            &self.changed,
            &self.status,
            &self.touched,
        ];
        self.offline.is_none() && lists.iter().all(|keys| keys.is_empty())
    }

    /// As JSON text: `{added, removed, changed, status, touched, offline?}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = ObjectText::new();
        for (name, keys) in [
            ("added", &self.added),
            ("removed", &self.removed),
            ("changed", &self.changed),
            ("status", &self.status),
            ("touched", &self.touched),
        ] {
            json.texts(name, &mut keys.iter().map(|key| &**key));
        }
        if let Some(is_offline) = self.offline {
            json.raw("offline", if is_offline { "true" } else { "false" });
        }
        json.end()
    }
}

/// What a row was like when it was last told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    revision: u64,
    status: Status,
    ts: u64,
}

impl Mirror {
    /// What became different since this was last asked; `None` if nothing did. Rows that came and went
    /// in between are not told of.
    pub fn take_diff(&mut self) -> Option<RosterDiff> {
        if !core::mem::take(&mut self.is_dirty) {
            return None;
        }
        let mut diff = RosterDiff::default();
        for row in &mut self.rows {
            let told = row.told.replace(Told {
                revision: row.revision,
                status: row.status,
                ts: row.ts,
            });
            if let Some(list) = list_for(&mut diff, row, told) {
                list.push((&*row.key).into());
            }
        }
        self.rows.retain(|row| !row.members.is_empty());
        let is_offline = self.keeper == Keeper::Lost;
        diff.offline = self
            .was_offline
            .take()
            .filter(|&was| was != is_offline)
            .map(|_| is_offline);
        (!diff.is_empty()).then_some(diff)
    }

    /// Whether [`take_diff`](Self::take_diff) may have something to say.
    #[must_use]
    pub fn has_diff(&self) -> bool {
        self.is_dirty
    }

    /// If nobody asks for differences, those rows are forgotten that are gone: their number is bounded.
    pub(super) fn forget_untold(&mut self) {
        if self.rows.len() > 2 * MAX_ROWS {
            self.rows.retain(|row| !row.members.is_empty());
        }
    }
}

/// The list a row's key belongs into.
fn list_for<'d>(diff: &'d mut RosterDiff, row: &Row, told: Option<Told>) -> Option<&'d mut Vec<Box<str>>> {
    let Some(told) = told else {
        return Some(&mut diff.added);
    };
    if row.members.is_empty() {
        Some(&mut diff.removed)
    } else if told.revision != row.revision {
        Some(&mut diff.changed)
    } else if told.status != row.status {
        Some(&mut diff.status)
    } else if told.ts != row.ts {
        Some(&mut diff.touched)
    } else {
        None
    }
}
