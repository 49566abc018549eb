//! A gateway in the background.

use std::net::SocketAddr;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::conn::Event;
use crate::feed::Feed;

/// A gateway that serves in the background. Dropping it stops the gateway, without waiting.
#[derive(Debug)]
pub struct RunningGateway {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) metrics_address: Option<SocketAddr>,
    pub(super) scheme: &'static str,
    pub(super) driver: mpsc::WeakSender<Event>,
    pub(super) feeds: Vec<Feed>,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) task: JoinHandle<()>,
}

impl RunningGateway {
    /// The first address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// The address at which a separate thread answers metrics, with the actual port.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// The URL for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address())
    }

    /// The feeds for the rows of the observed gateways, in the order of their names.
    #[must_use]
    pub fn feeds(&self) -> &[Feed] {
        &self.feeds
    }

    /// Waits until the hub has handled all input and sent everything due by the clock, except closes, which the
    /// connections send themselves. Returns the hub's next deadline
    /// on `Now::age_ms`: how far a [`Manual`](crate::clock::Manual) clock may be advanced at once without skipping
    /// anything.
    pub async fn settle(&self) -> Option<u64> {
        let driver = self.driver.upgrade()?;
        let (done, settled) = oneshot::channel();
        driver.send(Event::Settle(done)).await.ok()?;
        settled.await.ok()?
    }

    /// Stops the gateway and waits for it: every client gets `shutdown` and a close with 1012.
    pub async fn shutdown(self) {
        drop(self.stop);
        // A panic in the gateway is reported by its own thread.
        let _ = self.task.await;
    }
}
