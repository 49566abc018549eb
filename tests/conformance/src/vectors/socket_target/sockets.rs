//! The gateway and its clients, on the runtime.

use std::collections::BTreeMap;

use presence_gateway::RunningGateway;
use presence_gateway::clock::Manual;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{AGE_ORIGIN_MS, OBSERVER};
use crate::fail;
use crate::vectors::Failure;
use crate::vectors::client::{Client, Frame};
use crate::vectors::target::{Item, Opening, Received};

/// More deadlines than any script has.
const MAX_DEADLINES: u32 = 100_000;

/// The objects on the runtime.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) gateway: Option<RunningGateway>,
    pub(super) clock: Manual,
    pub(super) secret: Option<String>,
    pub(super) handshake_ms: u64,
    pub(super) clients: BTreeMap<String, State>,
    /// Connections in order of opening.
    pub(super) order: Vec<String>,
    pub(super) received: Vec<Received>,
    pub(super) syncs: u64,
}

/// A client and what is known of it.
#[derive(Debug)]
pub(super) struct State {
    /// `None` once either side has ended it.
    pub(super) client: Option<Client>,
    pub(super) auto_pong: bool,
    /// Payloads of pings that were not answered.
    pub(super) pings: Vec<Vec<u8>>,
    /// When its handshake must be done.
    pub(super) handshake_until_ms: u64,
}

impl Sockets {
    pub(super) fn gateway(&self) -> Result<&RunningGateway, Failure> {
        self.gateway
            .as_ref()
            .ok_or_else(|| Failure::new("the gateway has stopped"))
    }

    pub(super) fn state(&mut self, name: &str) -> Result<&mut State, Failure> {
        self.clients
            .get_mut(name)
            .ok_or_else(|| Failure::new(format!("no connection {name}")))
    }

    pub(super) fn client(&mut self, name: &str) -> Result<&mut Client, Failure> {
        let client = self.state(name)?.client.as_mut();
        client.ok_or_else(|| Failure::new(format!("{name} is closed")))
    }

    pub(super) fn receive(&mut self, name: &str, item: Item) {
        let at = self.clock.now().age_ms - AGE_ORIGIN_MS;
        self.received.push(Received {
            conn: name.to_owned(),
            at,
            item,
        });
    }

    /// Takes a frame in. Returns whether a pong was sent.
    pub(super) async fn take(&mut self, name: &str, frame: Option<Frame>) -> Result<bool, Failure> {
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
    pub(super) async fn sync(&mut self, name: &str) -> Result<bool, Failure> {
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

    pub(super) async fn sync_all(&mut self) -> Result<bool, Failure> {
        let mut has_answered = false;
        for name in self.order.clone() {
            has_answered |= self.sync(&name).await?;
        }
        Ok(has_answered)
    }

    /// Waits until nothing can happen any more without time passing. Returns the next deadline.
    pub(super) async fn settle(&mut self) -> Result<Option<u64>, Failure> {
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
    pub(super) async fn round_trip(&mut self) -> Result<(), Failure> {
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

    pub(super) async fn open(&mut self, name: &str, opening: &Opening) -> Result<(), Failure> {
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
    pub(super) async fn end(&mut self, name: &str, is_closed: bool) -> Result<(), Failure> {
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

    pub(super) async fn advance(&mut self, ms: u64) -> Result<(), Failure> {
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
    pub(super) async fn list(&mut self) -> Result<(Value, u64), Failure> {
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

    pub(super) async fn shutdown(&mut self) -> Result<(), Failure> {
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
