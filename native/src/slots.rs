//! How many sockets there may be: in all, before the handshake is done, and per address (SPEC 2).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use presence_core::setting::{InvalidSetting, count, within};

/// Bounds on sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotLimits {
    /// Most sockets in all.
    pub connections: usize,
    /// Most sockets whose handshake is not done, in all.
    pub unauthenticated: usize,
    /// Most such sockets of one client address.
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
    /// No more connections at all.
    #[error("Too many connections")]
    Connections,
    /// Too many handshakes at once, in all or from this address.
    #[error("Too many unauthenticated sockets")]
    Unauthenticated,
}

/// Counts sockets.
#[derive(Debug)]
pub struct Slots {
    limits: SlotLimits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    unauthenticated: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of one socket; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    is_unauthenticated: bool,
    address: Option<IpAddr>,
}

impl Slots {
    /// None taken.
    #[must_use]
    pub fn new(limits: SlotLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            counts: Mutex::default(),
        })
    }

    /// Takes a place for a new socket.
    ///
    /// # Errors
    /// [`Refused`] when a total is reached.
    pub fn take(self: &Arc<Self>) -> Result<Slot, Refused> {
        let mut counts = self.counts();
        if counts.connections >= self.limits.connections {
            return Err(Refused::Connections);
        }
        if counts.unauthenticated >= self.limits.unauthenticated {
            return Err(Refused::Unauthenticated);
        }
        counts.connections += 1;
        counts.unauthenticated += 1;
        drop(counts);
        Ok(Slot {
            slots: Arc::clone(self),
            is_unauthenticated: true,
            address: None,
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

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Counts the socket under the client's address too, once that is known. Loopback and clients
    /// that cannot be attributed are not counted so: they would shut each other out.
    ///
    /// # Errors
    /// [`Refused`] when the address has too many.
    pub fn count_address(&mut self, address: IpAddr) -> Result<(), Refused> {
        if self.address.is_some() || !self.is_unauthenticated {
            return Ok(());
        }
        let mut counts = self.slots.counts();
        let count = counts.by_address.entry(address).or_insert(0);
        if *count >= self.slots.limits.unauthenticated_per_address {
            return Err(Refused::Unauthenticated);
        }
        *count += 1;
        drop(counts);
        self.address = Some(address);
        Ok(())
    }

    /// The handshake is done.
    pub fn authenticated(&mut self) {
        if self.is_unauthenticated {
            let mut counts = self.slots.counts();
            self.leave_waiting_room(&mut counts);
            drop(counts);
            self.is_unauthenticated = false;
            self.address = None;
        }
    }

    fn leave_waiting_room(&self, counts: &mut Counts) {
        counts.unauthenticated -= 1;
        if let Some(address) = self.address
            && let Some(count) = counts.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&address);
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.slots.counts();
        counts.connections -= 1;
        if self.is_unauthenticated {
            self.leave_waiting_room(&mut counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn places_are_given_back() {
        let slots = Slots::new(SlotLimits {
            connections: 3,
            unauthenticated: 2,
            unauthenticated_per_address: 1,
        });
        let mut first = slots.take().unwrap();
        let second = slots.take().unwrap();
        assert_eq!(slots.take().unwrap_err(), Refused::Unauthenticated);

        first.authenticated();
        first.authenticated();
        let third = slots.take().unwrap();
        assert_eq!(slots.take().unwrap_err(), Refused::Connections);

        drop((first, second, third));
        assert_eq!((slots.connections(), slots.unauthenticated()), (0, 0));
    }

    #[test]
    fn an_address_is_bounded_until_its_handshakes_are_done() {
        let slots = Slots::new(SlotLimits {
            unauthenticated_per_address: 1,
            ..SlotLimits::default()
        });
        let mut first = slots.take().unwrap();
        let mut second = slots.take().unwrap();
        first.count_address(address(1)).unwrap();
        assert_eq!(second.count_address(address(1)), Err(Refused::Unauthenticated));
        second.count_address(address(2)).unwrap();

        first.authenticated();
        let mut third = slots.take().unwrap();
        third.count_address(address(1)).unwrap();
        drop(third);
        drop(second);
        assert!(slots.counts().by_address.is_empty());
    }
}
