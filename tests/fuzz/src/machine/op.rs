//! Operations of clients.

use arbitrary::Arbitrary;
use serde_json::{Value, json};

/// One operation. Numbers of connections and choices are taken modulo their count.
#[derive(Arbitrary, Clone, Debug)]
pub(super) enum Op {
    Open { conn: u8, user: bool },
    Send { conn: u8, frame: Frame },
    Pong(u8),
    AutoPong(u8, bool),
    Drop(u8),
    Pause(u8, bool),
    Hold(bool),
    Advance(u16),
    Suspend(u16),
    StepWall(i16),
}

/// A text frame.
#[derive(Arbitrary, Clone, Debug)]
pub(super) enum Frame {
    Connect(Hello),
    Beacon(Report),
    Call {
        method: u8,
        params: u8,
    },
    NodeEvent {
        kind: u8,
        seconds: u16,
    },
    /// A valid request with one byte replaced.
    Broken {
        at: u8,
        by: char,
    },
    Raw(String),
}

/// The choices of a `connect`.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Hello {
    instance: u8,
    mode: u8,
    protocol: u8,
    scopes: u8,
    is_node: bool,
    takes_deltas: bool,
    may_report: bool,
    device: Option<u8>,
}

/// The choices of a beacon.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Report {
    instance: Option<u8>,
    device: Option<u8>,
    text: u8,
    seconds: Option<u32>,
    clears: bool,
    long: u8,
}

const INSTANCES: [&str; 8] = ["a", "A ", "b", "c", "d", "self", "undefined", "é"];
const MODES: [&str; 4] = ["ui", "cli", "node", "webchat"];
const SCOPES: [&[&str]; 5] = [
    &["operator.read"],
    &["operator.write"],
    &["operator.admin"],
    &[],
    &["operator.read", "x"],
];
const METHODS: [&str; 9] = [
    "health",
    "system-presence",
    "presence.snapshot",
    "connect",
    "node.list",
    "node.describe",
    "last-heartbeat",
    "status",
    "no.such",
];
const TEXTS: [&str; 4] = [
    "hello",
    "Node: hostx (10.0.0.5) · app 1.2 · last input 12s ago · mode local · reason launch",
    "  ",
    "b",
];

fn pick<T: Copy>(from: &[T], any: u8) -> T {
    from[usize::from(any) % from.len()]
}

impl Frame {
    /// The frame with this id.
    pub(super) fn text(&self, id: &str) -> String {
        let request = |method: &str, params: Value| json!({ "type": "req", "id": id, "method": method, "params": params });
        match self {
            Self::Connect(hello) => request("connect", hello.params()).to_string(),
            Self::Beacon(report) => request("system-event", report.params()).to_string(),
            Self::Call { method, params } => {
                let params = match params % 5 {
                    0 => json!({}),
                    1 => json!({ "nodeId": "a" }),
                    2 => Value::Null,
                    3 => json!([1]),
                    _ => json!({ "limit": 1.5, "x": { "y": [[[]]] } }),
                };
                request(pick(&METHODS, *method), params).to_string()
            }
            Self::NodeEvent { kind, seconds } => {
                let event = pick(&["presence.activity", "node.presence", "x"], *kind);
                let payload = json!({ "lastInputSeconds": seconds, "idleSeconds": seconds, "active": true });
                let params =
                    json!({ "event": event, "payload": payload, "payloadJSON": payload.to_string() });
                request("node.event", params).to_string()
            }
            Self::Broken { at, by } => {
                let text = request("health", json!({})).to_string();
                let mut chars: Vec<char> = text.chars().collect();
                let at = usize::from(*at) % chars.len();
                chars[at] = *by;
                chars.into_iter().collect()
            }
            Self::Raw(text) => text.clone(),
        }
    }
}

impl Hello {
    fn params(&self) -> Value {
        let protocol = 3 + self.protocol % 2;
        let mut params = json!({
            "minProtocol": 3, "maxProtocol": protocol,
            "client": { "id": "fuzz", "version": "1", "platform": "linux", "mode": pick(&MODES, self.mode) },
            "role": if self.is_node { "node" } else { "operator" },
            "scopes": pick(&SCOPES, self.scopes),
            "caps": if self.takes_deltas { json!(["presence-delta"]) } else { json!([]) },
            "permissions": { "accessibility": self.may_report },
        });
        if self.instance % 9 < 8 {
            params["client"]["instanceId"] = pick(&INSTANCES, self.instance % 9).into();
        }
        if let Some(device) = self.device.filter(|device| device % 4 == 0) {
            params["device"] = json!({ "id": "d", "publicKey": "k", "signature": "s", "signedAt": device });
        }
        params
    }
}

impl Report {
    fn params(&self) -> Value {
        let mut params =
            json!({ "text": pick(&TEXTS, self.text), "reason": "r".repeat(usize::from(self.long) * 5) });
        if let Some(instance) = self.instance {
            params["instanceId"] = pick(&INSTANCES, instance).into();
        }
        if let Some(device) = self.device {
            params["deviceId"] = pick(&["d1", "D1", "d2", "a"], device).into();
        }
        if let Some(seconds) = self.seconds {
            params["lastInputSeconds"] = seconds.into();
        }
        if self.clears {
            params["tags"] = json!(["system-presence-clear-last-input"]);
        }
        params
    }
}
