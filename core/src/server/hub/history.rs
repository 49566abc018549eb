//! The changes for a history of the rows and for webhooks.

use super::Hub;
#[cfg(feature = "changes")]
use crate::model::time::Now;
#[cfg(feature = "changes")]
use crate::roster::{Follower, RowChanges};

#[cfg(feature = "changes")]
impl Hub {
    /// Starts keeping changes of this gateway's own rows for [`take_row_changes`](Self::take_row_changes) of this
    /// follower. With [`Follower::History`] the shell writes a history of them from now on, and answers
    /// [`HubOutput::History`](super::HubOutput::History).
    pub fn keep_row_changes(&mut self, follower: Follower) {
        self.roster.start_following(follower);
    }

    /// Whether [`take_row_changes`](Self::take_row_changes) would return any changes.
    #[must_use]
    pub fn has_row_changes(&self, follower: Follower) -> bool {
        self.roster.has_row_changes(follower)
    }

    /// The changes of this gateway's own rows since this follower's last call; the first call returns all rows. Empty
    /// before [`keep_row_changes`](Self::keep_row_changes).
    pub fn take_row_changes(&mut self, follower: Follower, now: Now) -> RowChanges {
        self.roster.take_row_changes(follower, now)
    }
}

impl Hub {
    /// Whether a history is written.
    #[cfg(feature = "history")]
    pub(super) fn keeps_history(&self) -> bool {
        self.roster.is_following(Follower::History)
    }

    #[cfg(not(feature = "history"))]
    #[expect(clippy::unused_self, reason = "as where there are histories")]
    pub(super) fn keeps_history(&self) -> bool {
        false
    }
}
