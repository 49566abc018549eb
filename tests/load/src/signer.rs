//! Device keys of clients, derived from the number of the run.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use presence_core::client::DeviceKey;
use sha2::{Digest as _, Sha256};

/// An Ed25519 key.
pub(crate) struct Signer {
    key: SigningKey,
    device: DeviceKey,
}

impl Signer {
    /// The key number `number` of this run.
    pub(crate) fn new(run: u64, number: u64) -> Self {
        let mut seed = [0x5a; 32];
        seed[..8].copy_from_slice(&run.to_le_bytes());
        seed[8..16].copy_from_slice(&number.to_le_bytes());
        let key = SigningKey::from_bytes(&seed);
        let public_key = key.verifying_key().to_bytes();
        Self {
            key,
            device: DeviceKey {
                id: Sha256::digest(public_key)
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
                    .into(),
                public_key: URL_SAFE_NO_PAD.encode(public_key).into(),
            },
        }
    }

    /// The public half.
    pub(crate) fn device(&self) -> DeviceKey {
        self.device.clone()
    }

    /// The signature over a text, base64url.
    pub(crate) fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()).to_bytes())
    }
}
