//! The number of sockets, and the silent ones among them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

use super::State;

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) all: Tally,
    pub(super) shares: HashMap<IpAddr, Share>,
    /// The sockets that can be evicted, longest silent first.
    pub(super) silent: BTreeMap<u64, Silent>,
    next_number: u64,
}

/// The position of a socket in the order of evictions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    number: u64,
    since_ms: u64,
}

/// Sockets by what they count as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) connections: usize,
    pub(super) unauthenticated: usize,
    pub(super) downloads: usize,
}

impl Tally {
    fn replace(&mut self, old: Self, new: Self) {
        self.connections = self.connections + new.connections - old.connections;
        self.unauthenticated = self.unauthenticated + new.unauthenticated - old.unauthenticated;
        self.downloads = self.downloads + new.downloads - old.downloads;
    }
}

/// The sockets of one address.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) tally: Tally,
    pub(super) silent: BTreeSet<u64>,
    /// Its permits for large messages, once it needed one.
    pub(super) large: Option<Arc<Semaphore>>,
}

#[derive(Debug)]
pub(super) struct Silent {
    pub(super) network: IpAddr,
    pub(super) since_ms: u64,
    pub(super) eviction: Arc<Notify>,
}

impl Counts {
    /// Counts a socket of the network as `new` instead of `old`.
    pub(super) fn change(&mut self, network: IpAddr, old: Tally, new: Tally) {
        self.all.replace(old, new);
        let share = self.shares.entry(network).or_default();
        share.tally.replace(old, new);
        if share.tally.connections == 0 {
            self.shares.remove(&network);
        }
    }

    /// The last position.
    pub(super) fn last_position(&mut self, now_ms: u64) -> Position {
        let number = self.next_number;
        self.next_number += 1;
        Position {
            number,
            since_ms: now_ms,
        }
    }

    pub(super) fn begin_silence(&mut self, network: IpAddr, position: Position) -> State {
        let Position { number, since_ms } = position;
        let eviction = Arc::new(Notify::new());
        let silent = Silent {
            network,
            since_ms,
            eviction: Arc::clone(&eviction),
        };
        self.silent.insert(number, silent);
        self.shares.entry(network).or_default().silent.insert(number);
        State::Silent { number, eviction }
    }

    /// Ends the silence; `None` if the socket was evicted.
    pub(super) fn end_silence(&mut self, number: u64) -> Option<Silent> {
        let silent = self.silent.remove(&number)?;
        if let Some(share) = self.shares.get_mut(&silent.network) {
            share.silent.remove(&number);
        }
        Some(silent)
    }
}
