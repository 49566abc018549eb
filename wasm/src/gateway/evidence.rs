//! Device proofs, which JavaScript verifies with WebCrypto.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use presence_core::Now;
use presence_core::server::DeviceEvidence;
use presence_core::wire::device::Challenge;
use presence_core::wire::{ConnectParams, device};
use serde::Serialize;
use tsify::Tsify;
use wasm_bindgen::JsValue;

use crate::error::invalid;

/// The outcome for a `signedAt` that is too far off; both times follow it, separated by blanks.
const EXPIRED: &str = "signature-expired";
const WORDS: [(&str, DeviceEvidence); 6] = [
    ("verified", DeviceEvidence::Verified),
    ("id-mismatch", DeviceEvidence::IdMismatch),
    ("public-key-invalid", DeviceEvidence::PublicKeyInvalid),
    ("signature-invalid", DeviceEvidence::SignatureInvalid),
    ("nonce-required", DeviceEvidence::NonceRequired),
    ("nonce-mismatch", DeviceEvidence::NonceMismatch),
];

/// What to verify: whether the id is the digest of the key; then, unless there is a `refusal`, whether the
/// signature is over one of the texts.
#[derive(Debug, Serialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct DeviceQuestion {
    device_id: Box<str>,
    public_key: Box<str>,
    signature: Box<str>,
    /// The outcome that does not depend on the signature, if there is one.
    refusal: Option<String>,
    texts: Vec<String>,
}

impl DeviceQuestion {
    /// Returns what to verify in a request; `None` if it has no device.
    pub(super) fn of(params: &ConnectParams, challenge: Challenge<'_>, now: Now) -> Option<Self> {
        let proof = params.device.clone()?;
        let (refusal, texts) = match device::precheck(params, challenge, now) {
            Ok(texts) => (None, texts.into()),
            Err(evidence) => (Some(word(evidence)), Vec::new()),
        };
        Some(Self {
            device_id: proof.id,
            public_key: proof.public_key,
            signature: proof.signature,
            refusal,
            texts,
        })
    }
}

fn word(evidence: DeviceEvidence) -> String {
    if let DeviceEvidence::SignatureExpired { signed_at_ms, now_ms } = evidence {
        return format!("{EXPIRED} {signed_at_ms} {now_ms}");
    }
    let word = WORDS.iter().find(|(_, known)| *known == evidence);
    word.map_or_else(String::new, |(word, _)| (*word).into())
}

pub(super) fn parse(word: &str) -> Result<DeviceEvidence, JsValue> {
    if let Some(times) = word.strip_prefix(EXPIRED) {
        let mut times = times.split_ascii_whitespace().map(str::parse);
        let (Some(Ok(signed_at_ms)), Some(Ok(now_ms))) = (times.next(), times.next()) else {
            return Err(invalid("outcome", "lacks its times"));
        };
        return Ok(DeviceEvidence::SignatureExpired { signed_at_ms, now_ms });
    }
    let known = WORDS.iter().find(|(known, _)| *known == word);
    known
        .map(|(_, evidence)| *evidence)
        .ok_or_else(|| invalid("outcome", "is not a known word"))
}
