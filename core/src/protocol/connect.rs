//! The parameters of `connect`, validated (reference 2.3).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::scope::Role;

/// What a client says of itself in `connect.client`. Strings are verbatim and non-empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// Which program this is ("cli", "openclaw-macos"); any non-empty string is accepted.
    pub id: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// Its operating system.
    pub platform: Box<str>,
    /// What it is for ("ui", "webchat", "node"); any non-empty string is accepted.
    pub mode: Box<str>,
    /// Human-readable name of the machine or tab.
    pub display_name: Option<Box<str>>,
    /// Hardware family.
    pub device_family: Option<Box<str>>,
    /// Hardware model.
    pub model_identifier: Option<Box<str>>,
    /// Stable identity of the client.
    pub instance_id: Option<Box<str>>,
    /// IANA time zone.
    pub time_zone: Option<Box<str>>,
}

/// `connect.device`: a claim to be a device, with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceProof {
    /// Lower-hex SHA-256 of the raw public key.
    pub id: Box<str>,
    /// The Ed25519 public key, base64url of 32 raw bytes, or PEM.
    pub public_key: Box<str>,
    /// The signature, base64url or base64 of 64 bytes.
    pub signature: Box<str>,
    /// When it was signed, ms since the Unix epoch.
    pub signed_at_ms: u64,
    /// The nonce of the challenge; absent in the oldest clients, and then refused.
    pub nonce: Option<Box<str>>,
}

/// `connect.auth`: the secrets a client offers. Never logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AuthParams {
    /// The shared token (or the password: either member may carry the secret).
    pub token: Option<Box<str>>,
    /// The shared password (or the token).
    pub password: Option<Box<str>>,
    /// A token some gateway issued for this device.
    pub device_token: Option<Box<str>>,
    /// A one-time set-up token.
    pub bootstrap_token: Option<Box<str>>,
}

impl core::fmt::Debug for AuthParams {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("AuthParams")
            .field("token", &self.token.is_some())
            .field("password", &self.password.is_some())
            .field("device_token", &self.device_token.is_some())
            .field("bootstrap_token", &self.bootstrap_token.is_some())
            .finish()
    }
}

/// Everything of a `connect` request that the gateway looks at. Other members are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectParams {
    /// Lowest protocol number the client speaks.
    pub min_protocol: u32,
    /// Highest protocol number the client speaks.
    pub max_protocol: u32,
    /// Who the client is.
    pub client: ClientInfo,
    /// Extensions the client understands.
    pub caps: Vec<Box<str>>,
    /// Commands a node offers.
    pub commands: Vec<Box<str>>,
    /// The role asked for; a word that is not a role is refused after the protocol check.
    pub role: Option<Role>,
    /// The role exactly as sent ("operator" when absent): part of the device signature.
    pub role_word: Box<str>,
    /// The scopes asked for, in order.
    pub scopes: Vec<Box<str>>,
    /// The device proof, if any.
    pub device: Option<DeviceProof>,
    /// The secrets offered.
    pub auth: AuthParams,
}
