mod beacons;
mod bounds;
mod broadcasts;
mod deltas;
mod explain;
mod findings;
mod guesses;
mod hidden;
mod joins;
mod life;
mod nodes;
mod observed;
mod streams;
mod writers;

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::*;
use crate::model::{ClientInfo, Role};
use crate::server::{Handshake, Outbox, Outgoing};
use crate::wire::Limits;

const START: Now = Now {
    age_ms: 0,
    wall_ms: 1_700_000_000_000,
};

fn hub() -> Hub {
    hub_of(200)
}

fn hub_of(max_entries: usize) -> Hub {
    Hub::new(
        HubConfig {
            limits: Limits::default(),
            ttl_ms: 300_000,
            max_entries,
            ephemeral_modes: vec!["cli".into()],
            hash_seed: 7,
            server_version: "1.0.0".into(),
            boot_id: "boot".into(),
            self_entry: PresenceEntry {
                host: Some("gw".into()),
                instance_id: Some("Self-1".into()),
                mode: Some("gateway".into()),
                reason: Some("self".into()),
                ..PresenceEntry::default()
            },
            auth_mode: "token",
        },
        START,
    )
}

fn handshake(name: &str, mode: &str, scopes: &[&str]) -> Handshake {
    Handshake {
        request_id: "1".into(),
        conn_id: ["conn-", name].concat().into(),
        protocol: 4,
        role: Role::Operator,
        scopes: scopes.iter().map(|&scope| scope.into()).collect(),
        client: Arc::new(ClientInfo {
            id: "test".into(),
            version: "1".into(),
            platform: "linux".into(),
            mode: mode.into(),
            instance_id: Some(name.into()),
            ..ClientInfo::default()
        }),
        device_id: None,
        caps: vec![],
        commands: vec![],
        remote_ip: Some("192.0.2.1".into()),
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    }
}

/// The hub's frames for `conn`, as the client would receive them.
fn frames(hub: &mut Hub, conn: ConnId) -> Vec<String> {
    let mut outbox = Outbox::new(1 << 20);
    let mut seen = Vec::new();
    while let Some(output) = hub.poll_output() {
        match output {
            HubOutput::Send(to, item) if to == conn => outbox.push(item).unwrap(),
            HubOutput::Ping(to) if to == conn => seen.push("ping".into()),
            HubOutput::Drop(to, close) if to == conn => seen.push(close.reason.into_owned()),
            _ => {}
        }
        while let Some(outgoing) = outbox.pop() {
            seen.push(match outgoing {
                Outgoing::Close(close) => close.reason.into_owned(),
                text => text.to_string(),
            });
        }
    }
    seen
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn request(method: &str, params: Value) -> Request {
    let mut frame = json!({ "type": "req", "id": "9", "method": method });
    frame["params"] = params;
    Request::parse(&frame.to_string()).unwrap()
}

fn call(hub: &mut Hub, conn: ConnId, method: &str, params: Value, now: Now) -> Value {
    hub.call(conn, &request(method, params), now);
    let answer = frames(hub, conn)
        .into_iter()
        .find(|frame| frame.contains(r#""id":"9""#));
    json(&answer.unwrap())
}
