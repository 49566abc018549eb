//! How many sockets there may be: in all, before the handshake is done, and per address (SPEC 2). When places are
//! scarce, the socket that was silent the longest gives up its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use presence_core::setting::{InvalidSetting, count, within};
use tokio::sync::Notify;

/// How long a socket may be silent while more than half of the places before the handshake are taken, in ms.
pub const PATIENCE_MS: u64 = 3_000;
/// Most sockets that a new one makes pay for that: their number does not depend on how many there are.
const MAX_IMPATIENT: usize = 2;

/// Bounds on sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotLimits {
    /// Most sockets in all. The last quarter is not for an address that has half of all places.
    pub connections: usize,
    /// Most sockets whose handshake is not done, in all.
    pub unauthenticated: usize,
    /// Most such sockets of one client address. Of addresses that many clients share (see [`Address`])
    /// this holds only while at least half of the places of all are taken.
    pub unauthenticated_per_address: usize,
}

impl SlotLimits {
    /// Checks that each bound lets one socket in.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the one that does not.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        for (name, number) in [
            ("slots.connections", self.connections),
            ("slots.unauthenticated", self.unauthenticated),
            (
                "slots.unauthenticated_per_address",
                self.unauthenticated_per_address,
            ),
        ] {
            within(name, count(number), 1..=u64::MAX)?;
        }
        Ok(())
    }
}

impl Default for SlotLimits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            unauthenticated: 2_048,
            unauthenticated_per_address: 32,
        }
    }
}

/// Why a socket is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No more connections, in all or from this address.
    #[error("Too many connections")]
    Connections,
    /// Too many handshakes at once, in all or from this address.
    #[error("Too many unauthenticated sockets")]
    Unauthenticated,
}

/// Whom a socket is counted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The client's address, or the network it can choose its address in: see
    /// [`network`](crate::proxy::network).
    pub network: IpAddr,
    /// Many clients come from it that have nothing to do with each other: loopback, a trusted proxy. They
    /// would shut each other out.
    pub is_shared: bool,
}

/// Counts sockets.
#[derive(Debug)]
pub struct Slots {
    limits: SlotLimits,
    counts: Mutex<Counts>,
    evictions: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    unauthenticated: usize,
    shares: HashMap<IpAddr, Share>,
    /// The sockets that can be evicted, by the number of the last useful thing they did.
    silent: BTreeMap<u64, Silent>,
    next_number: u64,
}

/// The sockets of one address.
#[derive(Debug, Default)]
struct Share {
    connections: usize,
    unauthenticated: usize,
    silent: BTreeSet<u64>,
}

#[derive(Debug)]
struct Silent {
    network: IpAddr,
    since_ms: u64,
    eviction: Arc<Notify>,
}

/// The place of one socket; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    address: Address,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The gateway waits for its request or its `connect`.
    Silent {
        number: u64,
        eviction: Arc<Notify>,
    },
    /// The gateway works for it, and the handshake is not done.
    Busy,
    Authenticated,
    /// Without a place.
    Released,
}

impl Slots {
    /// None taken.
    #[must_use]
    pub fn new(limits: SlotLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            counts: Mutex::default(),
            evictions: AtomicU64::new(0),
        })
    }

    /// Takes a place for a new socket, at this time on the age clock.
    ///
    /// # Errors
    /// [`Refused`] when a bound is reached and no silent socket can go in its stead.
    pub fn take(self: &Arc<Self>, address: Address, now_ms: u64) -> Result<Slot, Refused> {
        let mut counts = self.counts();
        self.evict_impatient(&mut counts, now_ms);
        self.make_room(&mut counts, address)?;
        if counts.connections >= self.limits.connections && !self.evict_oldest(&mut counts) {
            return Err(Refused::Connections);
        }
        if counts.unauthenticated >= self.limits.unauthenticated && !self.evict_oldest(&mut counts) {
            return Err(Refused::Unauthenticated);
        }
        counts.add(address.network);
        let state = counts.fall_silent(address.network, now_ms);
        drop(counts);
        Ok(Slot {
            slots: Arc::clone(self),
            address,
            state,
        })
    }

    /// Sockets now, in all.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counts().connections
    }

    /// Sockets now whose handshake is not done.
    #[must_use]
    pub fn unauthenticated(&self) -> usize {
        self.counts().unauthenticated
    }

    /// Whether a socket had to go for another since that was last asked.
    #[must_use]
    pub fn has_evictions(&self) -> bool {
        self.evictions.load(Ordering::Relaxed) > 0
    }

    /// How many sockets had to go for others since the last time this was asked.
    pub fn take_evictions(&self) -> u64 {
        self.evictions.swap(0, Ordering::Relaxed)
    }

    /// The share of the address has room for one more, if need be by its own oldest silent socket.
    fn make_room(&self, counts: &mut Counts, address: Address) -> Result<(), Refused> {
        let Some(share) = counts.shares.get(&address.network) else {
            return Ok(());
        };
        let limits = &self.limits;
        let is_full = share.unauthenticated >= limits.unauthenticated_per_address;
        if is_full && !address.is_shared {
            return Err(Refused::Unauthenticated);
        }
        let has_too_many = share.connections >= limits.connections.div_ceil(2)
            && counts.connections >= limits.connections - limits.connections / 4;
        let is_scarce = counts.unauthenticated >= limits.unauthenticated.div_ceil(2);
        if (has_too_many || is_full && is_scarce) && !self.evict_oldest_of(counts, address.network) {
            return Err(if has_too_many {
                Refused::Connections
            } else {
                Refused::Unauthenticated
            });
        }
        Ok(())
    }

    /// While places are scarce, sockets are not let be silent as long as otherwise.
    fn evict_impatient(&self, counts: &mut Counts, now_ms: u64) {
        for _ in 0..MAX_IMPATIENT {
            let is_impatient = counts.unauthenticated > self.limits.unauthenticated / 2
                && counts
                    .silent
                    .first_key_value()
                    .is_some_and(|(_, silent)| silent.since_ms.saturating_add(PATIENCE_MS) <= now_ms);
            if !is_impatient {
                return;
            }
            self.evict_oldest(counts);
        }
    }

    fn evict_oldest(&self, counts: &mut Counts) -> bool {
        let oldest = counts.silent.first_key_value().map(|(number, _)| *number);
        self.evict(counts, oldest)
    }

    fn evict_oldest_of(&self, counts: &mut Counts, network: IpAddr) -> bool {
        let share = counts.shares.get(&network);
        let oldest = share.and_then(|share| share.silent.first().copied());
        self.evict(counts, oldest)
    }

    fn evict(&self, counts: &mut Counts, number: Option<u64>) -> bool {
        let Some(silent) = number.and_then(|number| counts.speak(number)) else {
            return false;
        };
        counts.remove_unauthenticated(silent.network);
        counts.remove(silent.network);
        silent.eviction.notify_one();
        self.evictions.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, network: IpAddr) {
        self.connections += 1;
        self.unauthenticated += 1;
        let share = self.shares.entry(network).or_default();
        share.connections += 1;
        share.unauthenticated += 1;
    }

    fn fall_silent(&mut self, network: IpAddr, now_ms: u64) -> State {
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

    /// `None`: it was evicted.
    fn speak(&mut self, number: u64) -> Option<Silent> {
        let silent = self.silent.remove(&number)?;
        if let Some(share) = self.shares.get_mut(&silent.network) {
            share.silent.remove(&number);
        }
        Some(silent)
    }

    fn remove_unauthenticated(&mut self, network: IpAddr) {
        self.unauthenticated -= 1;
        if let Some(share) = self.shares.get_mut(&network) {
            share.unauthenticated -= 1;
        }
    }

    fn remove(&mut self, network: IpAddr) {
        self.connections -= 1;
        if let Some(share) = self.shares.get_mut(&network) {
            share.connections -= 1;
            if share.connections == 0 {
                self.shares.remove(&network);
            }
        }
    }
}

impl Slot {
    /// Counts the socket under the client's address, once a proxy has named it.
    ///
    /// # Errors
    /// [`Refused`] when that address has too many; the place is given back.
    pub fn attribute(&mut self, address: Address, now_ms: u64) -> Result<(), Refused> {
        if address == self.address {
            return Ok(());
        }
        self.release();
        *self = self.slots.take(address, now_ms)?;
        Ok(())
    }

    /// Waits until the place is needed for somebody else, if it can be: while the socket is silent.
    pub fn eviction(&self) -> impl Future<Output = ()> + use<> {
        let eviction = match &self.state {
            State::Silent { eviction, .. } => Some(Arc::clone(eviction)),
            _ => None,
        };
        async move {
            match eviction {
                Some(eviction) => eviction.notified().await,
                None => std::future::pending().await,
            }
        }
    }

    /// Whether its place went to somebody else.
    #[must_use]
    pub fn is_evicted(&self) -> bool {
        match &self.state {
            State::Silent { number, .. } => !self.slots.counts().silent.contains_key(number),
            _ => false,
        }
    }

    /// The socket did something useful: the gateway works for it now. If its place went to somebody else before
    /// that was seen, it gets another.
    ///
    /// # Errors
    /// [`Refused`] when there is none.
    pub fn busy(&mut self, now_ms: u64) -> Result<(), Refused> {
        if self.is_evicted() {
            *self = self.slots.take(self.address, now_ms)?;
        }
        if let State::Silent { number, .. } = self.state {
            self.slots.counts().speak(number);
            self.state = State::Busy;
        }
        Ok(())
    }

    /// The gateway waits for the socket again.
    pub fn silent(&mut self, now_ms: u64) {
        if matches!(self.state, State::Busy) {
            self.state = self.slots.counts().fall_silent(self.address.network, now_ms);
        }
    }

    /// The handshake is done, for which the gateway worked.
    pub fn authenticated(&mut self) {
        if matches!(self.state, State::Busy) {
            self.slots.counts().remove_unauthenticated(self.address.network);
            self.state = State::Authenticated;
        }
    }

    /// Gives the place back, though the socket may take a while to close.
    pub fn release(&mut self) {
        let mut counts = self.slots.counts();
        let (has_place, is_authenticated) = match self.state {
            State::Silent { number, .. } => (counts.speak(number).is_some(), false),
            State::Busy => (true, false),
            State::Authenticated => (true, true),
            State::Released => (false, false),
        };
        if has_place {
            if !is_authenticated {
                counts.remove_unauthenticated(self.address.network);
            }
            counts.remove(self.address.network);
        }
        drop(counts);
        self.state = State::Released;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests;
