//! Device proofs: a real proof with some of its parts changed, against the second opinion of the vectors' runner.

use arbitrary::{Arbitrary, Unstructured};
use presence_conformance::vectors::device::{device_of, sign, signed_text};
use presence_conformance::vectors::evidence::evidence;
use presence_conformance::vectors::format::Config;
use presence_conformance::vectors::target::Opening;
use presence_core::server::DeviceEvidence;
use presence_core::wire::ConnectParams;
use presence_core::wire::device::Challenge;
use serde_json::{Value, json};

use crate::gateway::{NOW, Socket};

/// The choices of a proof.
#[derive(Arbitrary, Debug)]
struct Choices {
    seed: u8,
    is_v3: bool,
    protocol: bool,
    skew_ms: i32,
    is_other_nonce: bool,
    platform: String,
    scopes: u8,
    /// Members of the finished parameters that get another value.
    changes: Vec<(u8, String)>,
}

/// What may be changed after signing.
const CHANGES: [&str; 8] = [
    "/device/id",
    "/device/publicKey",
    "/device/signature",
    "/device/nonce",
    "/client/id",
    "/client/mode",
    "/client/platform",
    "/scopes/0",
];

/// Connects with a proof made of the bytes.
///
/// # Panics
/// When the gateway and the second opinion disagree.
pub fn run(data: &[u8]) {
    let Ok(choices) = Choices::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let mut socket = Socket::open("").expect("a socket");
    let params = params(&choices, &socket.nonce);
    let Ok(read) = ConnectParams::parse(&params.to_string()) else {
        return;
    };
    let opening = Opening {
        from: "127.0.0.1".into(),
        origin: None,
        user: None,
    };
    let challenge = Challenge {
        nonce: &socket.nonce,
        ts_ms: NOW.wall_ms,
    };
    let expected = evidence(&config(), &opening, &read, challenge, NOW).device;
    let answer = socket.connect(&params);
    let is_in = answer["ok"] == true;
    assert_eq!(
        is_in,
        expected == DeviceEvidence::Verified,
        "{expected:?}: {answer}"
    );
    let code = answer["error"]["details"]["code"].as_str().unwrap_or_default();
    assert!(is_in || code.starts_with("DEVICE_AUTH_"), "{answer}");
}

fn params(choices: &Choices, nonce: &str) -> Value {
    let device = device_of(choices.seed).expect("a device");
    let signed_at = NOW.wall_ms.saturating_add_signed(choices.skew_ms.into());
    let nonce = if choices.is_other_nonce { "other" } else { nonce };
    let scopes: Vec<&str> = ["operator.read", "operator.write"][..usize::from(choices.scopes % 3)].to_vec();
    let platform: String = choices.platform.chars().take(64).collect();
    let platform = if platform.is_empty() {
        "linux".to_owned()
    } else {
        platform
    };
    let fields = json!({
        "deviceId": device.id, "clientId": "fuzz", "clientMode": "cli", "role": "operator", "scopes": scopes,
        "signedAt": signed_at, "token": "", "nonce": nonce, "platform": platform, "deviceFamily": "",
    });
    let version = if choices.is_v3 { "v3" } else { "v2" };
    let text = signed_text(version, fields.as_object().expect("an object")).expect("a text");
    let mut params = json!({
        "minProtocol": if choices.protocol { 4 } else { 3 }, "maxProtocol": 4, "role": "operator", "scopes": scopes,
        "client": { "id": "fuzz", "version": "1", "platform": platform, "mode": "cli" },
        "device": {
            "id": device.id, "publicKey": device.public_key,
            "signature": sign(&device, &text).expect("a signature"), "signedAt": signed_at, "nonce": nonce,
        },
    });
    for (place, text) in choices.changes.iter().take(2) {
        let place = CHANGES[usize::from(*place) % CHANGES.len()];
        if let Some(member) = params.pointer_mut(place) {
            *member = text.as_str().into();
        }
    }
    params
}

fn config() -> Config {
    let config = json!({
        "ttlMs": 300_000, "maxEntries": 200, "windowMs": 50, "ephemeralModes": [], "limits": {},
        "auth": { "mode": "none", "secret": null }, "allowedOrigins": [], "serverVersion": "1", "self": {},
    });
    serde_json::from_value(config).expect("a configuration")
}
