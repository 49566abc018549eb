//! The facts about a `connect`, found in the plainest way: a second opinion on what the gateway's shell
//! finds out with more care.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use presence_core::Now;
use presence_core::model::ip;
use presence_core::server::{DeviceEvidence, Evidence, OriginEvidence, SecretEvidence};
use presence_core::wire::device::{Challenge, precheck};
use presence_core::wire::{AuthParams, ConnectParams};

use super::device::id_of;
use super::format::{Auth, AuthMode, Config};
use super::target::Opening;

/// The facts about one request.
#[must_use]
pub fn evidence(
    config: &Config,
    opening: &Opening,
    params: &ConnectParams,
    challenge: Challenge<'_>,
    now: Now,
) -> Evidence {
    Evidence {
        origin: origin(config, opening),
        secret: secret(&config.auth, &params.auth),
        device: device(params, challenge, now),
        grant: presence_core::server::Grant::default(),
    }
}

/// Listed, or a page of this machine in a browser of this machine.
fn origin(config: &Config, opening: &Opening) -> OriginEvidence {
    let Some(origin) = &opening.origin else {
        return OriginEvidence::Allowed;
    };
    let is_listed = config
        .allowed_origins
        .iter()
        .any(|allowed| allowed == "*" || allowed == origin);
    let host = origin.split("://").nth(1).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let is_local = ip::is_loopback(&opening.from) && (host == "localhost" || ip::is_loopback(host));
    if is_listed || is_local {
        OriginEvidence::Allowed
    } else {
        OriginEvidence::Refused(Some(origin.as_str().into()))
    }
}

fn secret(auth: &Auth, offered: &AuthParams) -> SecretEvidence {
    let offers = [&offered.token, &offered.password];
    let is_match = offers
        .iter()
        .any(|offer| offer.is_some() && offer.as_deref() == auth.secret.as_deref());
    let is_missing = offers.iter().all(|offer| offer.is_none());
    match (auth.mode, is_match, is_missing) {
        (AuthMode::None, ..) => SecretEvidence::NotRequired,
        (_, true, _) => SecretEvidence::Match,
        (AuthMode::Token, _, true) => SecretEvidence::TokenMissing,
        (AuthMode::Token, _, false) => SecretEvidence::TokenMismatch,
        (AuthMode::Password, _, true) => SecretEvidence::PasswordMissing,
        (AuthMode::Password, _, false) => SecretEvidence::PasswordMismatch,
    }
}

fn device(params: &ConnectParams, challenge: Challenge<'_>, now: Now) -> DeviceEvidence {
    let Some(proof) = &params.device else {
        return DeviceEvidence::Absent;
    };
    let Some(key) = public_key(&proof.public_key) else {
        return DeviceEvidence::PublicKeyInvalid;
    };
    if id_of(key.as_bytes()) != *proof.id {
        return DeviceEvidence::IdMismatch;
    }
    let texts = match precheck(params, challenge, now) {
        Ok(texts) => texts,
        Err(evidence) => return evidence,
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(&*proof.signature)
        .or_else(|_| STANDARD.decode(&*proof.signature));
    let signature = bytes.ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
    let verifies =
        |text: &String| signature.is_some_and(|signature| key.verify(text.as_bytes(), &signature).is_ok());
    if texts.iter().any(verifies) {
        DeviceEvidence::Verified
    } else {
        DeviceEvidence::SignatureInvalid
    }
}

fn public_key(text: &str) -> Option<VerifyingKey> {
    if text.contains("BEGIN") {
        return VerifyingKey::from_public_key_pem(text).ok();
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()
}
