//! The changes for a history and for webhooks: starts and ends of stays with their causes, and changed rows.
//!
//! Ends are kept one by one. Of a changed row only its id is kept, and its contents are read when the changes are
//! taken, so a row that changes often costs no more than one that changed once.

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;

use crate::roster::store::{Queue, RowId};

/// Most events that wait to be taken. Beyond it, the next [`RowChanges`] has all rows and the number of lost events.
pub const MAX_WAITING_EVENTS: usize = 4_096;

/// Why a stay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StayEnd {
    /// The last connection of the row was closed.
    Closed,
    /// The gateway closed it because the client was silent.
    Silent,
    /// No proof of life for longer than the TTL.
    Expired,
    /// There were too many rows.
    Evicted,
    /// Its device connected again under another id, or another device owns the row now.
    Replaced,
}

impl StayEnd {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Silent => "silent",
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Replaced => "replaced",
        }
    }
}

/// The time from the first connection of a row to the close of its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// When it began, on the age clock; unique among the stays of a row.
    pub id: u64,
    /// When it began, in ms since the Unix epoch.
    pub since_ms: u64,
}

/// An event of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowEvent {
    /// The last connection was closed, a device took the row over, or the row is gone.
    Ended {
        /// The key of the row on the wire.
        key: String,
        /// The stay, if there were connections.
        stay: Option<Stay>,
        /// The last proof of life, in ms since the Unix epoch.
        seen_ms: u64,
        /// When it happened, in ms since the Unix epoch.
        at_ms: u64,
        /// Why.
        why: StayEnd,
        /// The row's entry as JSON, if it changed since the last [`RowChanges`] and is gone.
        entry: Option<Box<str>>,
    },
    /// The row has another key from now on.
    Renamed {
        /// The key that it had.
        from: String,
        /// The key that it has.
        to: String,
    },
}

/// The current state of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowState {
    /// The key of the row on the wire; `SELF` is the gateway's own.
    pub key: String,
    /// The entry as JSON.
    pub entry: Box<str>,
    /// The stay, while there are connections.
    pub stay: Option<Stay>,
    /// Whether the row is Left and has no connections.
    pub has_left: bool,
    /// The last proof of life, in ms since the Unix epoch.
    pub seen_ms: u64,
}

/// The changes since they were last taken: first the events, in order, then the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowChanges {
    /// Whether `rows` has all rows, so that every other row is gone.
    pub is_whole: bool,
    /// Events that were lost because too many waited.
    pub lost: u64,
    /// The events, in order.
    pub events: Vec<RowEvent>,
    /// The rows that changed.
    pub rows: Vec<RowState>,
}

/// A consumer of [`RowChanges`]. Each takes them at its own pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follower {
    /// A history of sessions.
    History,
    /// Webhooks on joins and leaves.
    Webhook,
}

/// All of them.
pub(in crate::roster) const FOLLOWERS: [Follower; 2] = [Follower::History, Follower::Webhook];

/// The pending changes of each follower; `None` for one that does not exist.
#[derive(Clone, Debug, Default)]
pub(in crate::roster) struct Followers([Option<Box<FollowerChanges>>; FOLLOWERS.len()]);

impl Followers {
    pub(in crate::roster) fn start(&mut self, follower: Follower) {
        self.0[follower as usize] = Some(FollowerChanges::new().into());
    }

    pub(in crate::roster) fn of(&self, follower: Follower) -> Option<&FollowerChanges> {
        self.0[follower as usize].as_deref()
    }

    pub(in crate::roster) fn of_mut(&mut self, follower: Follower) -> Option<&mut FollowerChanges> {
        self.0[follower as usize].as_deref_mut()
    }

    pub(in crate::roster) fn are_kept(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }

    pub(super) fn changed(&mut self, id: RowId) {
        for trail in self.0.iter_mut().flatten() {
            trail.changed(id);
        }
    }

    pub(in crate::roster) fn note(&mut self, event: &RowEvent) {
        for trail in self.0.iter_mut().flatten() {
            trail.note(event.clone());
        }
    }
}

/// Pending changes of one follower.
#[derive(Clone, Debug, Default)]
pub(in crate::roster) struct FollowerChanges {
    /// Whether all rows are wanted: at the start, and after events were lost.
    is_whole: bool,
    lost: u64,
    events: Vec<RowEvent>,
    changed: Queue,
}

impl FollowerChanges {
    fn new() -> Self {
        Self {
            is_whole: true,
            ..Self::default()
        }
    }

    fn changed(&mut self, id: RowId) {
        if !self.is_whole {
            self.changed.insert(id);
        }
    }

    /// Forgets a removed row; returns whether it changed before.
    pub(in crate::roster) fn remove(&mut self, id: RowId) -> bool {
        self.changed.remove(&id)
    }

    pub(in crate::roster) fn note(&mut self, event: RowEvent) {
        if self.events.len() >= MAX_WAITING_EVENTS {
            self.lost += self.events.len() as u64;
            self.events.clear();
            self.changed = Queue::default();
            self.is_whole = true;
        }
        self.events.push(event);
    }

    pub(in crate::roster) fn is_empty(&self) -> bool {
        !self.is_whole && self.events.is_empty() && self.changed.is_empty()
    }

    /// Takes the pending changes without the rows, and the ids of the changed rows.
    pub(in crate::roster) fn take(&mut self) -> (RowChanges, Queue) {
        let changes = RowChanges {
            is_whole: take(&mut self.is_whole),
            lost: take(&mut self.lost),
            events: take(&mut self.events),
            rows: Vec::new(),
        };
        (changes, take(&mut self.changed))
    }
}
