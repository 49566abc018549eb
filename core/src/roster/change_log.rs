//! The log of changes, from which broadcasts, lists, deltas and digests are made.
//!
//! There are two counters: the *version* counts the changes that readers are sent, the *revision* every change of
//! a text's contents, touches included. A text that was encoded at a revision is fresh as long as its contents did
//! not change at a later one. The individual changes are in [`Pending`], which is kept while there are delta
//! clients (SPEC 2.1).

mod pending;
#[cfg(feature = "changes")]
mod stays;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;

pub(super) use self::pending::{Changes, Pending};
#[cfg(feature = "server")]
pub(crate) use self::pending::{TOUCH_TELL_MS, max_removed};
#[cfg(feature = "changes")]
pub(super) use self::stays::{FOLLOWERS, Followers};
#[cfg(feature = "changes")]
pub use self::stays::{Follower, MAX_WAITING_EVENTS, RowChanges, RowEvent, RowState, Stay, StayEnd};
use super::store::{RowId, Siblings};
use crate::digest::Digest;
use crate::model::key::RowKey;

/// Why a row was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// No proof of life for longer than the TTL.
    Expired,
    /// There were too many rows.
    Evicted,
    /// Its device connected again under another id.
    Replaced,
}

impl Removal {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Replaced => "replaced",
        }
    }
}

/// The changes in a roster.
#[derive(Clone, Debug)]
pub(super) struct ChangeLog {
    version: u64,
    revision: u64,
    /// The revision at which the wall clock stepped last: all older texts are stale.
    shift_revision: u64,
    /// Pending changes for delta clients; `None` while there are none.
    pub(super) pending: Option<Box<Pending>>,
    /// The changes for a history and for webhooks.
    #[cfg(feature = "changes")]
    pub(super) followers: Followers,
}

impl ChangeLog {
    pub(super) fn new() -> Self {
        Self {
            version: 1,
            revision: 1,
            shift_revision: 0,
            pending: None,
            #[cfg(feature = "changes")]
            followers: Followers::default(),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision at which the wall clock stepped last.
    pub(super) fn shift_revision(&self) -> u64 {
        self.shift_revision
    }

    fn note(&mut self, note: impl FnOnce(&mut Pending)) {
        self.pending.as_deref_mut().map(note);
    }

    // ---- what changed ---------------------------------------------------------------------------

    /// Makes the changes since the last version a new version.
    pub(super) fn publish(&mut self) {
        self.version += 1;
        // Texts that state the version are outdated, too.
        self.revision += 1;
    }

    /// Marks texts as outdated without a new version. Returns the new revision, like the other methods.
    pub(super) fn outdated(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// Logs a change of a row.
    pub(super) fn changed(&mut self, id: RowId) -> u64 {
        self.note(|pending| pending.changed(id));
        #[cfg(feature = "changes")]
        self.followers.changed(id);
        self.outdated()
    }

    /// Logs a new `ts` of a row.
    pub(super) fn touched(&mut self, id: RowId, written_ms: u64) -> u64 {
        self.note(|pending| pending.touched(id, written_ms));
        self.outdated()
    }

    /// Logs a change of the last input of these rows, and of all rows of these users: a new version.
    pub(super) fn inputs(
        &mut self,
        rows: impl IntoIterator<Item = RowId>,
        users: impl IntoIterator<Item = Box<str>>,
    ) {
        self.note(|pending| {
            rows.into_iter().for_each(|id| pending.moments(id));
            pending.users.extend(users);
        });
        self.publish();
    }

    /// Logs a change of a user's other rows, at the revision of the row that caused it.
    pub(super) fn siblings(&mut self, user: &str, siblings: Siblings) {
        self.note(|pending| {
            if siblings.are_gone {
                pending.users.remove(user);
            } else if siblings.has_new_stay {
                pending.users.insert(user.into());
            }
        });
    }

    /// Logs the first key of a row.
    pub(super) fn keyed(&mut self, id: RowId) {
        self.note(|pending| pending.keyed(id));
    }

    /// Logs another key of a row, whose old key is gone. `rows` is the number of rows.
    pub(super) fn rekeyed(&mut self, id: RowId, old_key: RowKey, rows: usize) {
        self.note(|pending| pending.rekeyed(id, old_key, rows));
    }

    /// Logs a removed row: a new version. `rows` is the number of remaining rows.
    pub(super) fn removed(&mut self, id: RowId, key: &RowKey, why: Removal, rows: usize) {
        self.note(|pending| pending.removed(id, key, why, rows));
        self.outdated();
        self.publish();
    }

    /// Logs a shift of every `ts`: a new version. All rows are sent whole, because a touch would increase the time
    /// since their last input. No digest changes: `ts` is not part of it.
    pub(super) fn shifted(&mut self, ids: impl Iterator<Item = RowId>) {
        self.note(|pending| {
            pending.is_self_changed = true;
            ids.for_each(|id| pending.moments(id));
        });
        self.shift_revision = self.outdated();
        self.publish();
    }

    // ---- deltas and digests ---------------------------------------------------------------------

    /// Notes a snapshot, whose rows are known to its recipient.
    pub(super) fn snapshot_taken(&mut self) {
        self.note(|pending| pending.tellings += 1);
    }

    /// The digest of all rows, if changes are tracked; `digest_of` computes that of a changed row.
    pub(super) fn digest(&mut self, digest_of: impl FnMut(RowId) -> u64) -> Option<Digest> {
        let pending = self.pending.as_deref_mut()?;
        Some(pending.digest(digest_of))
    }
}
