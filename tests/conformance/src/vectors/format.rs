//! The files of `tests/vectors` as types. Unknown members and unknown steps are errors.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::step::Step;

/// One file.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum File {
    /// `cast.json`.
    Cast(Box<Cast>),
    /// `devices.json`.
    Devices(Devices),
    /// Pure functions.
    Table(Vectors<Table>),
    /// Steps against a gateway.
    Script(Vectors<Script>),
}

/// A file of vectors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vectors<T> {
    /// For editors.
    #[serde(rename = "$schema")]
    pub schema: String,
    /// In order.
    pub vectors: Vec<T>,
}

/// The initial state of every script.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cast {
    /// For editors.
    #[serde(rename = "$schema")]
    pub schema: String,
    /// For readers.
    pub about: String,
    /// The wall clock at virtual time 0.
    pub start_wall_ms: u64,
    /// The default configuration; members of [`Config`].
    pub config: Map<String, Value>,
    /// Clients by name.
    pub clients: BTreeMap<String, Client>,
    /// Rows by name.
    pub rows: BTreeMap<String, Map<String, Value>>,
}

/// A named client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The address it connects from.
    pub from: String,
    /// Its `connect` params, over those of `base`.
    pub params: Map<String, Value>,
}

/// The gateway's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The TTL of a row.
    pub ttl_ms: u64,
    /// Most rows.
    pub max_entries: usize,
    /// The coalescing window.
    pub window_ms: u64,
    /// Modes that make no row.
    pub ephemeral_modes: Vec<String>,
    /// The secret.
    pub auth: Auth,
    /// Pages that may connect.
    pub allowed_origins: Vec<String>,
    /// Bounds and intervals.
    pub limits: Limits,
    /// The version in hello.
    pub server_version: String,
    /// The self row, without `ts`.
    #[serde(rename = "self")]
    pub self_row: Map<String, Value>,
}

/// How clients prove that they may connect.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// What is asked.
    pub mode: AuthMode,
    /// The secret, unless the mode is none.
    pub secret: Option<String>,
}

/// What is asked of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// A token.
    Token,
    /// A password.
    Password,
    /// Nothing.
    None,
}

/// Limits that a vector sets; what is absent has the product's default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// Largest frame before the handshake.
    pub preauth_frame_bytes: Option<usize>,
    /// Largest frame after it.
    pub payload_bytes: Option<usize>,
    /// Most bytes of undelivered responses.
    pub buffered_bytes: Option<usize>,
    /// Time for the handshake.
    pub handshake_ms: Option<u64>,
    /// Interval of ticks.
    pub tick_interval_ms: Option<u64>,
    /// Longest time without an accepted byte.
    pub stall_ms: Option<u64>,
    /// Longest ping interval.
    pub ping_interval_ms: Option<u64>,
    /// Refused calls in a row.
    pub unauthorized_calls: Option<u32>,
}

/// `devices.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// For editors.
    #[serde(rename = "$schema")]
    pub schema: String,
    /// For readers.
    pub about: String,
    /// Devices by name.
    pub devices: BTreeMap<String, Device>,
}

/// A named device.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Device {
    /// The Ed25519 seed, hex.
    pub seed: String,
    /// The raw public key, base64url.
    pub public_key: String,
    /// SHA-256 of the raw public key, hex.
    pub id: String,
    /// The public key as PEM.
    pub public_key_pem: String,
    /// The signature of `sample|<name>`, base64url.
    pub sample_signature: String,
}

/// A vector of a pure function.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Unique in all files.
    pub name: String,
    /// The section of the rules.
    pub spec: String,
    /// One sentence.
    pub why: String,
    /// The only targets it can run on; absent: all.
    pub targets: Option<Vec<String>>,
    /// Why not on all.
    pub reason: Option<String>,
    /// Which function.
    pub function: String,
    /// What it does.
    pub cases: Vec<Case>,
}

/// One call of a pure function.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The arguments.
    #[serde(rename = "in")]
    pub input: Vec<Value>,
    /// The result.
    #[serde(rename = "out")]
    pub output: Value,
}

/// A vector of steps against a gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Script {
    /// Unique in all files.
    pub name: String,
    /// The section of the rules.
    pub spec: String,
    /// One sentence.
    pub why: String,
    /// The only targets it can run on; absent: all.
    pub targets: Option<Vec<String>>,
    /// Why not on all.
    pub reason: Option<String>,
    /// Members over the cast's configuration.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Events that `expect` does not look at.
    #[serde(default)]
    pub ignore_events: Vec<String>,
    /// In order.
    pub steps: Vec<Step>,
    /// The final list.
    pub roster: Value,
    /// The final version.
    pub version: Option<u64>,
}
