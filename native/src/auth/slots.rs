//! Slots bound the number of sockets: in all, before the handshake is done, and per address (SPEC 2). When slots are
//! scarce, the longest silent socket is evicted.
//!
//! Counters, not semaphores: the permit of a semaphore cannot be revoked.

mod counts;
mod large;
mod limits;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore};

use counts::{Counts, Position, Tally};
pub(crate) use large::{LARGE_MS, LargePlace};
pub use limits::SlotLimits;

/// How long a socket may be silent while more than half of the unauthenticated slots are taken, in ms.
pub const PATIENCE_MS: u64 = 3_000;
/// Maximum number of sockets that a new socket evicts for their silence, which bounds the work.
const MAX_IMPATIENT: usize = 2;

/// Why a socket is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// No more connections, in all or from this address.
    #[error("Too many connections")]
    Connections,
    /// Too many handshakes at once, in all or from this address.
    #[error("Too many unauthenticated sockets")]
    Unauthenticated,
    /// Too many exchanges wait for their clients to send a body or to read the answer, in all or at this address.
    #[error("Too many downloads")]
    Downloads,
}

/// The address that a socket counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The client's address, or the network it can choose its address in: see
    /// [`network`](crate::auth::proxy::network).
    pub network: IpAddr,
    /// Unrelated clients share it (loopback, a trusted proxy), so that a strict bound would make them exclude each
    /// other.
    pub is_shared: bool,
}

/// Counts sockets.
#[derive(Debug)]
pub(crate) struct Slots {
    limits: SlotLimits,
    /// Whether all sockets come from one address, so that nothing has to be left for others.
    has_one_address: bool,
    counts: Mutex<Counts>,
    evictions: AtomicU64,
    /// Places for large messages before the handshake is done.
    large: Arc<Semaphore>,
}

/// The slot of one socket; freed when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    address: Address,
    /// Position in the order of evictions. Plain requests do not change it: otherwise a socket that repeats them would
    /// never be evicted, and others would be.
    position: Position,
    /// Whether a plain request was answered.
    is_answered: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The gateway waits for the socket's request or `connect`.
    Silent {
        number: u64,
        eviction: Arc<Notify>,
    },
    /// The gateway works on its request; the handshake is not done.
    Busy,
    /// The gateway waits for the client to send the rest of a body, or to read a response.
    Downloading,
    Authenticated,
    /// The slot is free again.
    Released,
}

impl State {
    fn tally(&self) -> Tally {
        Tally {
            connections: usize::from(!matches!(self, Self::Released)),
            unauthenticated: usize::from(!matches!(self, Self::Authenticated | Self::Released)),
            downloads: usize::from(matches!(self, Self::Downloading)),
        }
    }
}

impl Slots {
    /// All slots are free.
    pub(crate) fn new(limits: SlotLimits, has_one_address: bool) -> Arc<Self> {
        Arc::new(Self {
            limits,
            has_one_address,
            counts: Mutex::default(),
            evictions: AtomicU64::new(0),
            large: large::places(),
        })
    }

    /// Takes a slot for a new socket, at this time on the age clock.
    ///
    /// # Errors
    /// [`Refused`] when a bound is reached and no silent socket can be evicted.
    pub(crate) fn take(self: &Arc<Self>, address: Address, now_ms: u64) -> Result<Slot, Refused> {
        self.take_at(address, now_ms, None)
    }

    /// Takes a slot; a socket that was answered keeps its position.
    fn take_at(
        self: &Arc<Self>,
        address: Address,
        now_ms: u64,
        kept: Option<Position>,
    ) -> Result<Slot, Refused> {
        let mut counts = self.counts();
        self.evict_impatient(&mut counts, now_ms);
        self.make_room(&mut counts, address)?;
        if counts.all.connections >= self.limits.max_connections && !self.evict_oldest(&mut counts) {
            return Err(Refused::Connections);
        }
        if counts.all.unauthenticated >= self.limits.max_unauthenticated && !self.evict_oldest(&mut counts) {
            return Err(Refused::Unauthenticated);
        }
        counts.change(address.network, Tally::default(), State::Busy.tally());
        let position = kept.unwrap_or_else(|| counts.last_position(now_ms));
        let state = counts.begin_silence(address.network, position);
        drop(counts);
        Ok(Slot {
            slots: Arc::clone(self),
            address,
            position,
            is_answered: kept.is_some(),
            state,
        })
    }

    /// Sockets now, in all.
    pub(crate) fn connections(&self) -> usize {
        self.counts().all.connections
    }

    /// Sockets now whose handshake is not done.
    #[cfg(test)]
    pub(crate) fn unauthenticated(&self) -> usize {
        self.counts().all.unauthenticated
    }

    /// Whether sockets were evicted since the last [`take_evictions`](Self::take_evictions).
    pub(crate) fn has_evictions(&self) -> bool {
        self.evictions.load(Ordering::Relaxed) > 0
    }

    /// Returns the number of sockets evicted since the last call.
    pub(crate) fn take_evictions(&self) -> u64 {
        self.evictions.swap(0, Ordering::Relaxed)
    }

    /// Makes room for one more socket of the address, if necessary by evicting its longest silent one.
    fn make_room(&self, counts: &mut Counts, address: Address) -> Result<(), Refused> {
        let Some(share) = counts.shares.get(&address.network) else {
            return Ok(());
        };
        let limits = &self.limits;
        let has_too_many = !self.has_one_address
            && share.tally.connections >= limits.max_connections.div_ceil(2)
            && counts.all.connections >= limits.max_connections - limits.max_connections / 4;
        let is_bounded =
            !address.is_shared || counts.all.unauthenticated >= limits.max_unauthenticated.div_ceil(2);
        let is_full = is_bounded && share.tally.unauthenticated >= limits.max_unauthenticated_per_address;
        if (has_too_many || is_full) && !self.evict_oldest_of(counts, address.network) {
            return Err(if has_too_many {
                Refused::Connections
            } else {
                Refused::Unauthenticated
            });
        }
        Ok(())
    }

    /// Evicts sockets that were silent for [`PATIENCE_MS`] while slots are scarce.
    fn evict_impatient(&self, counts: &mut Counts, now_ms: u64) {
        for _ in 0..MAX_IMPATIENT {
            let is_impatient = counts.all.unauthenticated > self.limits.max_unauthenticated / 2
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
        let Some(silent) = number.and_then(|number| counts.end_silence(number)) else {
            return false;
        };
        counts.change(silent.network, State::Busy.tally(), Tally::default());
        silent.eviction.notify_one();
        self.evictions.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Counts the socket under the client's address, once a proxy has named it.
    ///
    /// # Errors
    /// [`Refused`] when that address has too many; the slot is freed.
    pub(crate) fn attribute(&mut self, address: Address, now_ms: u64) -> Result<(), Refused> {
        if address == self.address {
            return Ok(());
        }
        if self.is_answered && self.is_evicted() {
            return Err(Refused::Unauthenticated);
        }
        let kept = self.is_answered.then_some(self.position);
        self.release();
        *self = self.slots.take_at(address, now_ms, kept)?;
        Ok(())
    }

    /// Waits until the socket is evicted, which happens only while it is silent.
    pub(crate) fn eviction(&self) -> impl Future<Output = ()> + use<> {
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

    /// Whether the socket was evicted.
    pub(crate) fn is_evicted(&self) -> bool {
        match &self.state {
            State::Silent { number, .. } => !self.slots.counts().silent.contains_key(number),
            _ => false,
        }
    }

    /// Notes that the socket sent a request, on which the gateway works now. A socket that was evicted meanwhile gets
    /// another slot, unless it was answered before.
    ///
    /// # Errors
    /// [`Refused`] when there is no slot.
    pub(crate) fn busy(&mut self, now_ms: u64) -> Result<(), Refused> {
        if self.is_evicted() {
            if self.is_answered {
                return Err(Refused::Unauthenticated);
            }
            *self = self.slots.take(self.address, now_ms)?;
        }
        if let State::Silent { number, .. } = self.state {
            self.slots.counts().end_silence(number);
            self.state = State::Busy;
        }
        Ok(())
    }

    /// The gateway waits for the client to send the rest of a body, or to read a response, up to the next
    /// [`answered`](Self::answered).
    ///
    /// # Errors
    /// [`Refused`] when too many such sockets exist: they cannot be evicted.
    pub(crate) fn downloading(&mut self) -> Result<(), Refused> {
        if !matches!(self.state, State::Busy) {
            return Ok(());
        }
        let mut counts = self.slots.counts();
        let (limits, network) = (&self.slots.limits, self.address.network);
        let of_address = counts
            .shares
            .get(&network)
            .map_or(0, |share| share.tally.downloads);
        if counts.all.downloads >= limits.downloads()
            || of_address >= limits.downloads_per_address(self.address.is_shared)
        {
            return Err(Refused::Downloads);
        }
        counts.change(network, self.state.tally(), State::Downloading.tally());
        drop(counts);
        self.state = State::Downloading;
        Ok(())
    }

    /// A plain request is answered: the gateway waits for the next one.
    pub(crate) fn answered(&mut self) {
        self.is_answered = true;
        self.wait();
    }

    /// A request for a WebSocket is answered: the gateway waits for `connect`.
    pub(crate) fn upgraded(&mut self, now_ms: u64) {
        if !self.is_answered {
            self.position = self.slots.counts().last_position(now_ms);
        }
        self.wait();
    }

    fn wait(&mut self) {
        if matches!(self.state, State::Busy | State::Downloading) {
            let network = self.address.network;
            let mut counts = self.slots.counts();
            counts.change(network, self.state.tally(), State::Busy.tally());
            let silent = counts.begin_silence(network, self.position);
            drop(counts);
            self.state = silent;
        }
    }

    /// The handshake is done.
    pub(crate) fn authenticated(&mut self) {
        if matches!(self.state, State::Busy) {
            let mut counts = self.slots.counts();
            counts.change(
                self.address.network,
                self.state.tally(),
                State::Authenticated.tally(),
            );
            drop(counts);
            self.state = State::Authenticated;
        }
    }

    /// Frees the slot, though the socket may take a while to close.
    pub(crate) fn release(&mut self) {
        let mut counts = self.slots.counts();
        let is_evicted = match self.state {
            State::Silent { number, .. } => counts.end_silence(number).is_none(),
            _ => false,
        };
        if !is_evicted {
            counts.change(self.address.network, self.state.tally(), Tally::default());
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
