//! The device key, by which gateways on other machines know this one: created once, kept beside the instance id.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use presence_core::client::DeviceKey as PublicHalf;
use zeroize::Zeroizing;

use super::kept::{self, State};
use super::stderr::print_note;
use crate::auth::device;

const SEED_BYTES: usize = 32;
/// Characters of a kept seed: base64url without padding.
const KEY_CHARS: usize = 43;

/// The key and the id it makes.
pub(super) struct DeviceKey(SigningKey);

impl DeviceKey {
    /// Returns the kept key; creates one on the first call. `None` where files cannot be kept: a new key would have to
    /// be approved at every start.
    pub(super) fn kept() -> Option<Self> {
        let Some(path) = kept::path("device-key") else {
            print_note("no device key: there is no configuration folder (HOME is not set)");
            return None;
        };
        match kept_seed(&path) {
            Ok(seed) => Some(Self(SigningKey::from_bytes(&seed))),
            Err(error) => {
                print_note(&format!("no device key: {}: {error}", path.display()));
                None
            }
        }
    }

    /// The public half, for gateways.
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

fn kept_seed(path: &Path) -> io::Result<Zeroizing<[u8; SEED_BYTES]>> {
    let text = kept::text(path, state, || {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        getrandom::fill(&mut *seed).map_err(io::Error::other)?;
        Ok(format!("{}\n", URL_SAFE_NO_PAD.encode(*seed)))
    })?;
    let text = Zeroizing::new(text);
    seed_of(&text).ok_or_else(|| io::Error::other("the file does not hold a key of this program"))
}

fn seed_of(text: &str) -> Option<Zeroizing<[u8; SEED_BYTES]>> {
    let seed = Zeroizing::new(URL_SAFE_NO_PAD.decode(key_in(text)).ok()?);
    seed.as_slice().try_into().ok().map(Zeroizing::new)
}

/// The key in a file's text, without the NULs that a power loss leaves in place of data.
fn key_in(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0')
}

/// A truncated key is replaced; a file with other content is not.
fn state(text: &str) -> State {
    let key = key_in(text);
    let is_start = key.len() < KEY_CHARS
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match seed_of(key) {
        Some(_) => State::Whole,
        None if is_start => State::Broken,
        None => State::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ed25519_dalek::{Signature, Verifier};
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn the_key_is_created_once_and_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/device-key");
        let seed = kept_seed(&path).unwrap();
        assert_eq!(kept_seed(&path).unwrap(), seed);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        let whole = fs::read_to_string(&path).unwrap();
        assert_eq!(whole.trim().len(), KEY_CHARS);
        let zeroed = "\0".repeat(whole.len());
        for broken in ["", "\n", &whole[..1], &whole[..KEY_CHARS - 1], &zeroed, "abc\0\0"] {
            fs::write(&path, broken).unwrap();
            let healed = kept_seed(&path).unwrap();
            assert_eq!(kept_seed(&path).unwrap(), healed, "{broken:?}");
        }
        for foreign in ["-----BEGIN PRIVATE KEY-----", &"x".repeat(100), "two words"] {
            fs::write(&path, foreign).unwrap();
            assert!(kept_seed(&path).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), foreign);
        }
    }

    /// Checked by the compiler: see the test of `Secret`.
    #[test]
    fn the_key_is_overwritten_when_it_is_dropped() {
        fn check(_: &impl ZeroizeOnDrop) {}
        let folder = tempfile::tempdir().unwrap();
        let seed = kept_seed(&folder.path().join("device-key")).unwrap();
        check(&seed);
        check(&DeviceKey(SigningKey::from_bytes(&seed)).0);
    }

    #[test]
    fn its_signatures_verify_with_its_public_key() {
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
