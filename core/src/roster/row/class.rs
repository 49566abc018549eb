//! Which rows go first when there are too many, and which go by their age (SPEC 1.5).

use super::Row;
use crate::model::key::RowKey;

/// Who goes first when there are too many rows. Lower classes go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// The last connection closed.
    Closed,
    /// Never had a connection: only beacons wrote it.
    Reported,
    /// Has a live connection that gave neither an `instanceId` nor a device.
    Anonymous,
    /// Has a live connection and an id.
    Connected,
}

impl Class {
    /// All classes, in the order of eviction.
    pub(crate) const ALL: [Self; 4] = [Self::Closed, Self::Reported, Self::Anonymous, Self::Connected];

    /// Whether rows of this class have a live connection.
    pub(crate) fn is_live(self) -> bool {
        self >= Self::Anonymous
    }
}

/// Which of the store's queues a row is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Goes by its age.
    Ageing(Class),
    /// Goes by its age; its last close was no proof of life, so it is older than its neighbours in
    /// [`Class::Closed`] would be.
    Silent,
    /// Waits for a pong after a suspension, whatever its age.
    Spared(Class),
}

impl Row {
    /// Its class now.
    pub(crate) fn class(&self) -> Class {
        match (self.live.is_empty(), self.was_connected, &self.key) {
            (true, true, _) => Class::Closed,
            (true, false, _) => Class::Reported,
            (false, _, RowKey::Connection(_)) => Class::Anonymous,
            (false, ..) => Class::Connected,
        }
    }
}
