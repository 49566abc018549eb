//! Peers: the other gateways of a fleet, which join and leave (SPEC 7.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::origin::Origin;
use super::source::Source;
use super::{Fleet, MAX_ROWS, MAX_SOURCES, MIN_SOURCE_ROWS, SourceId, wire_key};
use crate::digest::{Digest, of_raw};
use crate::model::RawEntry;
use crate::model::time::Now;
use crate::roster::Roster;

/// Maximum number of peers of a gateway.
pub const MAX_PEERS: usize = 31;

/// The reason why a peer is not listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// An observed gateway has this name.
    #[error("an observed gateway is called '{0}' too")]
    Taken(Box<str>),
    /// The bound on rows has no room for another peer.
    #[error("the fleet has more than {0} other gateways")]
    TooMany(usize),
}

/// Returns the maximum number of peers beside the observed gateways, if each has as many rows as this gateway
/// may have.
pub(super) fn max_peers(max_entries: usize, observed: usize) -> usize {
    let gateways = MAX_ROWS.saturating_sub(max_entries) / max_entries.max(MIN_SOURCE_ROWS);
    gateways.saturating_sub(observed).clamp(1, MAX_PEERS)
}

impl Fleet {
    /// Adds a peer without rows and without a lease.
    ///
    /// # Errors
    /// [`PeerError`] states why the peer is not added.
    pub(crate) fn add_peer(&mut self, name: &str) -> Result<SourceId, PeerError> {
        let origin = Origin::peer(name);
        if let Some((id, source)) = self
            .sources
            .iter()
            .find(|(_, source)| *source.origin().name == *name)
        {
            return match source.is_peer() {
                true => Ok(*id),
                false => Err(PeerError::Taken(name.into())),
            };
        }
        let peers = self.sources.values().filter(|source| source.is_peer()).count();
        // There are more numbers than the maximum number of peers.
        let free = (MAX_SOURCES as u8..u8::MAX)
            .map(SourceId)
            .find(|id| !self.sources.contains_key(id));
        match free.filter(|_| peers < self.max_peers) {
            Some(id) => {
                self.sources.insert(id, Source::peer(origin, self.peer_bounds));
                Ok(id)
            }
            None => Err(PeerError::TooMany(self.max_peers)),
        }
    }

    /// Sets when the lease of a peer ends, on the age clock.
    pub(crate) fn lease(&mut self, id: SourceId, ends_ms: u64, now: Now) {
        if let Some(source) = self.sources.get_mut(&id) {
            self.version += u64::from(source.lease(ends_ms, now));
            self.publish(id);
            self.find_due();
        }
    }

    /// Removes the peers whose lease ended and whose rows have all expired; returns their numbers.
    pub(crate) fn remove_expired_peers(&mut self) -> Vec<SourceId> {
        let is_over = |source: &Source| {
            let info = source.info();
            info.is_peer && !info.is_here && info.rows == 0
        };
        let over = self.sources.iter().filter(|(_, source)| is_over(source));
        let over: Vec<SourceId> = over.map(|(id, _)| *id).collect();
        for id in &over {
            self.sources.remove(id);
        }
        over
    }

    /// Returns the digest of the rows of all gateways of the fleet, by the gateways' names, which is equal at
    /// all of them once no changes are in flight. Rows of observed gateways do not count.
    pub(crate) fn fleet_digest(&self, own_name: &str, roster: &mut Roster, now: Now) -> Digest {
        let mut digest = Digest::default();
        roster.each_text(now, |key, _, text| {
            if let Some(entry) = RawEntry::read(text) {
                digest.add(of_raw(&wire_key(own_name, key), &entry));
            }
        });
        for source in self.sources.values().filter(|source| source.is_peer()) {
            digest.join(source.digest());
        }
        digest
    }
}
