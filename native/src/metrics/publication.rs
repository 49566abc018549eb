//! Values that only the driver has: a scrape requests that the driver publishes them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How long a scrape waits for a busy driver. Counted on the runtime's clock, because it does not affect presence.
const WAIT: Duration = Duration::from_millis(20);

/// Requests of scrapes, and the driver's answers.
#[derive(Debug, Default)]
pub(crate) struct Publication {
    is_requested: AtomicBool,
    /// Wakes the driver.
    requests: Notify,
    published: Notify,
}

impl Publication {
    /// Requests that the driver publishes, and waits until it did. If the driver is busy for longer than 20 ms, the
    /// values of the last publication stay.
    pub(crate) async fn refresh(&self) {
        // Registered before the request.
        let published = self.published.notified();
        self.is_requested.store(true, Ordering::Release);
        self.requests.notify_one();
        let _ = tokio::time::timeout(WAIT, published).await;
    }

    /// Waits for a request.
    pub(crate) async fn requested(&self) {
        self.requests.notified().await;
    }

    /// Whether there was a request since the last call.
    pub(crate) fn take_request(&self) -> bool {
        self.is_requested.load(Ordering::Relaxed) && self.is_requested.swap(false, Ordering::Acquire)
    }

    /// Wakes the waiting scrapes after the values are published.
    pub(crate) fn publish(&self) {
        self.published.notify_waiters();
    }
}
