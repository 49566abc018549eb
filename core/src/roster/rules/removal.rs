//! Removal of rows, and the events of rows.

use crate::model::key::RowKey;
#[cfg(feature = "changes")]
use crate::roster::StayEnd;
use crate::roster::history::{RowEvent, RowEventKind, RowRemoval};
use crate::roster::{Removal, Roster, RowId};

impl Roster {
    /// Removes the row. `cause` is the serial of the connection whose write left no room for it, else 0.
    pub(super) fn remove(&mut self, id: RowId, why: RowRemoval, cause: u64) {
        if !self.contains(id) {
            return;
        }
        let removal = match why {
            RowRemoval::Expired => Removal::Expired,
            RowRemoval::Evicted { .. } | RowRemoval::OverQuota => Removal::Evicted,
            RowRemoval::Replaced => Removal::Replaced,
        };
        #[cfg(feature = "changes")]
        self.note_removal(
            id,
            match removal {
                Removal::Expired => StayEnd::Expired,
                Removal::Evicted => StayEnd::Evicted,
                Removal::Replaced => StayEnd::Replaced,
            },
        );
        self.end_own_ttl(id);
        if let Some(mut row) = self.store.remove(id) {
            self.bytes -= row.bytes;
            self.texts.clear();
            self.log.removed(id, &row.key, removal, self.store.len());
            self.leave_siblings(id, &mut row);
            self.removals += 1;
            self.note(row.key, None, RowEventKind::Gone(why), cause);
        }
    }

    /// Stores an event of a row.
    pub(crate) fn note(&mut self, key: RowKey, was: Option<RowKey>, what: RowEventKind, cause: u64) {
        self.history.note(RowEvent {
            at_ms: self.settled_ms,
            key,
            was,
            what,
            cause,
        });
    }
}
