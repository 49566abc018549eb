//! A real gateway in this process, real sockets, and a clock that is moved by hand.
//!
//! Gateway and clients share one thread: the gateway runs while the clients wait. So everything that
//! can happen has happened once a client's ping has come back from behind it.

mod sockets;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use presence_core::{Now, PresenceEntry};
use presence_gateway::AllowedOrigins;
use presence_gateway::clock::Manual;
use presence_gateway::{AuthMode as GatewayAuth, Secret};
use presence_gateway::{Gateway, GatewayConfig};
use serde_json::Value;
use tokio::runtime::Runtime;

use self::sockets::Sockets;
use super::Failure;
use super::format::{Auth, AuthMode};
use super::limits::limits;
use super::target::{Opening, Received, Setup, Target};
use crate::fail;

/// The age clock's origin is arbitrary, so it is not 0 here.
const AGE_ORIGIN_MS: u64 = 1_000_000;
/// Real time after which something hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// The mode of the client that reads the list; it makes no row.
const OBSERVER: &str = "vector-observer";

/// The gateway under test.
#[derive(Debug)]
pub struct SocketTarget {
    runtime: Runtime,
    sockets: Sockets,
}

impl SocketTarget {
    /// Runs something on the runtime, gateway and all, for a bounded time.
    fn run<'a, F, R>(&'a mut self, work: impl FnOnce(&'a mut Sockets) -> F) -> Result<R, Failure>
    where
        F: Future<Output = Result<R, Failure>> + 'a,
    {
        let work = work(&mut self.sockets);
        self.runtime.block_on(async {
            match tokio::time::timeout(PATIENCE, work).await {
                Ok(result) => result,
                Err(_) => fail!("nothing happened for {PATIENCE:?}"),
            }
        })
    }
}

impl Target for SocketTarget {
    const NAME: &'static str = "sockets";

    fn start(setup: &Setup) -> Result<Self, Failure> {
        let clock = Manual::new(Now {
            age_ms: AGE_ORIGIN_MS,
            wall_ms: setup.start_wall_ms,
        });
        let config = gateway_config(setup)?;
        let handshake_ms = config.limits.handshake_ms;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let gateway = runtime.block_on(async { Gateway::start(config, clock.clock()) });
        let gateway = gateway.map_err(|error| Failure::new(error.to_string()))?;
        let sockets = Sockets {
            gateway: Some(gateway),
            clock,
            secret: setup.config.auth.secret.clone(),
            handshake_ms,
            clients: BTreeMap::new(),
            order: Vec::new(),
            received: Vec::new(),
            syncs: 0,
        };
        Ok(Self { runtime, sockets })
    }

    fn open(&mut self, conn: &str, opening: &Opening) -> Result<(), Failure> {
        self.run(|sockets| sockets.open(conn, opening))
    }

    fn send(&mut self, conn: &str, text: String) -> Result<(), Failure> {
        self.run(async |sockets| sockets.client(conn)?.text(&text).await)
    }

    fn pong(&mut self, conn: &str) -> Result<(), Failure> {
        self.run(async |sockets| {
            let state = sockets.state(conn)?;
            let payload = if state.pings.is_empty() {
                Vec::new()
            } else {
                state.pings.remove(0)
            };
            sockets.client(conn)?.pong(&payload).await
        })
    }

    fn auto_pong(&mut self, conn: &str, on: bool) -> Result<(), Failure> {
        self.sockets.state(conn)?.auto_pong = on;
        Ok(())
    }

    fn drop_transport(&mut self, conn: &str) -> Result<(), Failure> {
        self.run(|sockets| sockets.end(conn, false))
    }

    fn close(&mut self, conn: &str) -> Result<(), Failure> {
        self.run(|sockets| sockets.end(conn, true))
    }

    fn pause(&mut self, conn: &str, _is_paused: bool) -> Result<(), Failure> {
        fail!("{conn} cannot pause: the kernel goes on reading for it")
    }

    fn hold_handshakes(&mut self, _on: bool) -> Result<(), Failure> {
        fail!("the gateway judges at once")
    }

    fn advance(&mut self, ms: u64) -> Result<(), Failure> {
        self.run(|sockets| sockets.advance(ms))
    }

    fn suspend(&mut self, ms: u64) -> Result<(), Failure> {
        self.sockets.clock.advance(ms);
        self.advance(0)
    }

    fn step_wall(&mut self, by: i64) {
        self.sockets.clock.step_wall(by);
    }

    fn shutdown(&mut self, _reason: &str) -> Result<(), Failure> {
        // The gateway gives its own reason.
        self.run(Sockets::shutdown)
    }

    fn settle(&mut self) -> Result<(), Failure> {
        if self.sockets.gateway.is_none() {
            return Ok(());
        }
        self.run(async |sockets| sockets.settle().await.map(|_| ()))
    }

    fn list(&mut self) -> Result<(Value, u64), Failure> {
        self.run(Sockets::list)
    }

    fn take_received(&mut self) -> Vec<Received> {
        std::mem::take(&mut self.sockets.received)
    }
}

fn gateway_config(setup: &Setup) -> Result<GatewayConfig, Failure> {
    let config = &setup.config;
    let words = |error: String| Failure::new(error);
    let mut self_row = setup.self_row.clone();
    self_row.insert("ts".into(), 0.into());
    let self_entry: PresenceEntry = serde_json::from_value(Value::Object(self_row))?;
    let modes = config
        .ephemeral_modes
        .iter()
        .map(String::as_str)
        .chain([OBSERVER]);
    let mut gateway = GatewayConfig::ephemeral();
    gateway.auth = gateway_auth(&config.auth)?;
    gateway.limits = limits(config);
    gateway.ttl_ms = config.ttl_ms;
    gateway.max_entries = config.max_entries;
    gateway.ephemeral_modes = modes.map(Into::into).collect();
    gateway.allowed_origins =
        AllowedOrigins::parse(&config.allowed_origins).map_err(|error| words(error.to_string()))?;
    gateway.trusted_proxies = vec![
        "127.0.0.1/32"
            .parse()
            .map_err(|_| words("not a network".into()))?,
    ];
    gateway.user_header = super::client::USER_HEADER.parse().ok();
    gateway.version = config.server_version.as_str().into();
    gateway.self_entry = Some(self_entry);
    Ok(gateway)
}

fn gateway_auth(auth: &Auth) -> Result<GatewayAuth, Failure> {
    let secret = || {
        let secret = auth.secret.as_deref().unwrap_or_default();
        Secret::new(secret).map_err(|error| Failure::new(error.to_string()))
    };
    Ok(match auth.mode {
        AuthMode::None => GatewayAuth::None,
        AuthMode::Token => GatewayAuth::Token(secret()?),
        AuthMode::Password => GatewayAuth::Password(secret()?),
    })
}
