//! Log lines about device keys.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use presence_core::wire::device::SignedFields;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Client, TOKEN, connect_params};
use crate::{FROM, READ, started};

/// Parameters of `connect` with the proof of a device key, of a client whose clock is off by these ms.
fn signed(instance: &str, challenge: &Value, off_ms: i64) -> Value {
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

#[tokio::test]
async fn ids_of_another_device_key_are_one_line_a_minute() {
    let (gateway, clock, log, _guard) = started();
    let (_first, _) = Client::connect(gateway.address(), "tablet", READ).await;
    let mut owner = Client::open(gateway.address(), "").await;
    let challenge = owner.event().await;
    let response = owner.request("connect", signed("tablet", &challenge, 0)).await;
    assert_eq!(response["ok"], true, "{response}");
    const LINE: &str = "clients use ids that belong to another device key: they are listed without ids; give each \
                        client an instanceId of its own";
    let line = log.line(LINE).await;
    assert_eq!(
        (&line["level"], &line["moved"], &line["apart"]),
        (&json!("WARN"), &json!(1), &json!(0))
    );
    let (mut writer, _) = Client::connect(gateway.address(), "other", &["operator.write"]).await;
    let (_second, _) = Client::connect(gateway.address(), "tablet", READ).await;
    let beacon = json!({ "text": "hello", "instanceId": "tablet" });
    let refused = writer.request("system-event", beacon).await;
    assert_eq!(refused["error"]["message"], "missing scope: operator.admin");
    gateway.settle().await;
    assert_eq!(log.lines(LINE).len(), 1);
    clock.advance(60_000);
    gateway.settle().await;
    let lines = log.lines(LINE);
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (
            &lines[1]["moved"],
            &lines[1]["apart"],
            &lines[1]["refused_beacons"]
        ),
        (&json!(0), &json!(1), &json!(1))
    );
    assert!(!log.text().contains("hello"), "no texts of beacons");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_refused_signature_is_one_line_with_the_reason() {
    let (gateway, _clock, log, _guard) = started();
    const BEHIND: &str =
        "device signature expired (your clock is 180 s behind; sign with the ts of connect.challenge)";
    const AHEAD: &str =
        "device signature expired (your clock is 121 s ahead; sign with the ts of connect.challenge)";
    for (off_ms, is_forged, code, reason) in [
        (-180_000, false, "DEVICE_AUTH_SIGNATURE_EXPIRED", BEHIND),
        (120_001, false, "DEVICE_AUTH_SIGNATURE_EXPIRED", AHEAD),
        (
            0,
            true,
            "DEVICE_AUTH_SIGNATURE_INVALID",
            "device signature invalid",
        ),
    ] {
        let mut client = Client::open(gateway.address(), FROM).await;
        let challenge = client.event().await;
        let mut params = signed("tablet", &challenge, off_ms);
        if is_forged {
            params["client"]["mode"] = "webchat".into();
        }
        let device = params["device"].clone();
        let response = client.request("connect", params).await;
        assert_eq!(response["error"]["message"], reason);
        assert_eq!(client.closed().await.0, 1008);
        let line = log.line("refused").await;
        for (name, value) in [
            ("level", "WARN"),
            ("code", code),
            ("reason", reason),
            ("client", "test"),
            ("address", "192.0.2.7"),
        ] {
            assert_eq!(line[name], value, "{name} in {line}");
        }
        assert_eq!(log.lines("refused").len(), 1);
        for secret in [&device["signature"], &device["nonce"], &json!(TOKEN)] {
            assert!(!log.text().contains(secret.as_str().unwrap()), "{line}");
        }
        log.clear();
    }
    gateway.shutdown().await;
}
