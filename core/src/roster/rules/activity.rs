//! Changes of the last input alone: broadcast at most every 30 s (SPEC 1.4, "Changes of activity alone").

use alloc::boxed::Box;
use alloc::collections::BTreeSet;

use crate::model::time::Now;
use crate::roster::clock::moment_before;
use crate::roster::row::Row;
use crate::roster::store::Siblings;
use crate::roster::{Roster, RowId};

/// Shortest interval of broadcasts of `lastActivityAt` alone, in ms (SPEC 1.4).
const ACTIVITY_TELL_MS: u64 = 30_000;

/// Pending changes, and the time of the last broadcast of such changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity {
    /// Rows with another last input.
    rows: BTreeSet<RowId>,
    /// Users whose rows show another last input.
    people: BTreeSet<Box<str>>,
    /// On the age clock.
    told_ms: Option<u64>,
}

impl Activity {
    fn note_siblings(&mut self, user: &str, siblings: Siblings) {
        if siblings.are_gone {
            self.people.remove(user);
        } else if siblings.has_new_input {
            self.people.insert(user.into());
        }
    }
}

impl Roster {
    /// Sets the last input that a node reported, in seconds before `now`, or clears it, and touches the row.
    /// Returns whether the row had a last input before; `None` if the row is gone.
    pub fn report_input(
        &mut self,
        row: RowId,
        conn: u64,
        idle_seconds: Option<u64>,
        now: Now,
    ) -> Option<bool> {
        self.settle(now);
        if !self.contains(row) {
            return None;
        }
        let before = self.store[row].last_input_at;
        let input = idle_seconds.map(|seconds| moment_before(now.age_ms, seconds));
        self.set_input(row, input, idle_seconds.map(|_| conn));
        self.prove_alive(row, now);
        self.log_touch(row);
        self.share_with_siblings(row);
        if input != before {
            self.activity.rows.insert(row);
        }
        self.publish_activity();
        Some(before.is_some())
    }

    /// Removes the last input that this connection reported, because another connection of its node reports
    /// now. No touch. Does nothing if a later write set the last input.
    pub fn withdraw_input(&mut self, row: RowId, conn: u64, now: Now) {
        self.settle(now);
        if self.store.get(row).and_then(|row| row.input_conn) != Some(conn) {
            return;
        }
        self.set_input(row, None, None);
        self.texts.clear();
        self.store[row].revision = self.log.outdated();
        self.share_with_siblings(row);
        self.activity.rows.insert(row);
        self.publish_activity();
    }

    /// The moment of the row's last input, ms since the Unix epoch, if it has one.
    #[must_use]
    pub fn last_input_ms(&self, row: RowId) -> Option<u64> {
        let at = self.store.get(row)?.last_input_at?;
        Some(self.clock.input_wall_ms(at))
    }

    /// Sets the last input; `conn` is the connection of the node that reported it.
    pub(super) fn set_input(&mut self, id: RowId, at: Option<i64>, conn: Option<u64>) {
        let row = &mut self.store[id];
        row.last_input_at = at;
        row.input_conn = conn;
    }

    /// Updates the data that the rows of the user share, after a logged change of the row.
    pub(super) fn share_with_siblings(&mut self, id: RowId) {
        let row = &mut self.store[id];
        let (activity, log) = (&mut self.activity, &mut self.log);
        self.people
            .update(id, row, false, log.revision(), |user, siblings| {
                activity.note_siblings(user, siblings);
                log.siblings(user, siblings);
            });
    }

    /// Removes a row from its user's rows.
    pub(super) fn leave_siblings(&mut self, id: RowId, row: &mut Row) {
        let (activity, log) = (&mut self.activity, &mut self.log);
        activity.rows.remove(&id);
        self.people
            .update(id, row, true, log.revision(), |user, siblings| {
                activity.note_siblings(user, siblings);
                log.siblings(user, siblings);
            });
    }

    /// Broadcasts pending changes, if the interval is over.
    pub(super) fn publish_activity(&mut self) {
        if self
            .activity_due_ms()
            .is_some_and(|due_ms| due_ms <= self.settled_ms)
        {
            self.activity.told_ms = Some(self.settled_ms);
            let rows = core::mem::take(&mut self.activity.rows);
            let people = core::mem::take(&mut self.activity.people);
            self.log.inputs(rows, people);
        }
    }

    /// When pending changes may be broadcast, on the age clock.
    pub(super) fn activity_due_ms(&self) -> Option<u64> {
        let Activity {
            rows,
            people,
            told_ms,
        } = &self.activity;
        if rows.is_empty() && people.is_empty() {
            return None;
        }
        Some(told_ms.map_or(self.settled_ms, |told_ms| {
            told_ms.saturating_add(ACTIVITY_TELL_MS)
        }))
    }
}
