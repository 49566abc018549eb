//! Operations of clients.

use arbitrary::{Arbitrary, Unstructured};
use presence_conformance::vectors::device::{device_of, sign, signed_text};
use serde_json::{Value, json};

/// One operation. Numbers of connections and choices are taken modulo their count, times are in ms.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Open {
        conn: u8,
        user: bool,
    },
    /// Leaves an earlier connection, opens a new one, and sends a `connect`.
    Join {
        conn: u8,
        user: bool,
        hello: Frame,
    },
    Send {
        conn: u8,
        frame: Frame,
    },
    Pong(u8),
    AutoPong(u8, bool),
    Drop(u8),
    Pause(u8, bool),
    Hold(bool),
    Advance(u16),
    Suspend(u32),
    StepWall(i32),
}

/// Most operations are such that connections stay and rows fill the list: what ends them is rare.
impl<'a> Arbitrary<'a> for Op {
    fn arbitrary(from: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let conn = from.arbitrary()?;
        Ok(match from.int_in_range(0..=31)? {
            0 => Self::Open {
                conn,
                user: from.arbitrary()?,
            },
            1..=6 => Self::Join {
                conn,
                user: from.arbitrary()?,
                hello: Frame::Connect(from.arbitrary()?),
            },
            7..=20 => Self::Send {
                conn,
                frame: from.arbitrary()?,
            },
            21..=22 => Self::Pong(conn),
            23 => Self::AutoPong(conn, from.ratio(3, 4)?),
            24 => Self::Drop(conn),
            25 => Self::Pause(conn, from.ratio(1, 4)?),
            26 => Self::Hold(from.ratio(1, 4)?),
            27..=28 => Self::Advance(u16::from(from.arbitrary::<u8>()?) * 16),
            29 => Self::Advance(from.arbitrary()?),
            30 => Self::Suspend(u32::from(from.arbitrary::<u16>()?) * 10 / if conn < 128 { 1 } else { 64 }),
            _ => Self::StepWall(i32::from(from.arbitrary::<i16>()?) * 100),
        })
    }
}

/// A text frame.
#[derive(Clone, Debug)]
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
    /// A valid request with one character replaced, or a text that is too long.
    Broken {
        at: u8,
        by: char,
    },
    Raw(String),
}

/// Few frames are such that the gateway closes the connection.
impl<'a> Arbitrary<'a> for Frame {
    fn arbitrary(from: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(match from.int_in_range(0..=31)? {
            0 => Self::Connect(from.arbitrary()?),
            1..=16 => Self::Beacon(from.arbitrary()?),
            17..=20 => Self::Call {
                method: from.arbitrary()?,
                params: from.arbitrary()?,
            },
            21..=29 => Self::NodeEvent {
                kind: from.arbitrary()?,
                seconds: from.arbitrary()?,
            },
            30 => Self::Broken {
                at: from.arbitrary()?,
                by: from.arbitrary()?,
            },
            _ => Self::Raw(from.arbitrary()?),
        })
    }
}

/// The choices of a `connect`.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Hello {
    instance: u8,
    mode: u8,
    protocol: u8,
    scopes: u8,
    role: u8,
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

/// Devices with keys, by the byte of their seeds.
const DEVICES: [u8; 2] = [1, 2];
/// The ids of [`DEVICES`], which others may claim.
const DEVICE_IDS: [&str; 2] = [
    "34750f98bd59fcfc946da45aaabe933be154a4b5094e1c4abf42866505f3c97e",
    "6a3803d5f059902a1c6dafbc9ba4729212f7caac08634cc3ae76b27529f03827",
];
/// Longest text that is no frame of ours: a row of such texts stays below its bound, which the naive model does not
/// know.
const MAX_RAW_CHARS: usize = 512;
/// Above the longest frame that the gateway takes.
const OVERSIZED_BYTES: usize = 20_000;

/// What a gateway asks a device to sign.
#[derive(Clone, Debug, Default)]
pub(super) struct Challenge {
    nonce: String,
    ts: u64,
}

impl Challenge {
    /// That of `connect.challenge`.
    pub(super) fn of(frame: &Value) -> Self {
        let payload = &frame["payload"];
        Self {
            nonce: payload["nonce"].as_str().expect("a nonce").into(),
            ts: payload["ts"].as_u64().expect("a moment"),
        }
    }
}

const INSTANCES: [&str; 10] = [
    "a",
    "A ",
    "b",
    "c",
    "d",
    "self",
    "undefined",
    "é",
    DEVICE_IDS[0],
    DEVICE_IDS[1],
];
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
    /// The frame with this id, as an answer to the challenge.
    pub(super) fn text(&self, id: &str, challenge: &Challenge) -> String {
        let request = |method: &str, params: Value| json!({ "type": "req", "id": id, "method": method, "params": params });
        match self {
            Self::Connect(hello) => request("connect", hello.params(challenge)).to_string(),
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
                let (event, payload) = match kind % 5 {
                    0 | 1 => ("node.presence.activity", json!({ "idleSeconds": seconds })),
                    2 => ("node.presence.activity", json!({ "action": "clear" })),
                    3 => ("node.presence.alive", json!({ "trigger": "manual" })),
                    _ => ("node.presence.activity", json!({ "active": true })),
                };
                let params = if kind % 2 == 0 {
                    json!({ "event": event, "payload": payload })
                } else {
                    json!({ "event": event, "payloadJSON": payload.to_string() })
                };
                request("node.event", params).to_string()
            }
            Self::Broken { at: u8::MAX, .. } => " ".repeat(OVERSIZED_BYTES),
            Self::Broken { at, by } => {
                let text = request("health", json!({})).to_string();
                let mut chars: Vec<char> = text.chars().collect();
                let at = usize::from(*at) % chars.len();
                chars[at] = *by;
                chars.into_iter().collect()
            }
            Self::Raw(text) => text.chars().take(MAX_RAW_CHARS).collect(),
        }
    }
}

impl Hello {
    fn params(&self, challenge: &Challenge) -> Value {
        let protocol = 3 + self.protocol % 2;
        let mut params = json!({
            "minProtocol": 3, "maxProtocol": protocol,
            "client": { "id": "fuzz", "version": "1", "platform": "linux", "mode": pick(&MODES, self.mode) },
            "role": pick(&["node", "operator", "operator", "operator"], self.role),
            "scopes": pick(&SCOPES, self.scopes),
            "caps": if self.takes_deltas { json!(["presence-delta"]) } else { json!([]) },
            "permissions": { "accessibility": self.may_report },
        });
        if let Some(instance) = INSTANCES.get(usize::from(self.instance) % (INSTANCES.len() + 1)) {
            params["client"]["instanceId"] = (*instance).into();
        }
        match self.device.map(|device| device % 4) {
            Some(0) => {
                params["device"] = json!({ "id": "d", "publicKey": "k", "signature": "s", "signedAt": 0 });
            }
            Some(device) => params["device"] = self.proof(pick(&DEVICES, device), &params, challenge),
            None => {}
        }
        params
    }

    /// A valid proof for these parameters.
    fn proof(&self, device: u8, params: &Value, challenge: &Challenge) -> Value {
        let device = device_of(device).expect("a device");
        let fields = json!({
            "deviceId": device.id, "clientId": "fuzz", "clientMode": params["client"]["mode"],
            "role": params["role"], "scopes": params["scopes"], "signedAt": challenge.ts, "token": "",
            "nonce": challenge.nonce, "platform": "linux", "deviceFamily": "",
        });
        let text = signed_text("v3", fields.as_object().expect("an object")).expect("a text");
        json!({
            "id": device.id, "publicKey": device.public_key, "signature": sign(&device, &text).expect("a signature"),
            "signedAt": challenge.ts, "nonce": challenge.nonce,
        })
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
            params["deviceId"] = pick(&["d1", "D1", "d2", "a", DEVICE_IDS[0], DEVICE_IDS[1]], device).into();
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
