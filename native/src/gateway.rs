//! The gateway as a value: bind, run, stop.

mod running;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use presence_core::fleet::{NameError, validate_names};
use presence_core::server::{Hub, HubConfig};
use prometheus_client::metrics::counter::Counter;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use crate::auth::secret::AuthMode;
use crate::auth::throttle::GuessLimiter;
use crate::auth::tokens::Tokens;
use crate::clock::Clock;
#[cfg(feature = "cluster")]
use crate::cluster;
use crate::config::{GatewayConfig, InvalidConfig};
use crate::conn::{Event, MAX_EVENTS, Shared};
use crate::driver::Driver;
use crate::feed::Feed;
use crate::identity;
use crate::metrics::{ByToken, Metrics};
use crate::net::accept::accept_all;
use crate::net::listen::{ListenError, adopt, listen, listen_at, only_loopback};
use crate::net::metrics;
#[cfg(feature = "cli")]
use crate::recording::RecordTo;
use crate::recording::Tap;
#[cfg(feature = "webhook")]
use crate::webhook;

pub use self::running::RunningGateway;

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It cannot listen.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Other machines could connect without a secret.
    #[error("refusing to listen beyond this machine without a secret: set a token or a password")]
    NoSecret,
    /// A setting is out of bounds or has no effect.
    #[error("invalid configuration: {0}")]
    Setting(#[from] InvalidConfig),
    /// A name of an observed gateway is wrong.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The system provides no randomness.
    #[error("cannot get random numbers from the system: {0}")]
    Random(#[from] getrandom::Error),
}

/// A gateway that listens but does not serve yet.
#[derive(Debug)]
pub struct Gateway {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    /// The listener of the thread that answers metrics.
    scrapes: Option<std::net::TcpListener>,
    config: GatewayConfig,
    hash_seed: u64,
    boot_id: Box<str>,
    limiter: GuessLimiter,
    reload_failures: Counter,
    events: (mpsc::Sender<Event>, mpsc::Receiver<Event>),
}

impl Gateway {
    /// Listens as configured. Like everything here it needs a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`]: a setting is wrong, the port is taken, or other machines could connect without a
    /// secret.
    pub fn bind(config: GatewayConfig) -> Result<Self, StartError> {
        let is_local = config.bind.is_loopback();
        check(&config, is_local)?;
        let listeners = listen(config.bind, config.port)?;
        Self::new(config, listeners)
    }

    /// Uses sockets that listen already, such as those of a service manager, in place of `bind` and `port`.
    ///
    /// # Errors
    /// [`StartError`]: a setting is wrong, there is no socket or one cannot be used, or other machines could connect
    /// without a secret.
    pub fn adopt(config: GatewayConfig, sockets: Vec<std::net::TcpListener>) -> Result<Self, StartError> {
        check(&config, only_loopback(&sockets))?;
        Self::new(config, adopt(sockets)?)
    }

    fn new(config: GatewayConfig, listeners: Vec<TcpListener>) -> Result<Self, StartError> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)?;
        let mut limiter_key = [0; 32];
        getrandom::fill(&mut limiter_key)?;
        let addresses = listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect();
        let scrapes = config.metrics_bind.map(listen_at).transpose()?;
        let events = mpsc::channel(MAX_EVENTS);
        Ok(Self {
            listeners,
            addresses,
            scrapes,
            config,
            hash_seed: u64::from_ne_bytes(seed),
            boot_id: uuid::Uuid::new_v4().to_string().into(),
            limiter: GuessLimiter::new(limiter_key),
            reload_failures: Counter::default(),
            events,
        })
    }

    /// Listens and serves in the background of the current runtime.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use presence_gateway::{Clock, Gateway, GatewayConfig};
    /// let gateway = Gateway::start(GatewayConfig::ephemeral(), Clock::system())?;
    /// println!("clients connect to {}", gateway.url());
    /// gateway.shutdown().await;
    /// # Ok::<(), presence_gateway::StartError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`bind`](Self::bind).
    pub fn start(config: GatewayConfig, clock: Clock) -> Result<RunningGateway, StartError> {
        let gateway = Self::bind(config)?;
        let addresses = gateway.addresses.clone();
        let metrics_address = gateway.metrics_address();
        let scheme = gateway.config.tls.as_ref().map_or("ws", |_| "wss");
        let driver = gateway.events.0.downgrade();
        let feeds = gateway.feeds();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(gateway.run(clock, async {
            // A dropped handle stops the gateway too.
            let _ = stopped.await;
        }));
        Ok(RunningGateway {
            addresses,
            metrics_address,
            scheme,
            driver,
            feeds,
            stop,
            task,
        })
    }

    /// The addresses it listens on, at least one, with the actual port.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The address at which a separate thread answers metrics, with the actual port.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.scrapes
            .as_ref()
            .and_then(|listener| listener.local_addr().ok())
    }

    /// The `server.bootId` of this run of the gateway.
    #[must_use]
    pub fn boot_id(&self) -> &str {
        &self.boot_id
    }

    /// The feeds for the rows of the observed gateways, in the order of their names.
    #[must_use]
    pub fn feeds(&self) -> Vec<Feed> {
        Feed::all(self.config.observed.len(), &self.events.0)
    }

    /// Records to these files, in place of `config.record`. Their bounds are checked already.
    #[cfg(feature = "cli")]
    pub(crate) fn record_to(&mut self, record: RecordTo) {
        self.config.record = Some(record);
    }

    /// Counts files that could not be read again.
    #[cfg(feature = "cli")]
    pub(crate) fn reload_failures(&self) -> Counter {
        self.reload_failures.clone()
    }

    /// Serves until `shutdown` completes. Then announces the end to every client and waits for them to leave, for at
    /// most the configured time.
    pub async fn run(self, clock: Clock, shutdown: impl Future<Output = ()>) {
        let (events, received) = self.events;
        let drain = Duration::from_millis(self.config.drain_ms);
        let (stop, stopping) = watch::channel(false);
        #[cfg(any(feature = "cluster", feature = "webhook"))]
        let boot_id = self.boot_id.clone();
        let hub_config = hub_config(&self.config, self.hash_seed, self.boot_id);
        let began = clock.now();
        let tap = self.config.record.clone().and_then(|to| {
            Tap::start(to, &hub_config, began)
                .inspect_err(|error| warn!(%error, "nothing is recorded"))
                .ok()
        });
        let mut hub = Hub::new(hub_config, began);
        // The names are checked already.
        let _ = hub.observe(self.config.observed.clone(), clock.now());
        let is_metered = self.config.metrics || self.scrapes.is_some();
        let metrics = is_metered.then(|| {
            let metrics = metrics_of(&self.config, began.wall_ms);
            Arc::new(metrics.with_reload_failures(self.reload_failures))
        });
        let driver = Driver::new(hub, clock.clone(), received, tap).with_metrics(metrics.clone());
        #[cfg(feature = "history")]
        let (history_degraded, is_history_degraded) = watch::channel(None);
        #[cfg(feature = "history")]
        let driver = match self.config.history.clone() {
            Some(config) => {
                let driver_events = events.downgrade();
                let reply = move |conn, frame| {
                    // Without a driver there are no connections.
                    if let Some(events) = driver_events.upgrade() {
                        let _ = events.blocking_send(Event::Answer(conn, Box::new(frame)));
                    }
                };
                driver.with_history(config, history_degraded, Box::new(reply))
            }
            None => driver,
        };
        #[cfg(feature = "webhook")]
        let (driver, hook) = match self.config.webhook.clone() {
            None => (driver, None),
            Some(config) => {
                let (driver, events) =
                    driver.with_webhook(config.grace_ms, self.config.max_entries, &boot_id);
                let (url, stopping) = (config.shown(), stopping.clone());
                let client = webhook::Client::new(config, clock.clone());
                let delivery = webhook::Delivery::start(client, events, stopping, url, metrics.clone());
                (driver, Some(delivery))
            }
        };
        #[cfg_attr(
            not(feature = "cluster"),
            expect(unused_variables, reason = "only a fleet degrades a gateway")
        )]
        let (degraded, is_degraded) = watch::channel(None);
        #[cfg(feature = "cluster")]
        let (driver, fleet) = match self.config.cluster.clone() {
            None => (driver, None),
            Some(config) => {
                let (outputs, port_outputs) = mpsc::channel(cluster::MAX_OUTPUTS);
                let driver = driver.join_fleet(&config.name, &boot_id, outputs);
                let port = cluster::Port {
                    events: events.downgrade(),
                    outputs: port_outputs,
                    degraded,
                    stopping: stopping.clone(),
                };
                (driver, Some(tokio::spawn(cluster::run(config, boot_id, port))))
            }
        };
        let expiries = end_expired(self.config.tokens.clone(), clock.clone());
        let offset = driver.stated_offset_ms();
        let mut driver = tokio::spawn(driver.run());
        let shared = Shared::new(
            self.config,
            self.limiter,
            &self.addresses,
            clock,
            offset,
            stopping,
            vec![
                is_degraded,
                #[cfg(feature = "history")]
                is_history_degraded,
            ],
        );
        let shared = Arc::new(shared.with_metrics(metrics));
        if let Some(listener) = self.scrapes {
            metrics::start(listener, Arc::clone(&shared));
        }
        tokio::select! {
            () = accept_all(&self.listeners, &shared, &events) => {}
            () = shutdown => {}
            () = expiries => {}
            // While `events` exists the driver ends only by a panic, which the panic hook reports.
            _ = &mut driver => return error!("the driver is gone: stopped"),
        }
        drop(self.listeners);
        // Without receivers there are no connections.
        let _ = stop.send(true);
        let deadline = tokio::time::Instant::now() + drain;
        #[cfg(feature = "cluster")]
        if let Some(fleet) = fleet {
            // It gives its lease up, which takes as long as the server takes. Clients need the rest of the time.
            let _ = tokio::time::timeout(drain / 2, fleet).await;
        }
        let _ = events.send(Event::Shutdown("gateway stopping")).await;
        // The driver ends when the last connection is gone.
        drop(events);
        if tokio::time::timeout_at(deadline, &mut driver).await.is_err() {
            warn!(
                connections = shared.slots.connections(),
                "connections left behind after the time to drain"
            );
            driver.abort();
        }
        #[cfg(feature = "webhook")]
        if let Some(hook) = hook {
            hook.finish(deadline).await;
        }
        shared.lines.flush_all();
        info!("stopped");
    }
}

/// Closes connections when their named tokens expire; never returns.
async fn end_expired(tokens: Option<Tokens>, clock: Clock) {
    /// The wall clock can be corrected, so it is read again after this time.
    const RECHECK_MS: u64 = 60_000;

    let Some(tokens) = tokens else {
        return std::future::pending().await;
    };
    loop {
        let now = clock.now();
        let wait_ms = tokens
            .end_expired(now)
            .saturating_sub(now.wall_ms)
            .min(RECHECK_MS);
        tokio::select! {
            () = clock.sleep_until(now.age_ms.saturating_add(wait_ms)) => {}
            () = tokens.replaced() => {}
        }
    }
}

fn metrics_of(config: &GatewayConfig, started_ms: u64) -> Metrics {
    let metrics = Metrics::new(started_ms);
    match config.tokens.clone() {
        Some(tokens) => metrics.with_tokens(ByToken::new(move || tokens.connections())),
        None => metrics,
    }
}

/// `is_local`: only this machine can connect.
fn check(config: &GatewayConfig, is_local: bool) -> Result<(), StartError> {
    config.validate()?;
    validate_names(&config.observed)?;
    if config.auth == AuthMode::None && !is_local {
        return Err(StartError::NoSecret);
    }
    Ok(())
}

fn hub_config(config: &GatewayConfig, hash_seed: u64, boot_id: Box<str>) -> HubConfig {
    HubConfig {
        limits: config.limits.clone(),
        ttl_ms: config.ttl_ms,
        max_entries: config.max_entries,
        ephemeral_modes: config
            .ephemeral_modes
            .iter()
            .map(|mode| mode.trim().to_lowercase().into())
            .collect(),
        hash_seed,
        server_version: config.version.clone(),
        boot_id,
        self_entry: config
            .self_entry
            .clone()
            .unwrap_or_else(|| identity::self_entry(&config.version)),
        auth_mode: config.auth.as_str(),
    }
}
