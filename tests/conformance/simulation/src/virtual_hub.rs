//! A hub on a virtual clock, for the tests that call the core directly.

use std::sync::Arc;

use presence_core::model::{ClientInfo, Role};
use presence_core::server::{Handshake, HubConfig};
use presence_core::wire::{Limits, Request};
use presence_core::{Now, PresenceEntry};
use serde_json::{Value, json};

/// When the virtual clocks start.
pub const START: Now = Now {
    age_ms: 86_400_000,
    wall_ms: 1_767_225_600_000,
};

/// A hub's configuration, with the product's figures but for these.
#[must_use]
pub fn config(ttl_ms: u64, max_entries: usize, window_ms: u64) -> HubConfig {
    HubConfig {
        limits: Limits {
            window_ms,
            ..Limits::default()
        },
        ttl_ms,
        max_entries,
        ephemeral_modes: vec!["cli".into()],
        hash_seed: 42,
        server_version: "1.0.0".into(),
        boot_id: "boot-1".into(),
        self_entry: PresenceEntry {
            host: Some("gateway-host".into()),
            mode: Some("gateway".into()),
            reason: Some("self".into()),
            instance_id: Some("the-gateway".into()),
            ..PresenceEntry::default()
        },
        auth_mode: "token",
    }
}

/// An accepted handshake of an operator with this `instanceId`.
#[must_use]
pub fn handshake(instance: &str, mode: &str, scopes: &[&str], conn: u64) -> Handshake {
    Handshake {
        request_id: "connect-1".into(),
        conn_id: format!("conn-{conn}").into(),
        protocol: 4,
        role: Role::Operator,
        scopes: scopes.iter().map(|&scope| scope.into()).collect(),
        client: Arc::new(ClientInfo {
            id: "openclaw-macos".into(),
            version: "1.0.0".into(),
            platform: "macos 26.1.0".into(),
            mode: mode.into(),
            instance_id: Some(instance.into()),
            ..ClientInfo::default()
        }),
        device_id: None,
        caps: Vec::new(),
        commands: Vec::new(),
        remote_ip: Some("192.0.2.1".into()),
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    }
}

/// A request.
#[must_use]
pub fn request(method: &str, params: Value) -> Request {
    let mut frame = json!({ "type": "req", "id": "1", "method": method });
    frame["params"] = params;
    Request::parse(&frame.to_string()).unwrap()
}
