//! A gateway with a manual clock, and real sockets to it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use presence_gateway::clock::Manual;
use presence_gateway::{GatewayConfig, RunningGateway};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, TOKEN, config_with, start_manual, within};

/// A client's statements about itself.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    pub(crate) id: Option<&'static str>,
    pub(crate) host: &'static str,
    /// As a proxy states it.
    pub(crate) ip: Option<&'static str>,
    pub(crate) mode: &'static str,
    pub(crate) role: &'static str,
    pub(crate) model: Option<&'static str>,
    /// The number of its device key.
    pub(crate) device: Option<u8>,
    /// How far its clock is ahead, in ms.
    pub(crate) clock_off_ms: i64,
    pub(crate) token: &'static str,
}

pub(crate) const MAC: Person = Person {
    id: Some("mac-1"),
    host: "studio",
    ip: Some("192.0.2.7"),
    mode: "ui",
    role: "operator",
    model: None,
    device: None,
    clock_off_ms: 0,
    token: TOKEN,
};

pub(crate) const PHONE_NODE: Person = Person {
    mode: "node",
    role: "node",
    ..MAC
};

pub(crate) struct Lab {
    pub(crate) gateway: RunningGateway,
    pub(crate) clock: Manual,
    reader: Client,
    clients: Vec<Option<(Client, &'static str)>>,
    /// Sockets that stay open without answers.
    dead: Vec<Client>,
}

impl Lab {
    pub(crate) async fn new(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let (gateway, clock) = start_manual(config_with(|config| {
            config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            change(config);
        }));
        let mut reader = Client::open(gateway.address(), "").await;
        let reads = json!({
            "minProtocol": 3, "maxProtocol": 4,
            "client": { "id": "reader", "version": "1", "platform": "linux", "mode": "cli" },
            "scopes": ["operator.read"], "auth": { "token": TOKEN },
        });
        reader.hello(reads).await;
        Self {
            gateway,
            clock,
            reader,
            clients: Vec::new(),
            dead: Vec::new(),
        }
    }

    /// Connects and returns its number, or the refusal.
    pub(crate) async fn try_join(&mut self, person: &Person) -> Result<usize, Value> {
        let header = person
            .ip
            .map_or_else(String::new, |ip| format!("X-Forwarded-For: {ip}\r\n"));
        let mut client = Client::open(self.gateway.address(), &header).await;
        let challenge = client.event().await["payload"].clone();
        let answer = client.request("connect", params(person, &challenge)).await;
        if answer["ok"] == false {
            return Err(answer["error"].clone());
        }
        self.clients.push(Some((client, person.role)));
        Ok(self.clients.len() - 1)
    }

    pub(crate) async fn join(&mut self, person: &Person) -> usize {
        self.try_join(person).await.unwrap()
    }

    /// Closes as a client does, and waits until the gateway has noticed.
    pub(crate) async fn leave(&mut self, at: usize) {
        let before = self.connections().await;
        let (mut client, _) = self.clients[at].take().unwrap();
        client.send(Message::Close(None)).await;
        drop(client);
        self.wait_for(before - 1).await;
    }

    /// Stops the client's answers; its socket stays open.
    pub(crate) fn freeze(&mut self, at: usize) -> Client {
        self.clients[at].take().unwrap().0
    }

    /// Stops the client's answers until the end of the test.
    pub(crate) fn kill(&mut self, at: usize) {
        let dead = self.freeze(at);
        self.dead.push(dead);
    }

    async fn connections(&mut self) -> u64 {
        let status = self.reader.request("status", json!({})).await;
        status["payload"]["presence"]["connections"].as_u64().unwrap()
    }

    /// Waits until the gateway has this many connections.
    pub(crate) async fn wait_for(&mut self, count: u64) {
        within("the end of a connection", async {
            while self.connections().await != count {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Advances the time; the clients answer pings.
    pub(crate) async fn pass(&mut self, ms: u64) {
        let mut left = ms;
        while left > 0 {
            let step = left.min(10_000);
            left -= step;
            self.clock.advance(step);
            self.gateway.settle().await;
            // The first answer comes after the ping, and the second request after the pong.
            for _ in 0..2 {
                self.reader.request("health", json!({})).await;
                for (client, role) in self.clients.iter_mut().flatten() {
                    let (method, params) = match *role {
                        "node" => ("node.event", json!({ "event": "node.host.stats", "payload": {} })),
                        _ => ("health", json!({})),
                    };
                    client.request(method, params).await;
                }
            }
        }
    }

    pub(crate) async fn beacon(&mut self, at: usize, params: Value) {
        let (client, _) = self.clients[at].as_mut().unwrap();
        let answer = client.request("system-event", params).await;
        assert_eq!(answer["ok"], true, "{answer}");
    }

    /// Returns the gateway's findings, and stops it.
    pub(crate) async fn end(mut self) -> Vec<Value> {
        let answer = self.reader.request("presence.explain", json!({})).await;
        // The gateway would wait for connected clients.
        drop((self.reader, self.clients, self.dead));
        self.gateway.shutdown().await;
        answer["payload"]["findings"].as_array().unwrap().clone()
    }

    /// The name of the gateway's machine, as its own row states it.
    pub(crate) async fn own_host(&mut self) -> String {
        let list = self.reader.request("system-presence", json!({})).await;
        list["payload"][0]["host"].as_str().unwrap().into()
    }
}

pub(crate) fn params(person: &Person, challenge: &Value) -> Value {
    let scopes: &[&str] = match person.role {
        "node" => &[],
        _ => &["operator.read", "operator.write"],
    };
    let mut params = json!({
        "minProtocol": 3, "maxProtocol": 4,
        "client": {
            "id": "openclaw-macos", "version": "2026.9.6", "platform": "macos 26.1.0", "mode": person.mode,
            "displayName": person.host,
        },
        "role": person.role, "scopes": scopes, "auth": { "token": person.token },
    });
    for (name, value) in [("instanceId", person.id), ("modelIdentifier", person.model)] {
        if let Some(value) = value {
            params["client"][name] = json!(value);
        }
    }
    if let Some(number) = person.device {
        params["device"] = proof(number, person, scopes, challenge);
    }
    params
}

fn proof(number: u8, person: &Person, scopes: &[&str], challenge: &Value) -> Value {
    let key = SigningKey::from_bytes(&[number; 32]);
    let public = key.verifying_key().to_bytes();
    let id: String = Sha256::digest(public)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let signed_at = challenge["ts"]
        .as_u64()
        .unwrap()
        .saturating_add_signed(person.clock_off_ms);
    let nonce = challenge["nonce"].as_str().unwrap();
    let text = format!(
        "v2|{id}|openclaw-macos|{}|{}|{}|{signed_at}|{}|{nonce}",
        person.mode,
        person.role,
        scopes.join(","),
        person.token
    );
    json!({
        "id": id, "publicKey": URL_SAFE_NO_PAD.encode(public), "signedAt": signed_at, "nonce": nonce,
        "signature": URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).to_bytes()),
    })
}
