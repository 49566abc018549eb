//! What a history of the rows is written from.

use super::Hub;
#[cfg(feature = "history")]
use crate::model::time::Now;
#[cfg(feature = "history")]
use crate::roster::RowChanges;

#[cfg(feature = "history")]
impl Hub {
    /// Starts keeping what [`take_row_changes`](Self::take_row_changes) returns, for this gateway's own rows. The shell
    /// writes a history of them from now on, and answers [`HubOutput::History`](super::HubOutput::History).
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

    /// Whether a history is written.
    pub(super) fn keeps_history(&self) -> bool {
        self.roster.has_trail()
    }
}

#[cfg(not(feature = "history"))]
impl Hub {
    #[expect(clippy::unused_self, reason = "as where there are histories")]
    pub(super) fn keeps_history(&self) -> bool {
        false
    }
}
