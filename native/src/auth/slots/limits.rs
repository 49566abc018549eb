//! Bounds on sockets.

use presence_core::model::setting::{InvalidSetting, count, within};

/// Upper bound of [`SlotLimits::downloads`].
const MAX_DOWNLOADS: usize = 256;

/// Bounds on sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotLimits {
    /// Most sockets in all. An address with half of all slots gets none of the last quarter, unless the gateway
    /// serves only its own machine.
    pub max_connections: usize,
    /// Most sockets whose handshake is not done, in all.
    pub max_unauthenticated: usize,
    /// Most such sockets of one client address; a further one evicts the longest silent one. For an address that many
    /// clients share this holds only while at least half of all slots are taken.
    pub max_unauthenticated_per_address: usize,
}

impl SlotLimits {
    /// Checks that each bound admits a socket.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the one that does not.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        for (name, number) in [
            ("slots.max_connections", self.max_connections),
            ("slots.max_unauthenticated", self.max_unauthenticated),
            (
                "slots.max_unauthenticated_per_address",
                self.max_unauthenticated_per_address,
            ),
        ] {
            within(name, count(number), 1..=u64::MAX)?;
        }
        Ok(())
    }

    /// Most sockets that send a body or read a response slowly. They cannot be evicted, so they get only a quarter of
    /// the unauthenticated slots.
    #[must_use]
    pub fn downloads(&self) -> usize {
        (self.max_unauthenticated / 4).clamp(1, MAX_DOWNLOADS)
    }

    /// Most such sockets of one address. An address of one client keeps half of its slots for handshakes, so that its
    /// downloads do not block others behind the same NAT.
    #[must_use]
    pub fn downloads_per_address(&self, is_shared: bool) -> usize {
        let share = self.downloads().div_ceil(4);
        if is_shared {
            share
        } else {
            share.min(self.max_unauthenticated_per_address / 2).max(1)
        }
    }
}

impl Default for SlotLimits {
    fn default() -> Self {
        Self {
            max_connections: 4_096,
            max_unauthenticated: 2_048,
            max_unauthenticated_per_address: 32,
        }
    }
}
