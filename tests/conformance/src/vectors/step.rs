//! The steps of scripts as types. Unknown members and unknown steps are errors.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// One step. It is read in two parts, so that unknown members of either are found.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Step {
    /// When; absent inside `repeat`.
    pub at: Option<u64>,
    /// Messages that connections must have received afterwards.
    pub expect: BTreeMap<String, Vec<Value>>,
    /// What happens.
    pub action: Action,
}

impl TryFrom<Map<String, Value>> for Step {
    type Error = serde_json::Error;

    fn try_from(mut members: Map<String, Value>) -> Result<Self, Self::Error> {
        let mut take = |name: &str| members.remove(name).unwrap_or(Value::Null);
        let at = serde_json::from_value(take("at"))?;
        let expect: Option<_> = serde_json::from_value(take("expect"))?;
        let action = serde_json::from_value(Value::Object(members))?;
        Ok(Self {
            at,
            expect: expect.unwrap_or_default(),
            action,
        })
    }
}

/// The action of a step.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Opens a socket.
    Open {
        /// The connection's name.
        conn: String,
        /// The address.
        from: Option<String>,
        /// The Origin header.
        origin: Option<String>,
    },
    /// Performs a handshake.
    Connect(Box<Connect>),
    /// Sends a request and looks at its response.
    Call {
        /// The connection.
        conn: String,
        /// The method.
        method: String,
        /// The params; no such member on the wire if absent.
        #[serde(default, deserialize_with = "present")]
        params: Option<Value>,
        /// The payload.
        #[serde(default, deserialize_with = "present")]
        result: Option<Value>,
        /// The error.
        error: Option<Value>,
    },
    /// A call of `system-event`.
    Beacon {
        /// The connection.
        conn: String,
        /// The params.
        params: Value,
        /// The payload.
        #[serde(default, deserialize_with = "present")]
        result: Option<Value>,
        /// The error.
        error: Option<Value>,
    },
    /// Sends one frame.
    Send {
        /// The connection.
        conn: String,
        /// The frame.
        text: Option<String>,
        /// The frame, to be written compactly.
        json: Option<Value>,
        /// Bytes to fill it up to.
        #[serde(rename = "padTo")]
        pad_to: Option<usize>,
        /// Whether to wait for the effects.
        #[serde(default = "yes")]
        settle: bool,
    },
    /// Compares the gateway's own list.
    List {
        /// All rows.
        rows: Option<Value>,
        /// Their number.
        count: Option<usize>,
        /// The version.
        version: Option<u64>,
    },
    /// Lets time pass.
    Advance {},
    /// Answers pings, or not.
    AutoPong {
        /// The connection.
        conn: String,
        /// Whether to.
        on: bool,
    },
    /// Sends one pong.
    Pong {
        /// The connection.
        conn: String,
        /// Though no ping is unanswered.
        #[serde(default)]
        unasked: bool,
    },
    /// The transport is lost.
    Drop {
        /// The connection.
        conn: String,
    },
    /// The client closes.
    Close {
        /// The connection.
        conn: String,
    },
    /// The client stops reading.
    Pause {
        /// The connection.
        conn: String,
    },
    /// The client goes on reading.
    Resume {
        /// The connection.
        conn: String,
    },
    /// Forgets what was not looked at.
    Clear {
        /// The connection.
        conn: String,
    },
    /// Handshakes are judged at once, or kept waiting.
    HoldHandshakes {
        /// Whether they wait.
        on: bool,
    },
    /// The wall clock steps.
    WallStep {
        /// By so many ms.
        by: i64,
    },
    /// The machine is suspended.
    Suspend {
        /// For so many ms.
        ms: u64,
    },
    /// The gateway stops.
    Shutdown {
        /// What it says.
        reason: String,
    },
    /// Runs steps again and again.
    Repeat {
        /// How often.
        count: u64,
        /// How far apart.
        every: u64,
        /// The steps, with `{i}` in their strings.
        steps: Vec<Value>,
    },
}

/// The members of a `connect` step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// The client's name in the cast.
    #[serde(rename = "as")]
    pub client: String,
    /// The connection's name, if another.
    pub conn: Option<String>,
    /// The address, if another.
    pub from: Option<String>,
    /// The Origin header.
    pub origin: Option<String>,
    /// The user that the trusted proxy names.
    pub user: Option<String>,
    /// Over the client's params.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// The device proof.
    pub device: Option<DeviceClaim>,
    /// The hello payload.
    pub hello: Option<Value>,
    /// The refusal.
    pub error: Option<Value>,
    /// The close after it: code and reason.
    pub close: Option<(u16, Value)>,
}

/// A device proof, in short or in detail.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum DeviceClaim {
    /// The device's name.
    Name(String),
    /// The differences from the right proof.
    Detail(Box<DeviceDetail>),
}

/// A device proof in detail. Absent members are right.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceDetail {
    /// The device that signs.
    pub name: String,
    /// `v2` or `v3`.
    pub payload: Option<String>,
    /// When it signed.
    pub signed_at: Option<Value>,
    /// The nonce it sends; `null` sends none.
    #[serde(default, deserialize_with = "present")]
    pub nonce: Option<Value>,
    /// The id it sends.
    pub id: Option<Value>,
    /// The key it sends.
    pub public_key: Option<Value>,
    /// The signature it sends.
    pub signature: Option<Value>,
    /// Other values in the signed text.
    #[serde(default)]
    pub signed: Map<String, Value>,
}

/// Distinguishes `null` from absent.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn yes() -> bool {
    true
}
