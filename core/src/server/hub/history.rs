//! What a history of the rows is written from.

use super::Hub;
use crate::model::time::Now;
use crate::roster::RowChanges;

impl Hub {
    /// Starts keeping what [`take_row_changes`](Self::take_row_changes) returns, for this gateway's own rows.
    pub fn keep_row_changes(&mut self) {
        self.roster.keep_trail();
    }

    /// Whether [`take_row_changes`](Self::take_row_changes) would return anything.
    #[must_use]
    pub fn has_row_changes(&self) -> bool {
        self.roster.has_row_changes()
    }

    /// What changed in this gateway's own rows since the last call; the first has all of them. Empty before
    /// [`keep_row_changes`](Self::keep_row_changes).
    pub fn take_row_changes(&mut self, now: Now) -> RowChanges {
        self.roster.take_row_changes(now)
    }
}
