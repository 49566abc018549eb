//! State of the gateway that all connections share.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ipnet::IpNet;
use presence_core::Now;
use presence_core::server::MIN_VISITOR;
use presence_core::wire::Limits;
use tokio::sync::{Semaphore, watch};

use super::budget::{LARGE_TEXTS, message_bytes};
use super::parting::Parting;
use super::pool::{Pool, UNDELIVERED_BYTES, UNFINISHED_BYTES};
use crate::auth::admission::Admission;
use crate::auth::proxy::{TrustedProxies, is_loopback};
use crate::auth::slots::Slots;
use crate::auth::throttle::{Bucket, GuessLimiter};
use crate::clock::Clock;
use crate::config::GatewayConfig;
use crate::identity;
use crate::log::{Lines, OncePerMinute};
use crate::metrics::Metrics;

/// State of the gateway that all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: GatewayConfig,
    pub(crate) limits: Arc<Limits>,
    pub(crate) clock: Clock,
    pub(crate) admission: Admission,
    pub(crate) proxies: TrustedProxies,
    pub(crate) slots: Arc<Slots>,
    pub(crate) parting: Parting,
    /// The permits to handle a large text.
    pub(crate) large_texts: Semaphore,
    /// Incomplete messages of accepted clients.
    pub(super) unfinished: Arc<Pool>,
    /// Undelivered responses.
    pub(super) undelivered: Arc<Pool>,
    pub(crate) log: RareLines,
    /// Bounds the lines about single connections.
    pub(crate) lines: Arc<Lines>,
    /// The metrics, if they are on.
    pub(crate) metrics: Option<Arc<Metrics>>,
    /// The name of this machine.
    pub(crate) host: Box<str>,
    pub(crate) port: u16,
    started_ms: u64,
    /// How far the roster's clock is ahead of the age clock; the driver keeps it.
    stated_offset_ms: Arc<AtomicU64>,
    stopping: watch::Receiver<bool>,
    /// Hashes visitors' addresses to numbers that do not reveal them.
    visitors: RandomState,
    /// Why the gateway is degraded, if it is: for each part that can be.
    degraded: Vec<watch::Receiver<Option<Arc<str>>>>,
}

/// Bounds log lines that any client can cause.
#[derive(Debug, Default)]
pub(crate) struct RareLines {
    pub(crate) accept: OncePerMinute,
    pub(crate) evicted: OncePerMinute,
    pub(crate) proxy: OncePerMinute,
    pub(crate) user: OncePerMinute,
}

impl Shared {
    pub(crate) fn new(
        config: GatewayConfig,
        limiter: GuessLimiter,
        addresses: &[SocketAddr],
        clock: Clock,
        stated_offset_ms: Arc<AtomicU64>,
        stopping: watch::Receiver<bool>,
        degraded: Vec<watch::Receiver<Option<Arc<str>>>>,
    ) -> Self {
        let has_one_address = has_one_address(addresses, &config.trusted_proxies);
        let port = addresses.first().map_or(config.port, SocketAddr::port);
        // A message of the size that the configuration permits has room.
        let unfinished_bytes = UNFINISHED_BYTES.max(message_bytes(config.limits.payload_bytes));
        Self {
            limits: Arc::new(config.limits.clone()),
            admission: Admission::new(
                config.auth.clone(),
                config.tokens.clone(),
                config.allowed_origins.clone(),
                limiter,
            ),
            proxies: TrustedProxies::new(&config.trusted_proxies),
            slots: Slots::new(config.slots, has_one_address),
            parting: Parting::default(),
            large_texts: Semaphore::new(LARGE_TEXTS),
            unfinished: Pool::new(unfinished_bytes),
            undelivered: Pool::new(UNDELIVERED_BYTES),
            log: RareLines::default(),
            lines: Arc::default(),
            metrics: None,
            host: identity::hostname().into(),
            port,
            started_ms: clock.now().age_ms,
            stated_offset_ms,
            clock,
            config,
            stopping,
            visitors: RandomState::new(),
            degraded,
        }
    }

    /// Counts for these metrics.
    pub(crate) fn with_metrics(self, metrics: Option<Arc<Metrics>>) -> Self {
        Self { metrics, ..self }
    }

    /// Whether the gateway stops.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Why the gateway is degraded, if it is.
    pub(crate) fn degraded(&self) -> Option<String> {
        let reasons: Vec<Arc<str>> = self
            .degraded
            .iter()
            .filter_map(|part| part.borrow().clone())
            .collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// Waits until the gateway stops.
    pub(crate) async fn stopping(&self) {
        // Without a sender the gateway has stopped.
        let _ = self.stopping.clone().wait_for(|is_stopping| *is_stopping).await;
    }

    /// Returns the time with the roster's wall clock, which all stated times are on.
    pub(crate) fn stated_now(&self) -> Now {
        let now = self.clock.now();
        let wall_ms = now
            .age_ms
            .wrapping_add(self.stated_offset_ms.load(Ordering::Relaxed));
        Now { wall_ms, ..now }
    }

    /// The number that the visits from these clients share.
    pub(crate) fn visitor(&self, bucket: Bucket) -> u64 {
        MIN_VISITOR + self.visitors.hash_one(bucket) % MIN_VISITOR
    }

    pub(crate) fn uptime_ms(&self) -> u64 {
        self.clock.now().age_ms.saturating_sub(self.started_ms)
    }
}

/// Whether all clients have one address: that of this machine. A trusted proxy states those of its clients.
fn has_one_address(addresses: &[SocketAddr], trusted_proxies: &[IpNet]) -> bool {
    trusted_proxies.is_empty() && addresses.iter().all(|address| is_loopback(address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The addresses are those of the sockets, which may be of a service manager, and not those of `--bind`.
    #[test]
    fn clients_have_one_address_if_only_this_machine_can_connect() {
        let sockets = |texts: &[&str]| -> Vec<SocketAddr> {
            let address = |text: &&str| text.parse().unwrap();
            texts.iter().map(address).collect()
        };
        let local = sockets(&["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"]);
        assert!(has_one_address(&local, &[]));
        assert!(!has_one_address(&local, &["127.0.0.0/8".parse().unwrap()]));
        for other in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1"] {
            assert!(
                !has_one_address(&sockets(&["127.0.0.1:1", other]), &[]),
                "{other}"
            );
        }
    }
}
