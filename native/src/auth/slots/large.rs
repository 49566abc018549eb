//! Places of sockets that send a large message before their handshake is done.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Slot;

/// Most of these places.
const LARGE_HANDSHAKES: usize = 16;
/// Most of them that one address has.
const LARGE_PER_ADDRESS: usize = LARGE_HANDSHAKES / 4;
/// How long the rest of the message may take once its socket has a place, in ms.
pub(crate) const LARGE_MS: u64 = 2_000;

/// One of these places; given back when dropped.
#[derive(Debug)]
pub(crate) struct LargePlace {
    _of_address: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

pub(super) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(LARGE_HANDSHAKES))
}

impl Slot {
    /// Waits for a place, behind those of the same address that came earlier. It never comes to a socket that
    /// was evicted.
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
