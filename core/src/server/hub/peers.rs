//! The other gateways of a fleet, for [`Cluster`](crate::cluster::Cluster) (SPEC 7.1).

use alloc::vec::Vec;

use super::Hub;
use crate::digest::Digest;
use crate::fleet::{PeerError, SourceId};
use crate::model::time::Now;

impl Hub {
    /// Lists the rows of peers too, from now on. Call it once, after [`observe`](Self::observe) and before the first
    /// join.
    pub(crate) fn list_peers(&mut self, own_name: &str, now: Now) {
        self.fleet_name = Some(own_name.into());
        if self.fleet.is_none() {
            self.start_fleet(Vec::new(), now);
        }
    }

    pub(crate) fn add_peer(&mut self, name: &str) -> Result<SourceId, PeerError> {
        match &mut self.fleet {
            Some(fleet) => fleet.add_peer(name),
            None => Err(PeerError::TooMany(0)),
        }
    }

    /// Sets the end of a peer's lease, on the age clock.
    pub(crate) fn lease(&mut self, peer: SourceId, ends_ms: u64, now: Now) {
        self.advance(now);
        if let Some(fleet) = &mut self.fleet {
            fleet.lease(peer, ends_ms, now);
        }
        self.announce(now);
    }

    /// Forgets the peers that have neither a lease nor rows.
    pub(crate) fn remove_expired_peers(&mut self) -> Vec<SourceId> {
        self.fleet
            .as_mut()
            .map(|fleet| fleet.remove_expired_peers())
            .unwrap_or_default()
    }

    /// The name of this gateway in its fleet, and the digest of all rows there, if it is in one.
    pub fn fleet_digest(&mut self, now: Now) -> Option<(&str, Digest)> {
        let name = self.fleet_name.as_deref()?;
        let fleet = self.fleet.as_ref()?;
        Some((name, fleet.fleet_digest(name, &mut self.roster, now)))
    }

    /// The list as standard clients get it.
    #[cfg(test)]
    pub(crate) fn shown_list(&mut self, now: Now) -> crate::model::SharedText {
        self.encode_list(now)
    }

    /// The members of a snapshot from the list on, as clients that take deltas get them.
    #[cfg(test)]
    pub(crate) fn shown_snapshot(&mut self, now: Now) -> crate::model::SharedText {
        self.encode_snapshot(now)
    }

    /// Counts the changes of this gateway's own rows.
    pub(crate) fn own_version(&self) -> u64 {
        self.roster.version()
    }

    /// The clock of the rows' moments, in ms since the Unix epoch, after it followed a step of the machine's.
    pub(crate) fn settled_wall_ms(&mut self, now: Now) -> u64 {
        self.roster.settle(now);
        self.roster.wall_ms(now)
    }

    /// Visits this gateway's own rows: key on the wire, number, text. The row of number 0 is that of the gateway
    /// itself.
    pub(crate) fn each_own_row(&mut self, now: Now, visit: impl FnMut(&str, u64, &str)) {
        self.roster.each_text(now, visit);
    }
}
