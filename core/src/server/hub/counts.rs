//! Counts of the hub's work, for metrics.

use super::Hub;
use crate::model::time::Now;
use crate::roster::Expiries;

/// Counts of a hub's work. No number ever decreases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Beacons that were written.
    pub beacons: u64,
    /// Beacons that were refused.
    pub refused_beacons: u64,
    /// Broadcasts of the whole list that were encoded, each once for all its readers.
    pub lists: u64,
    /// Broadcasts of deltas that were encoded, each once for all its readers.
    pub deltas: u64,
    /// Requests that were answered, beacons included.
    pub requests: u64,
    /// Requests that were answered with an error.
    pub failed_requests: u64,
}

impl Hub {
    /// Returns the counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// This gateway's own rows that expired so far.
    #[must_use]
    pub fn expiries(&self) -> Expiries {
        self.roster.expiries()
    }

    /// The number of this gateway's own rows by status, in the order of [`Status`](crate::model::status::Status).
    #[must_use]
    pub fn statuses(&self, now: Now) -> [usize; 4] {
        self.roster.statuses(now)
    }
}
