//! One row of the roster in the wire format (SPEC 1.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// The greatest integer that every consumer represents exactly: 2^53 - 1. Numbers are sent as integers
/// in `0..=MAX_SAFE_INTEGER`, whatever was received (SPEC 1.1).
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Most roles, and most scopes, of a row that collects them from several connections or rows.
pub(crate) const MAX_SET: usize = 64;

/// The longest string of an entry, in UTF-16 units (SPEC 1.1).
pub const MAX_STRING_UNITS: usize = 1_024;

/// The longest `text` of an entry, in UTF-16 units (SPEC 1.1).
pub const MAX_TEXT_UNITS: usize = 4_096;

/// The longest `text` of an entry, in bytes as JSON has it between its quotes (SPEC 1.1).
pub const MAX_TEXT_BYTES: usize = 4_096;
/// The longest `user.id`, in UTF-16 units (SPEC 4, "Users").
pub const MAX_USER_UNITS: usize = 256;

/// The members of an entry that are times, which the digest leaves out (SPEC 2.1).
pub const TIME_MEMBERS: [&str; 4] = ["ts", "lastInputSeconds", "onlineSince", "lastActivityAt"];

/// One row of the presence list. An absent member is omitted from the JSON, never `null`.
///
/// ```
/// use presence_core::PresenceEntry;
/// let entry = PresenceEntry { host: Some("studio".into()), ts: 5, ..PresenceEntry::default() };
/// assert_eq!(serde_json::to_string(&entry).unwrap(), r#"{"host":"studio","ts":5}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PresenceEntry {
    /// Human-readable host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Box<str>>,
    /// Best-effort IP address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Box<str>>,
    /// Version of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Box<str>>,
    /// Operating system, as the client states it ("macos 26.1.0").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Box<str>>,
    /// Hardware family ("Mac", "iPhone", "Linux").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_family: Option<Box<str>>,
    /// Hardware model ("Mac16,6").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_identifier: Option<Box<str>>,
    /// The kind of client ("ui", "webchat", "node", "gateway", ...).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Box<str>>,
    /// Seconds between the last user input and `ts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_input_seconds: Option<u64>,
    /// Why the row was last written ("connect", "periodic", "disconnect", ...).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
    /// Stable identity of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<Box<str>>,
    /// Identity of the device: lower-hex SHA-256 of its public key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Box<str>>,
    /// Roles of the row's live connections, then those beacons added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Box<str>>,
    /// Scopes of the row's live connections, then those beacons added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Box<str>>,
    /// The `client.id` of the last handshake ("openclaw-macos").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Box<str>>,
    /// IANA time zone of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Box<str>>,
    /// The line a beacon sent, or one made of host and mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Box<str>>,
    /// Start of the unbroken stay, ms since the Unix epoch on the gateway's clock; only while there is a
    /// live connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online_since: Option<u64>,
    /// When the user last gave input, ms since the Unix epoch on the gateway's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_activity_at: Option<u64>,
    /// The user of the connection, as a trusted proxy states it: `user.id` on the wire.
    #[serde(rename = "user", with = "user", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Box<str>>,
    /// When the row was last written or touched, ms since the Unix epoch on the gateway's clock.
    pub ts: u64,
}

/// `user` on the wire: an object with an `id`. Other members are not kept.
mod user {
    use alloc::boxed::Box;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct User<T> {
        id: T,
    }

    pub(super) fn serialize<S: Serializer>(id: &Option<Box<str>>, serializer: S) -> Result<S::Ok, S::Error> {
        id.as_deref().map(|id| User { id }).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Box<str>>, D::Error> {
        let user: Option<User<Box<str>>> = Option::deserialize(deserializer)?;
        Ok(user.map(|user| user.id))
    }
}
