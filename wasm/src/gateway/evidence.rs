//! Device proofs: JavaScript has the cryptography (WebCrypto), so it is asked.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use presence_core::Now;
use presence_core::server::DeviceEvidence;
use presence_core::wire::{ConnectParams, DeviceProof, device};
use wasm_bindgen::JsValue;

use crate::error::invalid;

/// The word for a `signedAt` that is too far off; both times follow it, separated by blanks.
const EXPIRED: &str = "signature-expired";
const WORDS: [(&str, DeviceEvidence); 6] = [
    ("verified", DeviceEvidence::Verified),
    ("id-mismatch", DeviceEvidence::IdMismatch),
    ("public-key-invalid", DeviceEvidence::PublicKeyInvalid),
    ("signature-invalid", DeviceEvidence::SignatureInvalid),
    ("nonce-required", DeviceEvidence::NonceRequired),
    ("nonce-mismatch", DeviceEvidence::NonceMismatch),
];

/// What to verify: whether the id is the digest of the key; then, unless `refusal` says what else is
/// wrong, whether the signature is over one of the texts.
#[derive(Debug)]
pub(super) struct DeviceQuestion {
    proof: DeviceProof,
    checked: Result<[String; 2], DeviceEvidence>,
}

impl DeviceQuestion {
    /// The question a request raises; nothing if it has no device.
    pub(super) fn of(params: &ConnectParams, nonce: &str, now: Now) -> Option<Self> {
        let proof = params.device.clone()?;
        Some(Self {
            proof,
            checked: device::precheck(params, nonce, now),
        })
    }

    pub(super) fn push_to(&self, event: &mut Vec<JsValue>) {
        let mut text = |text: &str| event.push(text.into());
        let proof = &self.proof;
        for field in [&proof.id, &proof.public_key, &proof.signature] {
            text(field);
        }
        match &self.checked {
            Ok(texts) => {
                text("");
                texts.iter().for_each(|signed| text(signed));
            }
            Err(DeviceEvidence::SignatureExpired { signed_at_ms, now_ms }) => {
                text(&format!("{EXPIRED} {signed_at_ms} {now_ms}"));
            }
            Err(evidence) => {
                text(
                    WORDS
                        .iter()
                        .find(|(_, known)| known == evidence)
                        .map_or("", |(word, _)| word),
                );
            }
        }
    }
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
