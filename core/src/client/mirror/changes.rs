//! What became different between two moments.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Mirror, Row};
use crate::model::entry::TIME_MEMBERS;
use crate::model::json::ObjectText;

/// Two reports of one moment in whole seconds differ by less than this, in ms.
const SAME_MOMENT_MS: u64 = 2_000;

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

/// What changed since it was last taken: the only record of it. Bounded by the rows there were then and the rows
/// there are.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The rows that changed, as they were then; `None`: not there.
    before: BTreeMap<Arc<str>, Option<Arc<Row>>>,
    /// Whether the roster was offline then, if that changed.
    was_offline: Option<bool>,
}

impl Changes {
    /// A row is about to change, to come or to go; `before` is what it is now.
    pub(super) fn note(&mut self, key: &Arc<str>, before: Option<&Arc<Row>>) {
        self.before.entry(key.clone()).or_insert_with(|| before.cloned());
    }

    /// A row went. If it was not there before, nothing changed.
    pub(super) fn forget_new(&mut self, key: &str) {
        if let Some(None) = self.before.get(key) {
            self.before.remove(key);
        }
    }

    pub(super) fn note_offline(&mut self, was_offline: bool) {
        self.was_offline.get_or_insert(was_offline);
    }
}

impl Mirror {
    /// What became different since this was last asked; `None` if nothing did. Rows that came and went
    /// in between are not reported.
    pub fn take_diff(&mut self) -> Option<RosterDiff> {
        let changes = core::mem::take(&mut self.changes);
        let mut diff = RosterDiff {
            offline: changes.was_offline.map(|_| self.is_offline()),
            ..RosterDiff::default()
        };
        diff.offline = diff.offline.filter(|is| changes.was_offline != Some(*is));
        for (key, before) in changes.before {
            let list = match (before, self.rows.get(&key)) {
                (None, Some(_)) => &mut diff.added,
                (Some(_), None) => &mut diff.removed,
                (Some(before), Some(row)) if !says_the_same(&before, row) => &mut diff.changed,
                (Some(before), Some(row)) if before.status != row.status => &mut diff.status,
                (Some(before), Some(row)) if before.ts != row.ts => &mut diff.touched,
                _ => continue,
            };
            list.push((&*key).into());
        }
        (!diff.is_empty()).then_some(diff)
    }

    /// Whether [`take_diff`](Self::take_diff) may have something to report.
    #[must_use]
    pub fn has_diff(&self) -> bool {
        !self.changes.before.is_empty() || self.changes.was_offline.is_some()
    }
}

/// Whether a row says what it said before, but for the time it was written.
fn says_the_same(before: &Row, row: &Row) -> bool {
    let is_same = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => a.abs_diff(b) < SAME_MOMENT_MS,
        (a, b) => a == b,
    };
    let is_same_member = |name| is_same(before.entry.integer(name), row.entry.integer(name));
    is_same(before.last_input_at_ms, row.last_input_at_ms)
        && before.entry.eq_without(&row.entry, &TIME_MEMBERS)
        && ["onlineSince", "lastActivityAt"].into_iter().all(is_same_member)
}
