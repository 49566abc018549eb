//! Fleets of gateways on a real NATS server.
#![cfg(all(unix, feature = "cluster"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod faults;
mod figures;
mod namespaces;
mod nats;
mod partitions;
mod secure;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tls.rs"]
mod tls;

use std::net::SocketAddr;
use std::time::Duration;

use presence_gateway::RunningGateway;
use serde_json::{Value, json};
use support::{Client, raw_http, within};
use tokio::time::sleep;

/// A reader of a gateway's roster.
struct Reader(Client);

impl Reader {
    /// Its `instanceId` differs from those of the clients under test.
    async fn of(address: SocketAddr) -> Self {
        Self(
            Client::connect(address, &format!("reader-{}", address.port()), &["operator.read"])
                .await
                .0,
        )
    }

    async fn list(&mut self) -> Vec<Value> {
        let answer = self.0.request("system-presence", json!({})).await;
        answer["payload"].as_array().unwrap().clone()
    }

    async fn fleet(&mut self) -> Value {
        let answer = self.0.request("status", json!({})).await;
        answer["payload"]["presence"]["fleet"].clone()
    }

    /// Waits until the roster satisfies `is_wanted`.
    async fn wait(&mut self, what: &str, is_wanted: impl Fn(&[Value]) -> bool) {
        within(what, async {
            while !is_wanted(&self.list().await) {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// Waits until an instance has this reason.
    async fn wait_for(&mut self, instance: &str, reason: &str) {
        let is_it = |row: &Value| row["instanceId"] == instance && row["reason"] == reason;
        self.wait(&format!("{instance}: {reason}"), |list| list.iter().any(is_it))
            .await;
    }
}

/// A reader of each gateway.
async fn readers_of(gateways: &[RunningGateway]) -> Vec<Reader> {
    let mut readers = Vec::new();
    for gateway in gateways {
        readers.push(Reader::of(gateway.address()).await);
    }
    readers
}

/// Waits until all gateways have the same digest of the fleet.
async fn equal(readers: &mut [Reader]) {
    within("equal digests", async {
        loop {
            let mut digests = Vec::new();
            for reader in readers.iter_mut() {
                digests.push(reader.fleet().await["digest"].clone());
            }
            if digests
                .iter()
                .all(|digest| digest.is_string() && *digest == digests[0])
            {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// The answer of `/readyz`.
async fn ready(address: SocketAddr) -> Value {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let answer = raw_http(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Waits until a gateway is ready, or degraded for a reason with these words.
async fn wait_status(address: SocketAddr, status: &str, words: &str) {
    within(&format!("{status} {words}"), async {
        loop {
            let ready = ready(address).await;
            assert_eq!(ready["ready"], true);
            let reason = ready["reason"].as_str().unwrap_or_default();
            if ready["status"] == status && reason.contains(words) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
