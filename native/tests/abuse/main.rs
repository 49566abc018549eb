//! Hostile clients over real sockets. The table of attacks is in `README.md` beside this file.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod claims;
mod framing;
mod large;
mod rounds;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/device.rs"]
mod support_device;
#[path = "../support/tls.rs"]
mod support_tls;
mod tls;

use serde_json::{Value, json};

const READ: &[&str] = &["operator.read"];

/// Connections of an attack: enough to exceed the bound of the memory if each leaves 1 KB allocated.
const CONNECTIONS: usize = 300;

/// A request as text.
fn request(id: &str, method: &str, params: &Value) -> String {
    json!({ "type": "req", "id": id, "method": method, "params": params }).to_string()
}
