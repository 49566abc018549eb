//! Permits for large messages before the handshake is done.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Slot;

/// Number of permits.
const LARGE_HANDSHAKES: usize = 16;
/// Number of permits of one address.
const LARGE_PER_ADDRESS: usize = LARGE_HANDSHAKES / 4;
/// Time limit for the rest of the message once its socket has a permit, in ms.
pub(crate) const LARGE_MS: u64 = 2_000;

/// One of these permits; given back when dropped.
#[derive(Debug)]
pub(crate) struct LargePlace {
    _of_address: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

pub(super) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(LARGE_HANDSHAKES))
}

impl Slot {
    /// Waits for a permit, first of the address, then of all. Never ends for an evicted socket.
    pub(crate) fn large_place(&self) -> impl Future<Output = LargePlace> + use<> {
        let of_all = Arc::clone(&self.slots.large);
        let mut counts = self.slots.counts();
        let share = counts.shares.get_mut(&self.address.network);
        let of_address = share.map(|share| {
            let semaphore = share
                .large
                .get_or_insert_with(|| Arc::new(Semaphore::new(LARGE_PER_ADDRESS)));
            Arc::clone(semaphore)
        });
        async move {
            if let Some(of_address) = of_address
                && let Ok(_of_address) = of_address.acquire_owned().await
                && let Ok(_of_all) = of_all.acquire_owned().await
            {
                return LargePlace { _of_address, _of_all };
            }
            std::future::pending().await
        }
    }
}
