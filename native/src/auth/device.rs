//! The device proof: an Ed25519 signature over the client's parameters (reference 3.3).

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::{Signature, VerifyingKey};
use presence_core::Now;
use presence_core::server::DeviceEvidence;
use presence_core::wire::connect::NEWEST_PROTOCOL;
use presence_core::wire::device::Challenge;
use presence_core::wire::{ConnectParams, device};
use sha2::{Digest, Sha256};

/// Clients send both alphabets, with and without padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);

/// Prefix of the raw key in the DER encoding of an Ed25519 public key.
const DER_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Verifies the proof of a `connect` request. `challenge` is this connection's.
pub(crate) fn verify(params: &ConnectParams, challenge: Challenge<'_>, now: Now) -> DeviceEvidence {
    let Some(proof) = &params.device else {
        return DeviceEvidence::Absent;
    };
    let Some(raw_key) = public_key(&proof.public_key) else {
        return DeviceEvidence::PublicKeyInvalid;
    };
    if device_id(&raw_key) != *proof.id {
        return DeviceEvidence::IdMismatch;
    }
    let mut texts = match device::precheck(params, challenge, now) {
        Ok(texts) => texts,
        Err(evidence) => return evidence,
    };
    // Clients that also speak the old protocol sign the text that old gateways verify. The likelier text goes first,
    // because a verification costs as much as the rest of a handshake.
    if params.min_protocol < NEWEST_PROTOCOL {
        texts.reverse();
    }
    let Ok(key) = VerifyingKey::from_bytes(&raw_key) else {
        return DeviceEvidence::PublicKeyInvalid;
    };
    let signature = decode(&proof.signature).and_then(|bytes| Signature::from_slice(&bytes).ok());
    let is_signed = |signature: &Signature| {
        texts
            .iter()
            .any(|text| key.verify_strict(text.as_bytes(), signature).is_ok())
    };
    if signature.is_some_and(|signature| is_signed(&signature)) {
        DeviceEvidence::Verified
    } else {
        DeviceEvidence::SignatureInvalid
    }
}

/// Returns the id of a device: the SHA-256 of its raw public key in lower-case hex.
pub(crate) fn device_id(raw_key: &[u8; 32]) -> String {
    Sha256::digest(raw_key)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A public key as base64url or base64 of the raw key, or as PEM.
fn public_key(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("-----BEGIN PUBLIC KEY-----") {
        let (body, _) = rest.split_once("-----END")?;
        let body: String = body.split_ascii_whitespace().collect();
        return decode(&body)?.strip_prefix(&DER_PREFIX)?.try_into().ok();
    }
    decode(text)?.try_into().ok()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    BASE64URL.decode(text).or_else(|_| BASE64.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use serde_json::{Value, json};

    use super::*;

    const NONCE: &str = "72dca263-3f16-47f0-9f94-a9e3a54919b6";
    const SIGNED_AT: u64 = 1_795_293_120_735;

    /// What a real command line of protocol 3 sent to its gateway.
    fn recorded() -> Value {
        json!({
            "minProtocol": 3, "maxProtocol": 3,
            "client": { "id": "cli", "version": "dev", "platform": "linux", "mode": "cli" },
            "auth": { "token": "2ef2358e3e7b483ab805462ea5007833" },
            "role": "operator",
            "scopes": ["operator.admin", "operator.approvals", "operator.pairing"],
            "device": {
                "id": "8ef042b25ba916afbb7c4f9824ed0d48905b6755467ae9f0206c600726be30f5",
                "publicKey": "q6KQYpI0-b7AEdfr0PgSNu03QSW1goQYYmeWefVWGmc",
                "signature":
                    "INHXLbMe6a2g5Kulh116Ph31T6fVbDfgqFXuSPyyixv7V6-jxw5KHPutaG3oZQ3R2weVVtyHL4X0O2UK30WECw",
                "signedAt": SIGNED_AT,
                "nonce": NONCE,
            },
        })
    }

    fn check(request: &Value) -> DeviceEvidence {
        let params = ConnectParams::parse(&request.to_string()).unwrap();
        verify(
            &params,
            Challenge {
                nonce: NONCE,
                ts_ms: 0,
            },
            Now {
                age_ms: 0,
                wall_ms: SIGNED_AT + 5,
            },
        )
    }

    fn changed(pointer: &str, value: Value) -> Value {
        let mut request = recorded();
        *request.pointer_mut(pointer).unwrap() = value;
        request
    }

    #[test]
    fn a_recorded_proof_verifies() {
        assert_eq!(check(&recorded()), DeviceEvidence::Verified);
    }

    #[test]
    fn every_changed_member_invalidates_the_signature() {
        let cases = [
            ("/device/id", json!("00"), DeviceEvidence::IdMismatch),
            (
                "/device/publicKey",
                json!("AAAA"),
                DeviceEvidence::PublicKeyInvalid,
            ),
            ("/device/publicKey", json!("!"), DeviceEvidence::PublicKeyInvalid),
            (
                "/device/signature",
                json!("AAAA"),
                DeviceEvidence::SignatureInvalid,
            ),
            ("/device/signature", json!("!"), DeviceEvidence::SignatureInvalid),
            (
                "/device/signedAt",
                json!(SIGNED_AT + 1),
                DeviceEvidence::SignatureInvalid,
            ),
            (
                "/device/signedAt",
                json!(SIGNED_AT - 600_000),
                DeviceEvidence::SignatureExpired {
                    signed_at_ms: SIGNED_AT - 600_000,
                    now_ms: SIGNED_AT + 5,
                },
            ),
            ("/device/nonce", json!("another"), DeviceEvidence::NonceMismatch),
            ("/client/id", json!("clj"), DeviceEvidence::SignatureInvalid),
            ("/client/mode", json!("ui"), DeviceEvidence::SignatureInvalid),
            ("/role", json!("node"), DeviceEvidence::SignatureInvalid),
            (
                "/scopes/0",
                json!("operator.read"),
                DeviceEvidence::SignatureInvalid,
            ),
            ("/auth/token", json!("other"), DeviceEvidence::SignatureInvalid),
        ];
        for (pointer, value, wanted) in cases {
            assert_eq!(check(&changed(pointer, value)), wanted, "{pointer}");
        }
        let mut no_nonce = recorded();
        no_nonce["device"].as_object_mut().unwrap().remove("nonce");
        assert_eq!(check(&no_nonce), DeviceEvidence::NonceRequired);
        let mut absent = recorded();
        absent.as_object_mut().unwrap().remove("device");
        assert_eq!(check(&absent), DeviceEvidence::Absent);
    }

    #[test]
    fn keys_come_as_base64url_base64_or_pem() {
        let key = SigningKey::from_bytes(&[0xfb; 32]);
        let raw = key.verifying_key().to_bytes();
        let der = [&DER_PREFIX[..], &raw].concat();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            base64::engine::general_purpose::STANDARD.encode(der)
        );
        let padded = base64::engine::general_purpose::STANDARD.encode(raw);
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(raw);
        for text in [pem.as_str(), &padded, &url, &pem.replace('\n', "\r\n")] {
            assert_eq!(public_key(text), Some(raw), "{text}");
        }
        assert_eq!(
            public_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
            None
        );
    }

    #[test]
    fn a_version_3_proof_verifies_on_protocol_4() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let raw = key.verifying_key().to_bytes();
        let id = device_id(&raw);
        let text = format!("v3|{id}|my-app|ui|operator||{SIGNED_AT}||{NONCE}|macos 26.1|mac");
        let signature =
            base64::engine::general_purpose::STANDARD.encode(key.sign(text.as_bytes()).to_bytes());
        let request = json!({
            "minProtocol": 4, "maxProtocol": 4,
            "client": {
                "id": "my-app", "version": "1", "platform": " macOS 26.1 ", "mode": "ui", "deviceFamily": "Mac",
            },
            "device": {
                "id": id,
                "publicKey": base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(raw),
                "signature": signature, "signedAt": SIGNED_AT, "nonce": NONCE,
            },
        });
        assert_eq!(check(&request), DeviceEvidence::Verified);
    }
}
