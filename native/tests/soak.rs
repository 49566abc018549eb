//! Clients connect, disconnect, break off, beacon and misbehave for a while; then memory has not grown, and the list
//! has exactly the connected clients. `cargo xtask soak --minutes 60` takes longer.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use presence_core::digest::{Digest, of_raw};
use presence_core::model::RawEntry;
use serde_json::{Value, json};
use support::process::Process;
use support::{Client, connect_params};
use tokio::io::AsyncWriteExt;

/// Duration without `SOAK_SECONDS`.
const DEFAULT: Duration = Duration::from_secs(6);
/// Most clients at once.
const CLIENTS: u64 = 60;
/// Number of different instances.
const INSTANCES: u64 = 120;
/// Permitted growth of memory between two equal periods, in kB, for memory that the allocator keeps: at most
/// [`LONG_GROWTH_KB`] if the periods are long.
const GROWTH_KB: u64 = 4 * 1024;
/// The same from [`LONG`] on, when the allocator has what it needs.
const LONG_GROWTH_KB: u64 = 512;
const LONG: Duration = Duration::from_secs(600);

/// Pseudo-random numbers, equal in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % end
    }
}

struct Soak {
    gateway: Process,
    draw: Draw,
    clients: BTreeMap<u64, Client>,
}

impl Soak {
    /// Changes one instance.
    async fn happen(&mut self) {
        let number = self.draw.below(INSTANCES);
        let name = format!("instance-{number}");
        let Some(mut client) = self.clients.remove(&number) else {
            if (self.clients.len() as u64) < CLIENTS {
                let (client, _) =
                    Client::connect(self.gateway.address, &name, &["operator.read", "operator.write"]).await;
                self.clients.insert(number, client);
            }
            return;
        };
        match self.draw.below(12) {
            // Disconnects, with and without a close.
            0 => drop(client),
            1 => {
                client
                    .send(tokio_tungstenite::tungstenite::Message::Close(None))
                    .await;
            }
            // Breaks the protocol, and is closed.
            2 => {
                let _ = client.stream().write_all(&[0xff; 64]).await;
            }
            3 => {
                let mut stranger = Client::open(self.gateway.address, "").await;
                stranger.event().await;
                let mut params = connect_params(&name, &[]);
                params["auth"]["token"] = "wrong".into();
                stranger.request("connect", params).await;
                self.clients.insert(number, client);
            }
            4..=6 => {
                let text = format!(
                    "Node: {name} (10.0.0.{}) · app 1.{} · mode ui",
                    self.draw.below(250),
                    self.draw.below(9)
                );
                let beacon = json!({ "text": text, "instanceId": name, "reason": "periodic" });
                assert_eq!(client.request("system-event", beacon).await["ok"], true);
                self.clients.insert(number, client);
            }
            7 => {
                let text = "x".repeat(usize::try_from(self.draw.below(300_000)).unwrap());
                assert_eq!(
                    client.request("no-such-method", json!({ "text": text })).await["ok"],
                    false
                );
                self.clients.insert(number, client);
            }
            _ => {
                assert_eq!(client.request("system-presence", json!({})).await["ok"], true);
                self.clients.insert(number, client);
            }
        }
    }

    /// Continues until then; all clients are read within the stall time. Returns the most memory, in kB.
    async fn go_on(&mut self, until: Instant) -> u64 {
        let mut most_kb = 0;
        while Instant::now() < until {
            for _ in 0..50 {
                self.happen().await;
            }
            for client in self.clients.values_mut() {
                client.request("health", json!({})).await;
            }
            most_kb = most_kb.max(self.gateway.memory_kb("VmRSS:"));
        }
        most_kb
    }

    /// Checks that the list has the connected clients, and that the digest is that of the list.
    async fn check(&mut self) {
        let names: BTreeSet<String> = self
            .clients
            .keys()
            .map(|number| format!("instance-{number}"))
            .collect();
        let (mut reader, _) = Client::connect(self.gateway.address, "reader", &["operator.read"]).await;
        let begun = Instant::now();
        loop {
            let answer = reader.request("presence.snapshot", json!({})).await;
            let payload = &answer["payload"];
            let rows: Vec<&Value> = payload["presence"].as_array().unwrap().iter().collect();
            let mut digest = Digest::default();
            for (key, row) in payload["keys"].as_array().unwrap().iter().zip(&rows) {
                let entry = RawEntry::read(&row.to_string()).unwrap();
                digest.add(of_raw(key.as_str().unwrap(), &entry));
            }
            assert_eq!(payload["digest"], digest.to_hex(), "{payload}");
            let listed: BTreeSet<String> = rows
                .iter()
                .filter(|row| row["reason"] != "disconnect")
                .filter_map(|row| row["instanceId"].as_str())
                .filter(|id| id.starts_with("instance-"))
                .map(str::to_owned)
                .collect();
            if listed == names {
                return;
            }
            // The gateway has not noticed the last ends yet.
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{listed:?} are listed, {names:?} are there"
            );
        }
    }
}

#[tokio::test]
async fn memory_is_constant_and_the_list_is_correct() {
    let seconds = std::env::var("SOAK_SECONDS")
        .ok()
        .map(|text| Duration::from_secs(text.parse().unwrap()));
    let third = seconds.unwrap_or(DEFAULT) / 3;
    let mut soak = Soak {
        gateway: Process::start(0).await,
        draw: Draw(1),
        clients: BTreeMap::new(),
    };
    let begun = Instant::now();
    soak.go_on(begun + third).await;
    let before_kb = soak.go_on(begun + 2 * third).await;
    let after_kb = soak.go_on(begun + 3 * third).await;
    println!("most memory: {before_kb} kB in the second third, {after_kb} kB in the last one");
    let growth_kb = if 3 * third >= LONG {
        LONG_GROWTH_KB
    } else {
        GROWTH_KB
    };
    assert!(
        after_kb <= before_kb + growth_kb,
        "{before_kb} kB became {after_kb} kB"
    );
    soak.check().await;
}
