//! Clients with a device key.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use presence_core::wire::device::SignedFields;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{TOKEN, connect_params};

const READ: &[&str] = &["operator.read"];

/// Parameters of `connect` with the proof of a device key, of a client whose clock is off by these ms.
pub(crate) fn signed(instance: &str, challenge: &Value, off_ms: i64) -> Value {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public_key = key.verifying_key();
    let id: String = Sha256::digest(public_key.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let nonce = challenge["payload"]["nonce"].as_str().unwrap();
    let signed_at_ms = challenge["payload"]["ts"]
        .as_u64()
        .unwrap()
        .saturating_add_signed(off_ms);
    let fields = SignedFields {
        device_id: &id,
        client_id: "test",
        client_mode: "ui",
        role: "operator",
        scopes: READ,
        signed_at_ms,
        token: Some(TOKEN),
        nonce,
        platform: Some("linux"),
        device_family: None,
    };
    let mut params = connect_params(instance, READ);
    params["device"] = json!({
        "id": id,
        "publicKey": URL_SAFE_NO_PAD.encode(public_key.as_bytes()),
        "signature": URL_SAFE_NO_PAD.encode(key.sign(fields.v3().as_bytes()).to_bytes()),
        "signedAt": signed_at_ms,
        "nonce": nonce,
    });
    params
}
