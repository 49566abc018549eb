//! Hostile clients over real sockets. The table of attacks is in `README.md` beside this file.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod framing;
#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;

use serde_json::{Value, json};
use support::{Client, row};

const READ: &[&str] = &["operator.read"];

/// A request as text.
fn request(id: &str, method: &str, params: &Value) -> String {
    json!({ "type": "req", "id": id, "method": method, "params": params }).to_string()
}

/// A normal client that connected before the attack.
struct Witness(Client);

impl Witness {
    async fn start(address: SocketAddr) -> Self {
        Self(Client::connect(address, "witness", READ).await.0)
    }

    /// Checks after the attack that a new client is served, and that the list has both, each once. Returns the list.
    async fn ends_unharmed(mut self, address: SocketAddr) -> Vec<Value> {
        let (mut fresh, _) = Client::connect(address, "fresh", READ).await;
        assert_eq!(fresh.request("health", json!({})).await["ok"], true);
        let answer = self.0.request("system-presence", json!({})).await;
        let list = &answer["payload"];
        for name in ["witness", "fresh"] {
            assert_eq!(row(list, name)["reason"], "connect", "{list}");
            let rows = list.as_array().unwrap().iter();
            assert_eq!(rows.filter(|row| row["instanceId"] == name).count(), 1, "{list}");
        }
        list.as_array().unwrap().clone()
    }
}
