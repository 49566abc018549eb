//! Admission of clients: the order of checks and the answers (reference 2.5, SPEC 4).
//!
//! The shell collects the [`Evidence`] (compares secrets, verifies signatures, checks the Origin
//! header), the core decides. The order is frame, method, parameters, protocol, role; then
//! origin, secret, device. The first check that fails is the answer.

use alloc::boxed::Box;

use super::grant::Grant;
use super::refused::Introduction;
use crate::model::{Now, Role};
pub use crate::wire::device::DeviceEvidence;
use crate::wire::error::{ClientKind, Misplaced, SecretKind};
use crate::wire::method::CONNECT;
use crate::wire::request::RequestFrame;
use crate::wire::{CloseFrame, ConnectParams, ErrorKind, WireError};

/// The shell's evidence about one `connect` request.
///
/// The shell should check in this order and may stop at the first failure: a page from a foreign
/// origin must not use up the attempts of its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The Origin header against the allowed ones.
    pub origin: OriginEvidence,
    /// The shared secret.
    pub secret: SecretEvidence,
    /// The device proof.
    pub device: DeviceEvidence,
    /// The grant of the matching secret.
    pub grant: Grant,
}

/// The outcome of the origin check (reference 3.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginEvidence {
    /// No Origin header, or an allowed one.
    Allowed,
    /// An Origin that is not allowed; without one, the Host is not.
    Refused(Option<Box<str>>),
}

/// The outcome of comparing the shared secret (SPEC 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretEvidence {
    /// The gateway requires none (mode `none`).
    NotRequired,
    /// One of the offered secrets is the right one.
    Match,
    /// The gateway wants a token and the client offered none.
    TokenMissing,
    /// The gateway wants a password and the client offered none.
    PasswordMissing,
    /// The gateway requires a token, and no offered secret equals it.
    TokenMismatch,
    /// The gateway requires a password, and no offered secret equals it.
    PasswordMismatch,
    /// The token is right but expired.
    TokenExpired,
    /// The client offered no secret where it is read, but put one elsewhere.
    Misplaced {
        /// The required secret.
        kind: SecretKind,
        /// The place of the secret.
        place: Misplaced,
    },
    /// Too many wrong secrets from this address; nothing was compared.
    RateLimited {
        /// When to try again, in ms.
        retry_after_ms: u64,
        /// All clients behind one proxy share the limit, because the gateway cannot distinguish them.
        is_proxied: bool,
    },
}

/// Judges a request of plain HTTP, which proves no device, with the checks and errors of a handshake.
///
/// # Errors
/// The error to answer.
pub fn judge_request(origin: OriginEvidence, secret: SecretEvidence) -> Result<(), WireError> {
    let claim = Claim {
        device_id: None,
        signed_at_ms: None,
        offers_device_token: false,
        client: ClientKind::Other,
    };
    let device = DeviceEvidence::Absent;
    claim
        .judge(
            Role::Operator,
            &Evidence {
                origin,
                secret,
                device,
                grant: Grant::Everything,
            },
        )
        .map(drop)
}

/// A refused handshake: the answer, whose message is also the reason of the close.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: WireError,
    /// The refused client, for the log.
    pub(super) client: Box<Introduction>,
}

impl Refusal {
    pub(super) fn new(error: WireError, client: Introduction) -> Self {
        let client = Box::new(client);
        Self { error, client }
    }

    pub(super) fn close(&self) -> CloseFrame {
        let code = match self.error.kind {
            ErrorKind::ProtocolMismatch => CloseFrame::PROTOCOL_MISMATCH.code,
            ErrorKind::RateLimited => CloseFrame::TRY_AGAIN_LATER,
            ErrorKind::Refused | ErrorKind::UnauthorizedRole => CloseFrame::POLICY_VIOLATION,
        };
        CloseFrame::new(code, self.error.message.clone())
    }
}

/// A `connect` request that passed all checks of its frame.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) params: ConnectParams,
    pub(super) protocol: u32,
    pub(super) role: Role,
}

/// The checks on the first request itself.
pub(super) fn examine(request: &RequestFrame<'_>) -> Result<Examined, Refusal> {
    if *request.method != *CONNECT {
        return Err(Refusal::new(WireError::connect_first(), Introduction::default()));
    }
    let params = ConnectParams::of(&request.params).map_err(|reason| {
        let error = WireError::invalid_params(CONNECT, &reason);
        Refusal::new(error, Introduction::of_tree(&request.params))
    })?;
    let (protocol, role) = match (params.protocol(), params.role) {
        (Some(protocol), Some(role)) => (protocol, role),
        (protocol, _) => {
            let error = match protocol {
                None => WireError::protocol_mismatch(params.min_protocol, params.max_protocol),
                Some(_) => WireError::invalid_role(),
            };
            return Err(Refusal::new(error, Introduction::of_params(&params)));
        }
    };
    Ok(Examined {
        params,
        protocol,
        role,
    })
}

/// The parts of a `connect` request that are needed to judge its evidence.
#[derive(Debug)]
pub(super) struct Claim {
    /// The claimed device.
    pub(super) device_id: Option<Box<str>>,
    /// The stated time of its proof, in ms since the Unix epoch.
    signed_at_ms: Option<u64>,
    /// Whether it offered a token that looks like another gateway's device token.
    offers_device_token: bool,
    client: ClientKind,
}

impl Claim {
    pub(super) fn of(params: &ConnectParams) -> Self {
        Self {
            device_id: params.device.as_ref().map(|device| device.id.clone()),
            signed_at_ms: params.device.as_ref().map(|device| device.signed_at_ms),
            offers_device_token: params.auth.offers_device_token(params.device.is_some()),
            client: ClientKind::of(&params.client.id, &params.client.mode),
        }
    }

    /// How far the time of its proof is ahead of `now`, in ms.
    pub(super) fn skew_ms(&self, now: Now) -> Option<i64> {
        let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        Some(signed(self.signed_at_ms?).saturating_sub(signed(now.wall_ms)))
    }

    /// The checks of the shell's evidence. Returns the verified device id.
    pub(super) fn judge(self, role: Role, evidence: &Evidence) -> Result<Option<Box<str>>, WireError> {
        if let OriginEvidence::Refused(origin) = &evidence.origin {
            return Err(WireError::origin_not_allowed(origin.as_deref()));
        }
        self.judge_secret(evidence.secret)?;
        if !evidence.grant.permits_role(role) {
            return Err(WireError::unauthorized_role(role));
        }
        let device = match (evidence.device, &self.device_id) {
            // An unverified claim is a bad proof, never an absent one.
            (DeviceEvidence::Absent, Some(_)) => DeviceEvidence::SignatureInvalid,
            (found, _) => found,
        };
        match WireError::device_refused(device) {
            Some(error) => Err(error),
            None => Ok(self.device_id),
        }
    }

    fn judge_secret(&self, evidence: SecretEvidence) -> Result<(), WireError> {
        let (missing, kind) = match evidence {
            SecretEvidence::NotRequired | SecretEvidence::Match => return Ok(()),
            SecretEvidence::RateLimited {
                retry_after_ms,
                is_proxied,
            } => {
                return Err(WireError::rate_limited(retry_after_ms, is_proxied));
            }
            SecretEvidence::TokenExpired => return Err(WireError::token_expired()),
            SecretEvidence::TokenMissing => (Some(None), SecretKind::Token),
            SecretEvidence::PasswordMissing => (Some(None), SecretKind::Password),
            SecretEvidence::Misplaced { kind, place } => (Some(Some(place)), kind),
            SecretEvidence::TokenMismatch => (None, SecretKind::Token),
            SecretEvidence::PasswordMismatch => (None, SecretKind::Password),
        };
        Err(if self.offers_device_token {
            WireError::foreign_device_token()
        } else if let Some(place) = missing {
            WireError::secret_missing(kind, self.client, place)
        } else {
            WireError::secret_mismatch(kind, self.client)
        })
    }
}
