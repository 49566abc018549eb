//! The order of eviction, and rows that expire by their age (SPEC 1.5).

use super::Row;
use crate::model::key::RowKey;

/// The order of eviction: lower classes are evicted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// The last connection closed.
    Closed,
    /// Never had a connection: only beacons wrote it.
    Reported,
    /// Has a live connection without an `instanceId` and a device.
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

/// The queue of the store that a row is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Expires by its age.
    Ageing(Class),
    /// Expires by its age; its last close was not a proof of life, so it would be older than its neighbours in
    /// [`Class::Closed`].
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
