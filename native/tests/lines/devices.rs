//! Log lines about device keys.

use serde_json::json;

use crate::support::{Client, TOKEN};
use crate::support_device::signed;
use crate::{FROM, READ, started};

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
