//! The key by which gateways elsewhere know this machine: made once, kept beside the instance id.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use presence_core::client::DeviceKey as PublicHalf;

use super::instance;
use crate::device;

const SEED_BYTES: usize = 32;

/// The key and the id it makes.
pub(super) struct DeviceKey(SigningKey);

impl DeviceKey {
    /// The kept key; makes one on the first call. `None` where nothing can be kept: a key that is lost
    /// would have to be approved at every start.
    pub(super) fn kept() -> Option<Self> {
        let path = instance::kept_path("device-key")?;
        kept_seed(&path)
            .inspect_err(|error| tracing::debug!(path = %path.display(), %error, "no device key is kept"))
            .ok()
            .map(|seed| Self(SigningKey::from_bytes(&seed)))
    }

    /// What a gateway is told.
    pub(super) fn public(&self) -> PublicHalf {
        let raw_key = self.0.verifying_key().to_bytes();
        PublicHalf {
            id: device::device_id(&raw_key).into(),
            public_key: URL_SAFE_NO_PAD.encode(raw_key).into(),
        }
    }

    /// The signature of `payload`, base64url without padding.
    pub(super) fn sign(&self, payload: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.sign(payload.as_bytes()).to_bytes())
    }
}

/// Without the secret half.
impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DeviceKey").field(&self.public().id).finish()
    }
}

fn kept_seed(path: &Path) -> io::Result<[u8; SEED_BYTES]> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut seed = [0; SEED_BYTES];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            writeln!(file, "{}", URL_SAFE_NO_PAD.encode(seed))?;
            Ok(seed)
        }
        // It is there already; one that is damaged is not replaced: somebody may have approved it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(path)?;
            let bytes = URL_SAFE_NO_PAD.decode(text.trim()).unwrap_or_default();
            bytes
                .try_into()
                .map_err(|_| io::Error::other("it is not a key of this program"))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, Verifier};

    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/device-key");
        let seed = kept_seed(&path).unwrap();
        assert_eq!(kept_seed(&path).unwrap(), seed);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "damaged").unwrap();
        assert!(kept_seed(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "damaged");
    }

    #[test]
    fn what_it_signs_its_public_half_verifies() {
        let key = DeviceKey(SigningKey::from_bytes(&[7; SEED_BYTES]));
        let signature = URL_SAFE_NO_PAD.decode(key.sign("v2|x")).unwrap();
        let signature = Signature::from_slice(&signature).unwrap();
        assert!(key.0.verifying_key().verify(b"v2|x", &signature).is_ok());
        let public = key.public();
        let raw: [u8; 32] = URL_SAFE_NO_PAD
            .decode(&*public.public_key)
            .unwrap()
            .try_into()
            .unwrap();
        assert_eq!(*public.id, device::device_id(&raw));
        assert!(!format!("{key:?}").contains(&URL_SAFE_NO_PAD.encode([7; SEED_BYTES])));
    }
}
