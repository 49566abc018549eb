//! The number of sockets, and the silent ones among them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

use super::State;

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) connections: usize,
    pub(super) unauthenticated: usize,
    pub(super) downloads: usize,
    pub(super) shares: HashMap<IpAddr, Share>,
    /// The sockets that can be evicted, longest silent first.
    pub(super) silent: BTreeMap<u64, Silent>,
    next_number: u64,
}

/// The sockets of one address.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub(super) connections: usize,
    pub(super) unauthenticated: usize,
    pub(super) downloads: usize,
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
    pub(super) fn add(&mut self, network: IpAddr) {
        self.connections += 1;
        self.unauthenticated += 1;
        let share = self.shares.entry(network).or_default();
        share.connections += 1;
        share.unauthenticated += 1;
    }

    pub(super) fn fall_silent(&mut self, network: IpAddr, now_ms: u64) -> State {
        let number = self.next_number;
        self.next_number += 1;
        let eviction = Arc::new(Notify::new());
        let silent = Silent {
            network,
            since_ms: now_ms,
            eviction: Arc::clone(&eviction),
        };
        self.silent.insert(number, silent);
        self.shares.entry(network).or_default().silent.insert(number);
        State::Silent { number, eviction }
    }

    /// Ends the silence; `None` if the socket was evicted.
    pub(super) fn speak(&mut self, number: u64) -> Option<Silent> {
        let silent = self.silent.remove(&number)?;
        if let Some(share) = self.shares.get_mut(&silent.network) {
            share.silent.remove(&number);
        }
        Some(silent)
    }

    pub(super) fn remove_unauthenticated(&mut self, network: IpAddr) {
        self.unauthenticated -= 1;
        if let Some(share) = self.shares.get_mut(&network) {
            share.unauthenticated -= 1;
        }
    }

    pub(super) fn remove_download(&mut self, network: IpAddr) {
        self.downloads -= 1;
        if let Some(share) = self.shares.get_mut(&network) {
            share.downloads -= 1;
        }
    }

    pub(super) fn remove(&mut self, network: IpAddr) {
        self.connections -= 1;
        if let Some(share) = self.shares.get_mut(&network) {
            share.connections -= 1;
            if share.connections == 0 {
                self.shares.remove(&network);
            }
        }
    }
}
