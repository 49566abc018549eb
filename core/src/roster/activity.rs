//! News that are only about the last input: told at most every 30 s (SPEC 1.4, "Changes of activity alone").

use alloc::boxed::Box;
use alloc::collections::BTreeSet;

use super::people::Siblings;
use super::row::stamp_input;
use super::{Roster, RowId, moment_before};
use crate::model::time::Now;

/// A change of `lastActivityAt` alone is told at most this often, in ms (SPEC 1.4).
pub(super) const ACTIVITY_TELL_MS: u64 = 30_000;

/// What is to be told, and when it was last told.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Slots of rows with another last input.
    rows: BTreeSet<u32>,
    /// Users whose rows show another last input.
    people: BTreeSet<Box<str>>,
    /// On the age clock.
    told_ms: Option<u64>,
}

impl Activity {
    fn is_pending(&self) -> bool {
        !self.rows.is_empty() || !self.people.is_empty()
    }

    fn note_siblings(&mut self, user: &str, siblings: Siblings) {
        if siblings.are_gone {
            self.people.remove(user);
        } else if siblings.has_new_input {
            self.people.insert(user.into());
        }
    }
}

impl Roster {
    /// A node reported the last input of its row's user, in seconds before `now`, or that there is none to
    /// report: a touch with a last input. Returns whether the row had one before; `None` if the row is gone.
    pub fn report_input(
        &mut self,
        row: RowId,
        conn: u64,
        idle_seconds: Option<u64>,
        now: Now,
    ) -> Option<bool> {
        self.settle(now);
        let slot = self.slot(row)?;
        let row = &mut self.table.slab[slot];
        let before = row.last_input_at;
        row.last_input_at = idle_seconds.map(|seconds| moment_before(now.age_ms, seconds));
        row.input_conn = idle_seconds.map(|_| conn);
        let is_changed = row.last_input_at != before;
        self.wrote(slot, now, true);
        self.note_touch(slot);
        self.index_user(slot);
        if is_changed {
            self.activity.rows.insert(slot);
        }
        self.tell_activity();
        Some(before.is_some())
    }

    /// The last input that this connection reported of the row is over: another connection of its node reports
    /// now. No touch. Does nothing if a later write set the last input.
    pub fn withdraw_input(&mut self, row: RowId, conn: u64, now: Now) {
        self.settle(now);
        let Some(slot) = self.slot(row) else { return };
        let row = &mut self.table.slab[slot];
        if row.input_conn != Some(conn) {
            return;
        }
        row.last_input_at = None;
        row.input_conn = None;
        row.outdate();
        self.encoder.clear();
        self.index_user(slot);
        self.activity.rows.insert(slot);
        self.tell_activity();
    }

    /// The moment of the row's last input, ms since the Unix epoch, if it has one.
    #[must_use]
    pub fn last_input_ms(&self, row: RowId) -> Option<u64> {
        let slot = self.slot(row)?;
        let at = self.table.slab[slot].last_input_at?;
        Some(stamp_input(at, self.offset_ms))
    }

    /// Keeps what the rows of the row's user share in step with the row.
    pub(super) fn index_user(&mut self, slot: u32) {
        self.update_user(slot, false);
    }

    /// The row is about to go.
    pub(super) fn unindex_user(&mut self, slot: u32) {
        self.update_user(slot, true);
        self.activity.rows.remove(&slot);
    }

    fn update_user(&mut self, slot: u32, is_gone: bool) {
        let row = &mut self.table.slab[slot];
        let (activity, journal) = (&mut self.activity, &mut self.journal);
        self.people.update(slot, row, is_gone, |user, siblings| {
            activity.note_siblings(user, siblings);
            journal.note_siblings(user, siblings);
        });
    }

    /// Tells what is pending, if it may be.
    #[inline]
    pub(super) fn tell_activity(&mut self) {
        if self.activity.is_pending() {
            self.tell_pending();
        }
    }

    fn tell_pending(&mut self) {
        if self
            .activity_due_ms()
            .is_some_and(|due_ms| due_ms <= self.settled_ms)
        {
            self.activity.told_ms = Some(self.settled_ms);
            let rows = core::mem::take(&mut self.activity.rows);
            let people = core::mem::take(&mut self.activity.people);
            self.note_inputs(rows, people);
            self.version += 1;
        }
    }

    /// When what is pending may be told, on the age clock.
    pub(super) fn activity_due_ms(&self) -> Option<u64> {
        if !self.activity.is_pending() {
            return None;
        }
        Some(match self.activity.told_ms {
            Some(told_ms) => told_ms.saturating_add(ACTIVITY_TELL_MS),
            None => self.settled_ms,
        })
    }
}
