//! The rows in a checkpoint of a recording.

use alloc::vec::Vec;

use super::clock::Clock;
pub(crate) use super::history::RowEvent;
pub(crate) use super::row::SavedRow;
use super::row::{Live, Place};
use super::store::RowId;
use super::{MAX_ROW_BYTES, Roster};

/// The state outside rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SavedRoster {
    pub(crate) began_ms: u64,
    pub(crate) rows_made: u64,
    pub(crate) spared_until_ms: u64,
    pub(crate) offset_ms: i64,
}

impl Roster {
    pub(crate) fn saved(&self) -> SavedRoster {
        SavedRoster {
            began_ms: self.began_ms,
            rows_made: self.rows_made,
            spared_until_ms: self.spared_until_ms,
            offset_ms: self.clock.offset_ms(),
        }
    }

    /// The rows without the gateway's own, in the order of their last proofs of life.
    pub(crate) fn saved_rows(&self) -> Vec<SavedRow> {
        let mut ids: Vec<RowId> = self.store.ids().collect();
        ids.sort_by_key(|&id| self.store[id].proof_number);
        ids.into_iter().filter_map(|id| self.store[id].saved()).collect()
    }

    /// Recent events of rows, oldest first.
    pub(crate) fn saved_events(&self) -> Vec<RowEvent> {
        self.history.events().cloned().collect()
    }

    /// Restores the events of a new roster.
    pub(crate) fn resume_events(&mut self, events: Vec<RowEvent>) {
        for event in events {
            self.history.note(event);
        }
    }

    /// Restores the state outside rows of a new roster.
    pub(crate) fn resume(&mut self, saved: SavedRoster) {
        self.began_ms = saved.began_ms;
        self.rows_made = saved.rows_made;
        self.spared_until_ms = saved.spared_until_ms;
        self.clock = Clock::of_offset(saved.offset_ms);
    }

    /// Evicts rows over the cap once all rows are restored, but not `newest`, the last of them.
    pub(crate) fn bound_restored(&mut self, newest: RowId) {
        self.enforce_cap(newest);
    }

    /// Adds a row with these connections as the freshest. `None` if its state is impossible, or its key is taken.
    pub(crate) fn restore_row(&mut self, saved: SavedRow, live: Vec<Live>) -> Option<RowId> {
        let (holder, own_ttl_ms) = (saved.holder, saved.own_ttl);
        let (row, device, place) = saved.row(live)?;
        if self.store.find(&row.key).is_some() || row.number > self.rows_made {
            return None;
        }
        let id = self.store.insert(row);
        self.store.set_device(id, device);
        self.store.set_holder(id, holder);
        self.set_own_ttl(id, own_ttl_ms);
        match place {
            Some(Place::Silent) => self.store.close_silently(id),
            Some(Place::Spared(_)) => self.store.spare_one(id),
            _ => {}
        }
        self.log.keyed(id);
        self.measure(id);
        self.log_change(id);
        self.log.publish();
        (self.store[id].bytes <= 2 * MAX_ROW_BYTES).then_some(id)
    }
}
