//! What changed: the one source for broadcasts, lists, deltas and digests.
//!
//! Two counters say that something did: the *version* counts the changes that readers are sent, the *revision*
//! every change of what a text shows, touches included. A text that was encoded at a revision is fresh as long
//! as nothing that it shows changed at a later one. What exactly changed is [`Pending`], kept while deltas are
//! wanted (SPEC 2.1).

mod pending;
#[cfg(test)]
mod tests;
#[cfg(feature = "changes")]
mod trail;

use alloc::boxed::Box;

#[cfg(feature = "server")]
pub(crate) use self::pending::TOUCH_TELL_MS;
pub(super) use self::pending::{Changes, Pending};
#[cfg(feature = "changes")]
pub(super) use self::trail::{FOLLOWERS, Trails};
#[cfg(feature = "changes")]
pub use self::trail::{Follower, MAX_WAITING_EVENTS, RowChanges, RowEvent, RowState, Stay, StayEnd};
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

/// What changed in a roster.
#[derive(Clone, Debug)]
pub(super) struct ChangeLog {
    version: u64,
    revision: u64,
    /// The revision at which the wall clock stepped last: older texts are stale, whatever they show.
    shift_revision: u64,
    /// What delta clients are to be sent; `None` while there are none.
    pub(super) pending: Option<Box<Pending>>,
    /// What a history and webhooks are written from.
    #[cfg(feature = "changes")]
    pub(super) trails: Trails,
}

impl ChangeLog {
    pub(super) fn new() -> Self {
        Self {
            version: 1,
            revision: 1,
            shift_revision: 0,
            pending: None,
            #[cfg(feature = "changes")]
            trails: Trails::default(),
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

    /// What was logged since is a new version.
    pub(super) fn publish(&mut self) {
        self.version += 1;
        // Texts that state the version are outdated, too.
        self.revision += 1;
    }

    /// A text is outdated and nobody is to be sent that yet. Returns the new revision, as the others do.
    pub(super) fn outdated(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// The row changed.
    pub(super) fn changed(&mut self, id: RowId) -> u64 {
        self.note(|pending| pending.changed(id));
        #[cfg(feature = "changes")]
        self.trails.changed(id);
        self.outdated()
    }

    /// Only the row's `ts` moved.
    pub(super) fn touched(&mut self, id: RowId, written_ms: u64) -> u64 {
        self.note(|pending| pending.touched(id, written_ms));
        self.outdated()
    }

    /// The last input of these rows, and of all rows of these users, is another: a new version.
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

    /// The other rows of a user show something else. The revision is that of the row that made it so.
    pub(super) fn siblings(&mut self, user: &str, siblings: Siblings) {
        self.note(|pending| {
            if siblings.are_gone {
                pending.users.remove(user);
            } else if siblings.has_new_stay {
                pending.users.insert(user.into());
            }
        });
    }

    /// The row got its first key just now.
    pub(super) fn keyed(&mut self, id: RowId) {
        self.note(|pending| pending.keyed(id));
    }

    /// The row goes on under another key: its old one is gone. `rows` is the number of rows.
    pub(super) fn rekeyed(&mut self, id: RowId, old_key: RowKey, rows: usize) {
        self.note(|pending| pending.rekeyed(id, old_key, rows));
    }

    /// The row is gone: a new version. `rows` is the number of those left.
    pub(super) fn removed(&mut self, id: RowId, key: &RowKey, why: Removal, rows: usize) {
        self.note(|pending| pending.removed(id, key, why, rows));
        self.outdated();
        self.publish();
    }

    /// Every `ts` shifted: a new version. All rows are sent whole, for a touch would say that time passed since
    /// their last input. No digest changes: `ts` is not in it.
    pub(super) fn shifted(&mut self, ids: impl Iterator<Item = RowId>) {
        self.note(|pending| {
            pending.is_self_changed = true;
            ids.for_each(|id| pending.moments(id));
        });
        self.shift_revision = self.outdated();
        self.publish();
    }

    // ---- deltas and digests ---------------------------------------------------------------------

    /// A snapshot is given out: its rows are known from now on.
    pub(super) fn snapshot_taken(&mut self) {
        self.note(|pending| pending.tellings += 1);
    }

    /// The digest of all rows, where changes are tracked; `digest_of` makes that of a row that changed.
    pub(super) fn digest(&mut self, digest_of: impl FnMut(RowId) -> u64) -> Option<Digest> {
        let pending = self.pending.as_deref_mut()?;
        Some(pending.digest(digest_of))
    }
}
