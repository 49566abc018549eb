//! The named devices: their keys, and what they sign.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Failure;
use super::format::Device;
use crate::fail;

/// A device whose seed is 32 times this byte.
///
/// # Errors
/// Those of [`signing_key`]: none.
pub fn device_of(byte: u8) -> Result<Device, Failure> {
    let mut device = Device {
        seed: format!("{byte:02x}").repeat(32),
        public_key: String::new(),
        id: String::new(),
        public_key_pem: String::new(),
        sample_signature: String::new(),
    };
    let key = signing_key(&device)?.verifying_key();
    device.public_key = URL_SAFE_NO_PAD.encode(key.as_bytes());
    device.id = id_of(key.as_bytes());
    Ok(device)
}

/// The signing key of a device.
///
/// # Errors
/// When its seed is not 32 bytes of hex.
pub fn signing_key(device: &Device) -> Result<SigningKey, Failure> {
    let bytes = (0..device.seed.len() / 2).map(|i| u8::from_str_radix(&device.seed[2 * i..2 * i + 2], 16));
    let bytes: Vec<u8> = bytes
        .collect::<Result<_, _>>()
        .map_err(|_| Failure::new("a seed is not hex"))?;
    let Ok(seed) = <[u8; 32]>::try_from(bytes) else {
        fail!("a seed is not 32 bytes long");
    };
    Ok(SigningKey::from_bytes(&seed))
}

/// The signature of a text, base64url.
///
/// # Errors
/// Those of [`signing_key`].
pub fn sign(device: &Device, text: &str) -> Result<String, Failure> {
    Ok(URL_SAFE_NO_PAD.encode(signing_key(device)?.sign(text.as_bytes()).to_bytes()))
}

/// The id of a raw public key: its SHA-256 in lower-case hex.
#[must_use]
pub fn id_of(public_key: &[u8]) -> String {
    Sha256::digest(public_key)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Checks that what `devices.json` says of a device follows from its seed.
///
/// # Errors
/// What does not.
pub fn check(name: &str, device: &Device) -> Result<(), Failure> {
    let key = signing_key(device)?.verifying_key();
    if URL_SAFE_NO_PAD.encode(key.as_bytes()) != device.public_key {
        fail!("{name}: the public key is another");
    }
    if id_of(key.as_bytes()) != device.id {
        fail!("{name}: the id is another");
    }
    if sign(device, &format!("sample|{name}"))? != device.sample_signature {
        fail!("{name}: the sample signature is another");
    }
    Ok(())
}

/// The text that a device signs, put together by hand: a client's way, not the gateway's.
///
/// # Errors
/// A field that is not what it should be.
pub fn signed_text(version: &str, fields: &Map<String, Value>) -> Result<String, Failure> {
    let text = |name: &str| match fields.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Array(items)) => Ok(items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(",")),
        other => fail!("cannot sign {name}: {other:?}"),
    };
    let names = [
        "deviceId",
        "clientId",
        "clientMode",
        "role",
        "scopes",
        "signedAt",
        "token",
        "nonce",
    ];
    let mut parts = vec![version.to_owned()];
    for name in names {
        parts.push(text(name)?);
    }
    if version == "v3" {
        for name in ["platform", "deviceFamily"] {
            parts.push(text(name)?.trim().to_ascii_lowercase());
        }
    }
    Ok(parts.join("|"))
}
