//! Device proofs: the signed texts, and the checks that need no cryptography (reference 3.3).
//!
//! The core compares nonces and times and builds the signed texts; the shell derives the id (SHA-256
//! of the public key) and verifies the Ed25519 signature. The client signs the same texts.

use alloc::format;
use alloc::string::String;
use core::borrow::Borrow;

use super::connect::ConnectParams;
use crate::model::text;
use crate::model::time::Now;

/// How far `signedAt` may be from the wall clock on protocol 4, in ms (SPEC 4).
pub const SKEW_MS: u64 = 2 * 60_000;
/// How far `signedAt` may be from the wall clock on protocol 3, in ms (SPEC 4).
pub const SKEW_PROTOCOL_3_MS: u64 = 10 * 60_000;

/// What a connection's `connect.challenge` states for the proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// To be signed.
    pub nonce: &'a str,
    /// The stated `ts`: the gateway's wall clock at that moment, in ms since the Unix epoch.
    pub ts_ms: u64,
}

/// The outcome of verifying the device proof of a `connect` request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceEvidence {
    /// The request has no `device`.
    Absent,
    /// Id, nonce, skew and signature are right.
    Verified,
    /// The id is not the digest of the public key.
    IdMismatch,
    /// The public key cannot be read.
    PublicKeyInvalid,
    /// No signature payload verifies.
    SignatureInvalid,
    /// Signed too long ago, or in the future.
    SignatureExpired {
        /// `device.signedAt`.
        signed_at_ms: u64,
        /// The gateway's wall clock, ms since the Unix epoch.
        now_ms: u64,
    },
    /// The proof has no nonce.
    NonceRequired,
    /// The nonce is not this connection's.
    NonceMismatch,
}

/// The fields that a device signs.
///
/// ```
/// use presence_core::wire::device::SignedFields;
/// let fields = SignedFields {
///     device_id: "d1", client_id: "cli", client_mode: "cli", role: "operator",
///     scopes: &["operator.read", "operator.write"], signed_at_ms: 17, token: Some("secret"),
///     nonce: "n1", platform: Some(" macOS "), device_family: None,
/// };
/// assert_eq!(fields.v2(), "v2|d1|cli|cli|operator|operator.read,operator.write|17|secret|n1");
/// assert_eq!(fields.v3(), "v3|d1|cli|cli|operator|operator.read,operator.write|17|secret|n1|macos|");
/// ```
#[derive(Clone, Copy)]
pub struct SignedFields<'a, S> {
    /// `device.id`.
    pub device_id: &'a str,
    /// `client.id`.
    pub client_id: &'a str,
    /// `client.mode`.
    pub client_mode: &'a str,
    /// The role in the request, "operator" when absent.
    pub role: &'a str,
    /// The scopes in the request, in order.
    pub scopes: &'a [S],
    /// `device.signedAt`, ms since the Unix epoch.
    pub signed_at_ms: u64,
    /// The token in the request, if any; never the password.
    pub token: Option<&'a str>,
    /// The challenge's nonce.
    pub nonce: &'a str,
    /// `client.platform` (v3 only).
    pub platform: Option<&'a str>,
    /// `client.deviceFamily` (v3 only).
    pub device_family: Option<&'a str>,
}

impl<S: Borrow<str>> SignedFields<'_, S> {
    /// The text of version 2, which every gateway verifies.
    #[must_use]
    pub fn v2(&self) -> String {
        self.common("v2")
    }

    /// The text of version 3: version 2 with platform and device family.
    #[must_use]
    pub fn v3(&self) -> String {
        let own = |field: Option<&str>| text::trim(field.unwrap_or("")).to_ascii_lowercase();
        let (platform, device_family) = (own(self.platform), own(self.device_family));
        format!("{}|{platform}|{device_family}", self.common("v3"))
    }

    fn common(&self, version: &str) -> String {
        format!(
            "{version}|{}|{}|{}|{}|{}|{}|{}|{}",
            self.device_id,
            self.client_id,
            self.client_mode,
            self.role,
            self.scopes.join(","),
            self.signed_at_ms,
            self.token.unwrap_or(""),
            self.nonce
        )
    }
}

/// Does not show the token.
impl<S> core::fmt::Debug for SignedFields<'_, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SignedFields")
            .field("device_id", &self.device_id)
            .finish_non_exhaustive()
    }
}

/// Checks nonce and time of a request's device proof and returns the texts its signature may be
/// over, the likelier first: version 3, then version 2. `challenge` is the connection's. A client that signs its `ts` is
/// never refused for its clock, because the gateway's clock may have been set since.
///
/// The shell checks the id against the key before and the signature against these texts after.
///
/// # Errors
/// The defect of the proof, or [`DeviceEvidence::Absent`].
pub fn precheck(
    params: &ConnectParams,
    challenge: Challenge<'_>,
    now: Now,
) -> Result<[String; 2], DeviceEvidence> {
    let nonce = challenge.nonce;
    let proof = params.device.as_ref().ok_or(DeviceEvidence::Absent)?;
    let skew = if params.protocol() == Some(3) {
        SKEW_PROTOCOL_3_MS
    } else {
        SKEW_MS
    };
    if proof.signed_at_ms != challenge.ts_ms && proof.signed_at_ms.abs_diff(now.wall_ms) > skew {
        return Err(DeviceEvidence::SignatureExpired {
            signed_at_ms: proof.signed_at_ms,
            now_ms: now.wall_ms,
        });
    }
    match proof.nonce.as_deref().map(text::trim) {
        None | Some("") => return Err(DeviceEvidence::NonceRequired),
        Some(signed) if signed != nonce => return Err(DeviceEvidence::NonceMismatch),
        Some(_) => {}
    }
    let auth = &params.auth;
    let fields = SignedFields {
        device_id: &proof.id,
        client_id: &params.client.id,
        client_mode: &params.client.mode,
        role: &params.role_word,
        scopes: &params.scopes,
        signed_at_ms: proof.signed_at_ms,
        token: [&auth.token, &auth.device_token, &auth.bootstrap_token]
            .into_iter()
            .find_map(Option::as_deref),
        nonce,
        platform: Some(&params.client.platform),
        device_family: params.client.device_family.as_deref(),
    };
    Ok([fields.v3(), fields.v2()])
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use serde_json::{Value, json};

    use super::*;

    const SIGNED_AT: u64 = 1_795_293_120_735;

    /// The `connect` that a real command line of protocol 3 sent.
    fn request() -> Value {
        json!({
            "minProtocol": 3, "maxProtocol": 3,
            "client": { "id": "cli", "version": "dev", "platform": "linux", "mode": "cli" },
            "auth": { "token": "2ef2358e3e7b483ab805462ea5007833" },
            "role": "operator",
            "scopes": ["operator.admin", "operator.approvals", "operator.pairing"],
            "device": {
                "id": "8ef042b25ba916afbb7c4f9824ed0d48905b6755467ae9f0206c600726be30f5",
                "publicKey": "q6KQYpI0-b7AEdfr0PgSNu03QSW1goQYYmeWefVWGmc",
                "signature": "INHXLbMe6a2g5Kulh116Ph31T6fVbDfgqFXuSPyyixv7V6-jxw5KHPutaG3oZQ3R2weVVtyHL4X0O2UK30WECw",
                "signedAt": SIGNED_AT,
                "nonce": "72dca263-3f16-47f0-9f94-a9e3a54919b6",
            },
        })
    }

    fn check(request: &Value, skew_ms: i64) -> Result<[String; 2], DeviceEvidence> {
        let params = ConnectParams::parse(&request.to_string()).unwrap();
        let now = Now {
            age_ms: 0,
            wall_ms: SIGNED_AT.saturating_add_signed(skew_ms),
        };
        let challenge = Challenge {
            nonce: "72dca263-3f16-47f0-9f94-a9e3a54919b6",
            ts_ms: 0,
        };
        precheck(&params, challenge, now)
    }

    fn expired(skew_ms: i64) -> DeviceEvidence {
        DeviceEvidence::SignatureExpired {
            signed_at_ms: SIGNED_AT,
            now_ms: SIGNED_AT.saturating_add_signed(skew_ms),
        }
    }

    #[test]
    fn the_texts_of_a_real_request() {
        let common = "8ef042b25ba916afbb7c4f9824ed0d48905b6755467ae9f0206c600726be30f5|cli|cli|operator|\
                      operator.admin,operator.approvals,operator.pairing|1795293120735|2ef2358e3e7b483ab805462ea5007833|\
                      72dca263-3f16-47f0-9f94-a9e3a54919b6";
        let [v3, v2] = check(&request(), 0).unwrap();
        // The signature in the request was verified over exactly this text.
        assert_eq!(v2, alloc::format!("v2|{common}"));
        assert_eq!(v3, alloc::format!("v3|{common}|linux|"));
    }

    #[test]
    fn the_token_slot_is_the_first_present() {
        let mut request = request();
        for (auth, slot) in [
            (json!({ "deviceToken": "dt", "bootstrapToken": "bt" }), "dt"),
            (json!({ "bootstrapToken": "bt", "password": "never" }), "bt"),
            (json!({ "token": "", "deviceToken": "dt" }), ""),
            (json!({ "password": "never" }), ""),
        ] {
            request["auth"] = auth;
            let [_, v2] = check(&request, 0).unwrap();
            assert_eq!(v2.split('|').nth(7), Some(slot));
        }
    }

    #[test]
    fn absent_role_and_scopes_are_signed_as_operator_and_nothing() {
        let mut request = request();
        let members = request.as_object_mut().unwrap();
        members.remove("role");
        members.remove("scopes");
        let [_, v2] = check(&request, 0).unwrap();
        assert!(v2.contains("|cli|cli|operator||1795293120735|"), "{v2}");
    }

    #[test]
    fn the_skew_allowed_depends_on_the_protocol() {
        let mut request = request();
        for skew in [600_000, -600_000] {
            assert!(check(&request, skew).is_ok());
        }
        for skew in [600_001, -600_001] {
            assert_eq!(check(&request, skew), Err(expired(skew)));
        }
        request["maxProtocol"] = json!(4);
        for skew in [120_000, -120_000] {
            assert!(check(&request, skew).is_ok());
        }
        for skew in [120_001, -120_001] {
            assert_eq!(check(&request, skew), Err(expired(skew)));
        }
    }

    #[test]
    fn the_nonce_is_required_and_must_be_ours() {
        let mut request = request();
        request["device"]["nonce"] = json!("another");
        assert_eq!(check(&request, 0), Err(DeviceEvidence::NonceMismatch));
        request["device"]["nonce"] = json!("  ");
        assert_eq!(check(&request, 0), Err(DeviceEvidence::NonceRequired));
        request["device"].as_object_mut().unwrap().remove("nonce");
        assert_eq!(check(&request, 0), Err(DeviceEvidence::NonceRequired));
        request.as_object_mut().unwrap().remove("device");
        assert_eq!(check(&request, 0), Err(DeviceEvidence::Absent));
    }
}
