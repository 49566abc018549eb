//! Differences of the roster between two times.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Mirror, Row};
use crate::model::entry::TIME_MEMBERS;
use crate::model::json::{ObjectText, array_text};

/// Two reports of one time in whole seconds differ by less than this, in ms.
const SAME_MOMENT_MS: u64 = 2_000;

/// The differences of a roster between two times: the keys of rows, each in the first list that applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterDiff {
    /// Rows that were added.
    pub added: Vec<Arc<str>>,
    /// Rows that were removed.
    pub removed: Vec<Arc<str>>,
    /// Rows with a changed entry.
    pub changed: Vec<Arc<str>>,
    /// Rows with an unchanged entry and a changed status.
    pub status: Vec<Arc<str>>,
    /// Rows with only a newer proof of life.
    pub touched: Vec<Arc<str>>,
    /// Rows with an insignificant difference, such as a last input that was rounded differently. They are
    /// reported together with the next significant change.
    pub restated: Vec<Arc<str>>,
    /// Rows with only another position in the gateway's list. They are reported together with the next
    /// significant change.
    pub moved: Vec<Arc<str>>,
    /// The new value of `is_offline`, if it changed.
    pub offline: Option<bool>,
}

impl RosterDiff {
    /// Returns whether there is no significant change.
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
}

/// The only record of changes since the last diff. Bounded by the numbers of rows then and now.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The changed rows as they were then; `None` if absent then.
    before: BTreeMap<Arc<str>, Option<Arc<Row>>>,
    /// Whether the roster was offline then, if that changed.
    was_offline: Option<bool>,
    /// Whether something changed since the last check for significant changes.
    is_fresh: bool,
}

impl Changes {
    /// Records that a row is about to be changed, added or removed; `before` is its current value.
    pub(super) fn note(&mut self, key: &Arc<str>, before: Option<&Arc<Row>>) {
        self.before.entry(key.clone()).or_insert_with(|| before.cloned());
        self.is_fresh = true;
    }

    /// Records that a row was removed. If it was added since the last diff, nothing changed.
    pub(super) fn record_removal(&mut self, key: &str) {
        if let Some(None) = self.before.get(key) {
            self.before.remove(key);
        }
    }

    pub(super) fn note_offline(&mut self, was_offline: bool) {
        self.was_offline.get_or_insert(was_offline);
        self.is_fresh = true;
    }
}

impl Mirror {
    /// Returns the changes since the last diff; `None` without a significant one. Rows that were added and
    /// removed in between are not reported.
    pub fn take_diff(&mut self) -> Option<RosterDiff> {
        if !core::mem::take(&mut self.changes.is_fresh) {
            return None;
        }
        let diff = self.diff();
        if diff.is_empty() {
            return None;
        }
        self.changes = Changes::default();
        Some(diff)
    }

    /// Returns the changes since the last diff, including insignificant ones; `None` without any.
    pub fn take_whole_diff(&mut self) -> Option<RosterDiff> {
        let is_unchanged = self.changes.before.is_empty() && self.changes.was_offline.is_none();
        let diff = self.diff();
        self.changes = Changes::default();
        (!is_unchanged).then_some(diff)
    }

    fn diff(&self) -> RosterDiff {
        let is_offline = self.is_offline();
        let mut diff = RosterDiff {
            offline: self.changes.was_offline.map(|_| is_offline),
            ..RosterDiff::default()
        };
        diff.offline = diff.offline.filter(|is| self.changes.was_offline != Some(*is));
        for (key, before) in &self.changes.before {
            let list = match (before, self.rows.get(key)) {
                (None, Some(_)) => &mut diff.added,
                (Some(_), None) => &mut diff.removed,
                (Some(before), Some(row)) if !has_equal_content(before, row) => &mut diff.changed,
                (Some(before), Some(row)) if before.status != row.status => &mut diff.status,
                (Some(before), Some(row)) if before.ts != row.ts => &mut diff.touched,
                (Some(before), Some(row)) if before.raws != row.raws => &mut diff.restated,
                (Some(_), Some(_)) => &mut diff.moved,
                (None, None) => continue,
            };
            list.push(key.clone());
        }
        diff
    }

    /// Encodes the rows of a diff that was just taken, as JSON text for a consumer with its own list:
    /// `{changed, removed, offline?}`. `removed` are keys. `changed` are rows, `{key, place, status, isSelf?,
    /// inputAt?, entry, raw?}`, all times on the server's clock; without `raw`, `entry` is the only row that it was
    /// merged from. A row that only moved has `key` and `place` only; the rest is unchanged.
    #[must_use]
    pub fn diff_json(&self, diff: &RosterDiff) -> String {
        let whole = [
            &diff.added,
            &diff.changed,
            &diff.status,
            &diff.touched,
            &diff.restated,
        ];
        let whole = whole.into_iter().flatten().map(|key| (key, true));
        let part = diff.moved.iter().map(|key| (key, false));
        let mut changed = String::from("[");
        for (row, is_whole) in whole
            .chain(part)
            .filter_map(|(key, is_whole)| Some((self.row(key)?, is_whole)))
        {
            if changed.len() > 1 {
                changed.push(',');
            }
            changed = row.write_for_shell(changed, is_whole);
        }
        changed.push(']');
        let mut json = ObjectText::new();
        json.raw("changed", &changed);
        json.texts("removed", &mut diff.removed.iter().map(|key| &**key));
        if let Some(is_offline) = diff.offline {
            json.raw("offline", if is_offline { "true" } else { "false" });
        }
        json.end()
    }
}

impl Row {
    fn write_for_shell(&self, text: String, is_whole: bool) -> String {
        let mut json = ObjectText::after(text);
        json.text("key", &self.key);
        json.number("place", self.place());
        if is_whole {
            json.text("status", self.status.label());
            if self.is_self() {
                json.raw("isSelf", "true");
            }
            if let Some(input_at_ms) = self.last_input_at_ms {
                json.number("inputAt", input_at_ms);
            }
            json.raw("entry", self.entry.as_str());
            if !matches!(&*self.raws, [only] if only.entry == self.entry) {
                json.raw("raw", &array_text(&mut self.raw().map(ToString::to_string)));
            }
        }
        json.end()
    }
}

/// Returns whether two rows are equal, apart from the time of writing.
fn has_equal_content(before: &Row, row: &Row) -> bool {
    let is_same = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => a.abs_diff(b) < SAME_MOMENT_MS,
        (a, b) => a == b,
    };
    let is_same_member = |name| is_same(before.entry.integer(name), row.entry.integer(name));
    is_same(before.last_input_at_ms, row.last_input_at_ms)
        && before.entry.eq_without(&row.entry, &TIME_MEMBERS)
        && ["onlineSince", "lastActivityAt"].into_iter().all(is_same_member)
}
