//! The parameters of `connect`, validated (reference 2.3).

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::params::{Length, Members, ParamsError};
use super::tree::{MAX_ITEMS, Tree};
use crate::model::entry::MAX_STRING_UNITS;
use crate::model::{ClientInfo, Role};

/// The newest protocol number this implementation speaks.
pub const NEWEST_PROTOCOL: u32 = 4;
/// The oldest protocol number this implementation speaks.
pub const OLDEST_PROTOCOL: u32 = 3;
/// Most items of `scopes` and `caps`.
pub const MAX_LIST_ITEMS: usize = 64;
/// Most items of `commands`.
pub const MAX_COMMANDS: usize = MAX_ITEMS;
/// The longest `client.timeZone`, in UTF-16 units.
const MAX_TIME_ZONE_UNITS: usize = 64;
/// The longest `client.buildId`, in UTF-16 units.
const MAX_BUILD_ID_UNITS: usize = 96;
/// The type of `device.signedAt`, for the answer to a text, or to seconds with a fraction.
const SIGNED_AT: &str = "integer (ms since the Unix epoch: the ts of connect.challenge)";
/// The length of a stored string of the handshake.
const STORED: Length = Length::nonempty(MAX_STRING_UNITS);
/// The length of a string that is used once: the frame's size bounds it.
const TRANSIENT: Length = Length::nonempty(usize::MAX);

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
    /// A token that a gateway issued for this device.
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

/// The members of a `connect` request that the gateway uses. Other members are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectParams {
    /// Lowest protocol number the client speaks.
    pub min_protocol: u32,
    /// Highest protocol number the client speaks.
    pub max_protocol: u32,
    /// The client.
    pub client: Arc<ClientInfo>,
    /// Extensions the client understands.
    pub caps: Vec<Box<str>>,
    /// Commands a node offers.
    pub commands: Vec<Box<str>>,
    /// Whether a node may report the input of its user: `permissions.accessibility` is `true`.
    pub may_report_input: bool,
    /// The requested role; a word that is not a role is refused after the protocol check.
    pub role: Option<Role>,
    /// The role exactly as sent ("operator" when absent): part of the device signature.
    pub role_word: Box<str>,
    /// The requested scopes, in order.
    pub scopes: Vec<Box<str>>,
    /// The device proof, if any.
    pub device: Option<DeviceProof>,
    /// The secrets offered.
    pub auth: AuthParams,
}

impl ConnectParams {
    /// Reads and validates the parameters of a `connect` request from JSON text; text that is not JSON counts as
    /// absent parameters. Unknown members are ignored, and any client id and mode is accepted. A required member that
    /// is missing, and a member that is too long or of the wrong type, are refused.
    ///
    /// ```
    /// use presence_core::wire::ConnectParams;
    /// let params = r#"{
    ///     "minProtocol": 3, "maxProtocol": 4,
    ///     "client": { "id": "my-tool", "version": "1.0", "platform": "linux", "mode": "ui" }
    /// }"#;
    /// let connect = ConnectParams::parse(params).unwrap();
    /// assert_eq!(connect.protocol(), Some(4));
    /// assert_eq!(&*connect.role_word, "operator");
    ///
    /// let refused = ConnectParams::parse("{}").unwrap_err();
    /// assert_eq!(refused.to_string(), "must have required property 'minProtocol'");
    /// ```
    ///
    /// # Errors
    /// Names the first bad member.
    pub fn parse(params: &str) -> Result<Self, ParamsError> {
        Self::of(&Tree::read(params).unwrap_or_default())
    }

    /// [`parse`](Self::parse), of parameters that are read.
    pub(crate) fn of(params: &Tree<'_>) -> Result<Self, ParamsError> {
        let root = Members::of(params)?;
        let min_protocol = protocol_number(&root, "minProtocol")?;
        let max_protocol = protocol_number(&root, "maxProtocol")?;
        let client = client_info(&root.required_object("client")?)?;
        let role_word = root
            .optional_string("role", STORED)?
            .unwrap_or(Role::Operator.as_str());
        check_unused(&root)?;
        Ok(Self {
            min_protocol,
            max_protocol,
            client: Arc::new(client),
            caps: strings(&root, "caps", MAX_LIST_ITEMS)?,
            commands: strings(&root, "commands", MAX_COMMANDS)?,
            may_report_input: accessibility(&root)?,
            role: Role::parse(role_word),
            role_word: role_word.into(),
            scopes: strings(&root, "scopes", MAX_LIST_ITEMS)?,
            device: root
                .optional_object("device")?
                .map(|device| DeviceProof::parse(&device))
                .transpose()?,
            auth: root
                .optional_object("auth")?
                .map(|auth| AuthParams::parse(&auth))
                .transpose()?
                .unwrap_or_default(),
        })
    }

    /// The protocol number in force: the highest that both sides speak, if any.
    #[must_use]
    pub fn protocol(&self) -> Option<u32> {
        let highest = self.max_protocol.min(NEWEST_PROTOCOL);
        (highest >= self.min_protocol && highest >= OLDEST_PROTOCOL).then_some(highest)
    }
}

/// Reads `connect.client`.
fn client_info(members: &Members<'_>) -> Result<ClientInfo, ParamsError> {
    let required = |name| members.required_string(name, STORED).map(Box::from);
    let optional = |name, length| Ok(members.optional_string(name, length)?.map(Box::from));
    members.optional_string("buildId", Length::nonempty(MAX_BUILD_ID_UNITS))?;
    Ok(ClientInfo {
        id: required("id")?,
        version: required("version")?,
        platform: required("platform")?,
        mode: required("mode")?,
        display_name: optional("displayName", STORED)?,
        device_family: optional("deviceFamily", STORED)?,
        model_identifier: optional("modelIdentifier", STORED)?,
        instance_id: optional("instanceId", STORED)?,
        time_zone: optional("timeZone", Length::nonempty(MAX_TIME_ZONE_UNITS))?,
    })
}

impl DeviceProof {
    fn parse(members: &Members<'_>) -> Result<Self, ParamsError> {
        Ok(Self {
            id: members.required_string("id", STORED)?.into(),
            public_key: members.required_string("publicKey", TRANSIENT)?.into(),
            signature: members.required_string("signature", TRANSIENT)?.into(),
            signed_at_ms: members
                .required_integer("signedAt", 0)
                .map_err(|error| error.with_expected(SIGNED_AT))?,
            nonce: members.optional_string("nonce", TRANSIENT)?.map(Box::from),
        })
    }
}

impl AuthParams {
    fn parse(members: &Members<'_>) -> Result<Self, ParamsError> {
        let optional = |name| Ok(members.optional_string(name, Length::ANY)?.map(Box::from));
        Ok(Self {
            token: optional("token")?,
            password: optional("password")?,
            device_token: optional("deviceToken")?,
            bootstrap_token: optional("bootstrapToken")?,
        })
    }

    /// Whether the client offered a token that looks like a device token of another gateway:
    /// `auth.deviceToken`, or 32 lower-case hex digits in `auth.token` beside a device (SPEC 4).
    #[must_use]
    pub fn offers_device_token(&self, has_device: bool) -> bool {
        let looks_issued = |token: &str| {
            token.len() == 32
                && token
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        self.device_token
            .as_deref()
            .is_some_and(|token| !token.is_empty())
            || (has_device && self.token.as_deref().is_some_and(looks_issued))
    }
}

fn protocol_number(members: &Members<'_>, name: &'static str) -> Result<u32, ParamsError> {
    let number = members.required_integer(name, 1)?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

fn strings(
    members: &Members<'_>,
    name: &'static str,
    max_items: usize,
) -> Result<Vec<Box<str>>, ParamsError> {
    let items = members.strings(name, max_items, STORED)?;
    Ok(items.into_iter().map(Box::from).collect())
}

/// Checks members with a known type that the gateway does not use.
fn check_unused(root: &Members<'_>) -> Result<(), ParamsError> {
    for name in ["pathEnv", "locale", "userAgent"] {
        root.optional_string(name, Length::ANY)?;
    }
    Ok(())
}

/// Checks the permissions, and returns the only one that this gateway uses.
fn accessibility(root: &Members<'_>) -> Result<bool, ParamsError> {
    let Some(permissions) = root.optional_object("permissions")? else {
        return Ok(false);
    };
    permissions.all_booleans()?;
    Ok(permissions.optional_bool("accessibility")?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
