//! A real gateway in this process, real sockets, and a clock that is moved by hand.
//!
//! Gateway and clients share one thread: the gateway runs while the clients wait. So everything that
//! can happen has happened once a client's ping has come back from behind it.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use presence_core::{Now, PresenceEntry};
use presence_gateway::AllowedOrigins;
use presence_gateway::clock::Manual;
use presence_gateway::{AuthMode as GatewayAuth, Secret};
use presence_gateway::{Gateway, GatewayConfig, RunningGateway};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::Failure;
use super::client::{Client, Frame};
use super::core_target::limits;
use super::format::{Auth, AuthMode};
use super::target::{Item, Opening, Received, Setup, Target};
use crate::fail;

/// The age clock's origin is arbitrary, so it is not 0 here.
const AGE_ORIGIN_MS: u64 = 1_000_000;
/// Real time after which something hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// More deadlines than any script has.
const MAX_DEADLINES: u32 = 100_000;
/// The mode of the client that reads the list; it makes no row.
const OBSERVER: &str = "vector-observer";

/// The gateway under test.
#[derive(Debug)]
pub struct SocketTarget {
    runtime: Runtime,
    sockets: Sockets,
}

/// What lives on the runtime.
#[derive(Debug)]
struct Sockets {
    gateway: Option<RunningGateway>,
    clock: Manual,
    secret: Option<String>,
    handshake_ms: u64,
    clients: BTreeMap<String, State>,
    /// Connections in order of opening.
    order: Vec<String>,
    received: Vec<Received>,
    syncs: u64,
}

/// A client and what is known of it.
#[derive(Debug)]
struct State {
    /// `None` once either side has ended it.
    client: Option<Client>,
    auto_pong: bool,
    /// Payloads of pings that were not answered.
    pings: Vec<Vec<u8>>,
    /// When its handshake must be done.
    handshake_until_ms: u64,
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

impl Sockets {
    fn gateway(&self) -> Result<&RunningGateway, Failure> {
        self.gateway
            .as_ref()
            .ok_or_else(|| Failure::new("the gateway has stopped"))
    }

    fn state(&mut self, name: &str) -> Result<&mut State, Failure> {
        self.clients
            .get_mut(name)
            .ok_or_else(|| Failure::new(format!("no connection {name}")))
    }

    fn client(&mut self, name: &str) -> Result<&mut Client, Failure> {
        let client = self.state(name)?.client.as_mut();
        client.ok_or_else(|| Failure::new(format!("{name} is closed")))
    }

    fn receive(&mut self, name: &str, item: Item) {
        let at = self.clock.now().age_ms - AGE_ORIGIN_MS;
        self.received.push(Received {
            conn: name.to_owned(),
            at,
            item,
        });
    }

    /// Takes a frame in. Returns whether a pong was sent.
    async fn take(&mut self, name: &str, frame: Option<Frame>) -> Result<bool, Failure> {
        match frame {
            Some(Frame::Text(text)) => self.receive(name, Item::Text(text)),
            Some(Frame::Pong(_)) => {}
            Some(Frame::Ping(payload)) => {
                self.receive(name, Item::Ping);
                let state = self.state(name)?;
                if !state.auto_pong {
                    state.pings.push(payload);
                    return Ok(false);
                }
                // If it fails, the next read says why.
                return Ok(self.client(name)?.pong(&payload).await.is_ok());
            }
            Some(Frame::Close(code, reason)) => {
                if let Some(mut client) = self.state(name)?.client.take() {
                    let _ = client.close(code).await;
                }
                self.receive(name, Item::Close(code, reason));
            }
            None => {
                self.state(name)?.client = None;
                self.receive(name, Item::Close(1006, String::new()));
            }
        }
        Ok(false)
    }

    /// Reads everything that the gateway sent to this client up to now: sends a ping and reads until
    /// its pong. Returns whether a ping of the gateway was answered.
    async fn sync(&mut self, name: &str) -> Result<bool, Failure> {
        self.syncs += 1;
        let payload = self.syncs.to_be_bytes();
        let Some(client) = self.state(name)?.client.as_mut() else {
            return Ok(false);
        };
        // A transport that is gone shows when it is read.
        let _ = client.ping(&payload).await;
        let mut has_answered = false;
        while let Some(client) = self.state(name)?.client.as_mut() {
            let frame = client.read().await?;
            if frame == Some(Frame::Pong(payload.to_vec())) {
                break;
            }
            has_answered |= self.take(name, frame).await?;
        }
        Ok(has_answered)
    }

    async fn sync_all(&mut self) -> Result<bool, Failure> {
        let mut has_answered = false;
        for name in self.order.clone() {
            has_answered |= self.sync(&name).await?;
        }
        Ok(has_answered)
    }

    /// Waits until nothing can happen any more without time passing. Returns the next deadline.
    async fn settle(&mut self) -> Result<Option<u64>, Failure> {
        loop {
            let mut has_answered = self.sync_all().await?;
            let deadline = self.gateway()?.settle().await;
            has_answered |= self.sync_all().await?;
            if !has_answered {
                return Ok(deadline);
            }
        }
    }

    /// A round trip on a socket of its own: what happened on other sockets before has been seen by the
    /// gateway after it.
    async fn round_trip(&mut self) -> Result<(), Failure> {
        let address = self.gateway()?.address();
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        if !response.starts_with("HTTP/1.1 200") {
            fail!("/healthz says {response}");
        }
        Ok(())
    }

    async fn open(&mut self, name: &str, opening: &Opening) -> Result<(), Failure> {
        let client = Client::open(self.gateway()?.address(), opening).await?;
        let state = State {
            client: Some(client),
            auto_pong: true,
            pings: Vec::new(),
            handshake_until_ms: self.clock.now().age_ms + self.handshake_ms,
        };
        self.clients.insert(name.to_owned(), state);
        self.order.push(name.to_owned());
        Ok(())
    }

    /// Ends a connection from the client's side.
    async fn end(&mut self, name: &str, is_closed: bool) -> Result<(), Failure> {
        let Some(mut client) = self.state(name)?.client.take() else {
            fail!("{name} is closed")
        };
        if is_closed {
            client.close(1000).await?;
            while !matches!(client.read().await?, None | Some(Frame::Close(..))) {}
        }
        drop(client);
        self.round_trip().await
    }

    async fn advance(&mut self, ms: u64) -> Result<(), Failure> {
        let target = self.clock.now().age_ms + ms;
        for _ in 0..MAX_DEADLINES {
            let hub = self.settle().await?;
            let now = self.clock.now().age_ms;
            let handshakes = self.clients.values().map(|state| state.handshake_until_ms);
            let next = handshakes.chain(hub).filter(|deadline| *deadline > now).min();
            let until = next.map_or(target, |deadline| deadline.min(target));
            if until == now {
                return Ok(());
            }
            self.clock.advance(until - now);
        }
        fail!("the gateway does not come to rest")
    }

    /// Connects one more client and reads its hello.
    async fn list(&mut self) -> Result<(Value, u64), Failure> {
        let opening = Opening {
            from: "127.0.0.1".into(),
            origin: None,
            user: None,
        };
        let mut client = Client::open(self.gateway()?.address(), &opening).await?;
        let mut params = json!({
            "minProtocol": 4, "maxProtocol": 4, "scopes": ["operator.read"],
            "client": { "id": "test", "version": "1", "platform": "test", "mode": OBSERVER },
        });
        if let Some(secret) = &self.secret {
            params["auth"] = json!({ "token": secret });
        }
        let request = json!({ "type": "req", "id": "list", "method": "connect", "params": params });
        client.text(&request.to_string()).await?;
        let snapshot = loop {
            let Some(Frame::Text(text)) = client.read().await? else {
                fail!("no hello for the observer")
            };
            let mut frame: Value = serde_json::from_str(&text)?;
            if frame["id"] == "list" {
                break frame["payload"]["snapshot"].take();
            }
        };
        let Some(version) = snapshot["stateVersion"]["presence"].as_u64() else {
            fail!("no version in {snapshot}");
        };
        drop(client);
        self.round_trip().await?;
        Ok((snapshot["presence"].clone(), version))
    }

    async fn shutdown(&mut self) -> Result<(), Failure> {
        let Some(gateway) = self.gateway.take() else {
            fail!("the gateway has stopped")
        };
        let stopped = tokio::spawn(gateway.shutdown());
        for name in self.order.clone() {
            while let Some(client) = self.state(&name)?.client.as_mut() {
                let frame = client.read().await?;
                self.take(&name, frame).await?;
            }
        }
        stopped.await.map_err(|error| Failure::new(error.to_string()))
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
    Ok(GatewayConfig {
        auth: gateway_auth(&config.auth)?,
        limits: limits(config),
        ttl_ms: config.ttl_ms,
        max_entries: config.max_entries,
        ephemeral_modes: modes.map(Into::into).collect(),
        allowed_origins: AllowedOrigins::parse(&config.allowed_origins)
            .map_err(|error| words(error.to_string()))?,
        trusted_proxies: vec![
            "127.0.0.1/32"
                .parse()
                .map_err(|_| words("not a network".into()))?,
        ],
        user_header: super::client::USER_HEADER.parse().ok(),
        version: config.server_version.as_str().into(),
        self_entry: Some(self_entry),
        ..GatewayConfig::ephemeral()
    })
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
