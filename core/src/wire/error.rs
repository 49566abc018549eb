//! Error objects of response frames (reference 2.2 and 2.5).
//!
//! The first words of each message are those of OpenClaw's gateways, because clients and users look
//! for them; the hints in parentheses are ours. `details.code` is only set where a client should stop
//! until a person acts: clients of protocol 4 stop reconnecting on most of these codes.

mod kind;
mod origin;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;

use serde::Serialize;
use serde_json::{Value, json};

pub use self::kind::ErrorKind;
use super::connect::{NEWEST_PROTOCOL, OLDEST_PROTOCOL};
use super::device::DeviceEvidence;
use super::params::ParamsError;
use super::skew;
use crate::model::Role;
use crate::model::text::prefix_bytes;

/// The code of a device proof that was signed too long ago, or in the future.
pub(crate) const SIGNATURE_EXPIRED: &str = "DEVICE_AUTH_SIGNATURE_EXPIRED";

/// The code of a request that can never succeed as it is.
pub const INVALID_REQUEST: &str = "INVALID_REQUEST";
/// The code of a call whose scope is missing, on protocol 4.
pub const FORBIDDEN: &str = "FORBIDDEN";
/// The code of a request that this gateway cannot serve now, or does not support.
pub const UNAVAILABLE: &str = "UNAVAILABLE";

/// Most bytes of a client's method name that an error repeats.
const MAX_ECHO_BYTES: usize = 128;

/// The `error` of a response frame.
///
/// ```
/// use presence_core::wire::WireError;
/// let error = WireError::missing_scope("operator.read", 4);
/// assert_eq!(
///     serde_json::to_string(&error).unwrap(),
///     r#"{"code":"FORBIDDEN","message":"missing scope: operator.read","details":{"code":"MISSING_SCOPE","missingScope":"operator.read","requiredScopes":["operator.read"]}}"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WireError {
    /// The kind of error; not sent.
    #[serde(skip)]
    pub kind: ErrorKind,
    /// [`INVALID_REQUEST`], [`FORBIDDEN`] or [`UNAVAILABLE`].
    pub code: &'static str,
    /// For people; names the bad member.
    pub message: Cow<'static, str>,
    /// For programs; `details.code` is what clients act on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<Value>>,
    /// Whether the same request may succeed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// After how many ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// The kind of shared secret that the gateway requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// A token (mode `token`).
    Token,
    /// A password (mode `password`).
    Password,
}

impl SecretKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Password => "password",
        }
    }

    /// The remedy for a missing or wrong secret, in the terms of the client.
    const fn hint(self, client: ClientKind) -> &'static str {
        match (self, client) {
            (Self::Token, ClientKind::CommandLine) => "set OPENCLAW_GATEWAY_TOKEN to this gateway's token",
            (Self::Token, ClientKind::Browser) => {
                "open the URL the gateway printed, or paste its token in the settings"
            }
            (Self::Token, ClientKind::Other) => "provide this gateway's token",
            (Self::Password, ClientKind::CommandLine) => {
                "set OPENCLAW_GATEWAY_PASSWORD to this gateway's password"
            }
            (Self::Password, ClientKind::Browser) => "enter the gateway's password in the settings",
            (Self::Password, ClientKind::Other) => "provide this gateway's password",
        }
    }
}

/// A place that is not read, in which a client put a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// In the query of the URL.
    Query,
    /// In an `Authorization` header.
    Header,
}

impl Misplaced {
    const fn word(self) -> &'static str {
        match self {
            Self::Query => "URL's query",
            Self::Header => "Authorization header",
        }
    }
}

/// Where a person would set the secret: used only for the hint of an auth error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// The `openclaw` command line.
    CommandLine,
    /// The Control UI or a WebChat.
    Browser,
    /// Anything else.
    Other,
}

impl ClientKind {
    /// From `client.id` and `client.mode`.
    #[must_use]
    pub fn of(id: &str, mode: &str) -> Self {
        match (id, mode) {
            ("cli", _) | (_, "cli") => Self::CommandLine,
            ("openclaw-control-ui" | "webchat-ui" | "webchat", _) | (_, "webchat") => Self::Browser,
            _ => Self::Other,
        }
    }
}

impl WireError {
    /// `INVALID_REQUEST` with `message`.
    #[must_use]
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID_REQUEST, message, None)
    }

    /// `UNAVAILABLE` with `message`, not worth a retry.
    #[must_use]
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(UNAVAILABLE, message, None)
    }

    /// `invalid request frame: <reason>`.
    #[must_use]
    pub fn invalid_frame(reason: &str) -> Self {
        Self::invalid_request(format!("invalid request frame: {reason}"))
    }

    /// `invalid <method> params: <reason>`, or `text required`.
    #[must_use]
    pub fn invalid_params(method: &str, reason: &ParamsError) -> Self {
        if reason.is_text_required() {
            return Self::invalid_request("text required");
        }
        Self::invalid_request(format!("invalid {method} params: {reason}"))
    }

    /// The first request was not `connect`.
    #[must_use]
    pub fn connect_first() -> Self {
        Self::invalid_request("invalid handshake: first request must be connect")
    }

    /// `connect` came again.
    #[must_use]
    pub fn connect_again() -> Self {
        Self::invalid_request("connect is only valid as the first request")
    }

    /// The client's range of protocol numbers contains none of ours.
    #[must_use]
    pub fn protocol_mismatch(client_min: u32, client_max: u32) -> Self {
        let error = Self::new(
            INVALID_REQUEST,
            "protocol mismatch",
            Some(json!({
                "code": "PROTOCOL_MISMATCH",
                "clientMinProtocol": client_min,
                "clientMaxProtocol": client_max,
                "expectedProtocol": NEWEST_PROTOCOL,
                "minimumProbeProtocol": OLDEST_PROTOCOL,
            })),
        );
        error.of_kind(ErrorKind::ProtocolMismatch)
    }

    /// `connect.role` is neither `operator` nor `node`.
    #[must_use]
    pub fn invalid_role() -> Self {
        Self::invalid_request("invalid role")
    }

    /// The client offered no secret where it is read, but may have put one elsewhere.
    #[must_use]
    pub fn secret_missing(kind: SecretKind, client: ClientKind, misplaced: Option<Misplaced>) -> Self {
        let (code, reason) = match kind {
            SecretKind::Token => ("AUTH_TOKEN_MISSING", "token_missing"),
            SecretKind::Password => ("AUTH_PASSWORD_MISSING", "password_missing"),
        };
        let word = kind.word();
        let message = match misplaced {
            None => format!("unauthorized: gateway {word} missing ({})", kind.hint(client)),
            Some(place) => format!(
                "unauthorized: gateway {word} missing (the {} was not read: send it in connect params as auth.{word})",
                place.word()
            ),
        };
        Self::auth(message, code, reason, "update_auth_configuration")
    }

    /// None of the offered secrets is the right one.
    #[must_use]
    pub fn secret_mismatch(kind: SecretKind, client: ClientKind) -> Self {
        let (code, reason) = match kind {
            SecretKind::Token => ("AUTH_TOKEN_MISMATCH", "token_mismatch"),
            SecretKind::Password => ("AUTH_PASSWORD_MISMATCH", "password_mismatch"),
        };
        let message = format!(
            "unauthorized: gateway {} mismatch ({})",
            kind.word(),
            kind.hint(client)
        );
        Self::auth(message, code, reason, "update_auth_credentials")
    }

    /// The token was valid once. A client with this code stops until a person acts.
    #[must_use]
    pub fn token_expired() -> Self {
        Self::auth(
            "unauthorized: gateway token expired (ask for a new one)",
            "AUTH_TOKEN_MISMATCH",
            "token_mismatch",
            "update_auth_credentials",
        )
    }

    /// The client sent a token that looks like a device token of another gateway (SPEC 4). It has
    /// no other token to try here, so the error advises against a retry.
    #[must_use]
    pub fn foreign_device_token() -> Self {
        Self::auth(
            "unauthorized: gateway token mismatch (a device token stored from another gateway was sent; \
             this gateway issues none: run the command again with this gateway's token)",
            "AUTH_TOKEN_MISMATCH",
            "token_mismatch",
            "update_auth_credentials",
        )
    }

    /// Too many wrong secrets from this address; nothing was compared. Without `details.code`: on
    /// `AUTH_RATE_LIMITED` real clients stop for good (reference 4.4). `is_proxied`: clients behind one
    /// proxy share the limit.
    #[must_use]
    pub fn rate_limited(retry_after_ms: u64, is_proxied: bool) -> Self {
        let why = if is_proxied {
            "all clients behind this proxy share one limit: add it to the gateway's `trusted-proxy` setting"
        } else {
            "wrong secrets from this address are limited"
        };
        let seconds = retry_after_ms.div_ceil(1_000);
        let message =
            format!("unauthorized: too many failed authentication attempts ({why}; retry in {seconds} s)");
        let mut error = Self::unavailable(message).of_kind(ErrorKind::RateLimited);
        error.retryable = Some(true);
        error.retry_after_ms = Some(retry_after_ms);
        error
    }

    /// The code that clients act on: `details.code`, else `code`.
    #[must_use]
    pub fn stated_code(&self) -> &str {
        let stated = self.details.as_ref().and_then(|details| details.get("code"));
        stated.and_then(Value::as_str).unwrap_or(self.code)
    }

    /// The device proof is bad; `None` if `evidence` states no defect.
    #[must_use]
    pub fn device_refused(evidence: DeviceEvidence) -> Option<Self> {
        let (message, code, reason) = match evidence {
            DeviceEvidence::Absent | DeviceEvidence::Verified => return None,
            DeviceEvidence::IdMismatch => (
                "device identity mismatch",
                "DEVICE_AUTH_DEVICE_ID_MISMATCH",
                "device-id-mismatch",
            ),
            DeviceEvidence::PublicKeyInvalid => (
                "device public key invalid",
                "DEVICE_AUTH_PUBLIC_KEY_INVALID",
                "device-public-key",
            ),
            DeviceEvidence::SignatureInvalid => (
                "device signature invalid",
                "DEVICE_AUTH_SIGNATURE_INVALID",
                "device-signature",
            ),
            DeviceEvidence::SignatureExpired { .. } => (
                "device signature expired",
                SIGNATURE_EXPIRED,
                "device-signature-stale",
            ),
            DeviceEvidence::NonceRequired => (
                "device nonce required",
                "DEVICE_AUTH_NONCE_REQUIRED",
                "device-nonce-missing",
            ),
            DeviceEvidence::NonceMismatch => (
                "device nonce mismatch",
                "DEVICE_AUTH_NONCE_MISMATCH",
                "device-nonce-mismatch",
            ),
        };
        let message = match evidence {
            DeviceEvidence::SignatureExpired { signed_at_ms, now_ms } => {
                format!("{message} ({})", skew::hint(signed_at_ms, now_ms)).into()
            }
            _ => Cow::Borrowed(message),
        };
        let details = json!({ "code": code, "reason": reason });
        Some(Self::new(INVALID_REQUEST, message, Some(details)))
    }

    /// The connection lacks `scope`. Protocol 4 has a code and details for this, protocol 3 only text.
    #[must_use]
    pub fn missing_scope(scope: &str, protocol: u32) -> Self {
        let message = format!("missing scope: {scope}");
        if protocol < NEWEST_PROTOCOL {
            return Self::invalid_request(message);
        }
        let details = json!({ "code": "MISSING_SCOPE", "missingScope": scope, "requiredScopes": [scope] });
        Self::new(FORBIDDEN, message, Some(details))
    }

    /// The method is not for this role.
    #[must_use]
    pub fn unauthorized_role(role: Role) -> Self {
        let message = format!("unauthorized role: {}", role.as_str());
        Self::invalid_request(message).of_kind(ErrorKind::UnauthorizedRole)
    }

    /// The method does not exist here. A long name is cut.
    #[must_use]
    pub fn unknown_method(method: &str) -> Self {
        let echo = prefix_bytes(method, MAX_ECHO_BYTES);
        let dots = if echo == method { "" } else { "..." };
        Self::invalid_request(format!("unknown method: {echo}{dots}"))
    }

    fn of_kind(self, kind: ErrorKind) -> Self {
        Self { kind, ..self }
    }

    fn auth(message: impl Into<Cow<'static, str>>, code: &str, reason: &str, next_step: &str) -> Self {
        let details = json!({
            "code": code,
            "authReason": reason,
            // This gateway issues no device tokens, so clients never have one to retry with.
            "canRetryWithDeviceToken": false,
            "recommendedNextStep": next_step,
        });
        Self::new(INVALID_REQUEST, message, Some(details))
    }

    fn new(code: &'static str, message: impl Into<Cow<'static, str>>, details: Option<Value>) -> Self {
        Self {
            kind: ErrorKind::Refused,
            code,
            message: message.into(),
            details: details.map(Box::new),
            retryable: None,
            retry_after_ms: None,
        }
    }
}

#[cfg(test)]
mod tests;
