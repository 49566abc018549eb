//! The source of a row.

use alloc::sync::Arc;

/// A source, in order of precedence: observed gateways in the order of their options, then peers by name,
/// which is the same order at all gateways of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    /// Place among the options; that of a peer is [`PEER_RANK`].
    rank: u8,
    pub(super) name: Arc<str>,
}

impl Origin {
    pub(super) fn is_peer(&self) -> bool {
        self.rank == PEER_RANK
    }

    pub(super) fn observed(place: u8, name: &str) -> Self {
        Self {
            rank: place,
            name: name.into(),
        }
    }

    #[cfg(feature = "cluster")]
    pub(super) fn peer(name: &str) -> Self {
        Self {
            rank: PEER_RANK,
            name: name.into(),
        }
    }
}

/// After all observed gateways.
const PEER_RANK: u8 = u8::MAX;
