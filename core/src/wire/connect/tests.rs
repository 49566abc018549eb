//! Accepted parameters of `connect`, and refusals.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;

use serde_json::{Value, json};

use super::*;

fn request() -> Value {
    json!({
        "minProtocol": 4, "maxProtocol": 4,
        "client": { "id": "cli", "version": "1", "platform": "linux", "mode": "cli" },
    })
}

/// The refusal when the member at `pointer` of a good request is set to `value`.
fn refusal(pointer: &str, value: Value) -> String {
    let mut request = request();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = if parent.is_empty() {
        &mut request
    } else {
        request.pointer_mut(parent).unwrap()
    };
    parent.as_object_mut().unwrap().insert(name.into(), value);
    ConnectParams::parse(&request.to_string())
        .unwrap_err()
        .to_string()
}

#[test]
fn every_member_of_connect_is_read() {
    let params = json!({
        "minProtocol": 3, "maxProtocol": 4,
        "client": {
            "id": "openclaw-macos", "version": "2026.9.6", "platform": "macos 26.1.0", "mode": "ui",
            "displayName": "Studio", "deviceFamily": "Mac", "modelIdentifier": "Mac16,6",
            "instanceId": " Inst-A ", "timeZone": "Europe/Paris", "buildId": "b", "future": {},
        },
        "caps": ["presence-delta"], "commands": ["camera.snap"], "permissions": { "camera": true, "accessibility": true },
        "computerUse": 5, "workerRuns": [], "modelCatalog": { "sessionKey": "main" },
        "role": "node", "scopes": ["operator.read", "operator.read"],
        "device": { "id": "d", "publicKey": "k", "signature": "s", "signedAt": 17, "nonce": "n", "x": 1 },
        "auth": { "token": "", "password": "p", "deviceToken": "dt", "bootstrapToken": "bt", "x": 1 },
        "locale": "fr", "userAgent": "", "pathEnv": "/bin", "future": null,
    });
    let text = |text: &str| Box::<str>::from(text);
    assert_eq!(
        ConnectParams::parse(&params.to_string()).unwrap(),
        ConnectParams {
            min_protocol: 3,
            max_protocol: 4,
            client: Arc::new(ClientInfo {
                id: text("openclaw-macos"),
                version: text("2026.9.6"),
                platform: text("macos 26.1.0"),
                mode: text("ui"),
                display_name: Some(text("Studio")),
                device_family: Some(text("Mac")),
                model_identifier: Some(text("Mac16,6")),
                instance_id: Some(text(" Inst-A ")),
                time_zone: Some(text("Europe/Paris")),
            }),
            caps: vec![text("presence-delta")],
            commands: vec![text("camera.snap")],
            may_report_input: true,
            role: Some(Role::Node),
            role_word: text("node"),
            scopes: vec![text("operator.read"), text("operator.read")],
            device: Some(DeviceProof {
                id: text("d"),
                public_key: text("k"),
                signature: text("s"),
                signed_at_ms: 17,
                nonce: Some(text("n")),
            }),
            auth: AuthParams {
                token: Some(text("")),
                password: Some(text("p")),
                device_token: Some(text("dt")),
                bootstrap_token: Some(text("bt")),
            },
        }
    );
}

#[test]
fn the_required_members_of_connect_are_enough() {
    let params = ConnectParams::parse(&request().to_string()).unwrap();
    assert_eq!(
        (params.role, &*params.role_word),
        (Some(Role::Operator), "operator")
    );
    assert_eq!(
        (params.scopes.len(), params.device, params.auth),
        (0, None, AuthParams::default())
    );
}

#[test]
fn an_unknown_role_is_read_and_refused_by_the_admission() {
    let mut request = request();
    request["role"] = json!("worker");
    let params = ConnectParams::parse(&request.to_string()).unwrap();
    assert_eq!((params.role, &*params.role_word), (None, "worker"));
}

#[test]
fn missing_required_members_are_named() {
    assert_eq!(
        ConnectParams::parse("null").unwrap_err().to_string(),
        "must be object"
    );
    for name in ["minProtocol", "maxProtocol", "client"] {
        let mut request = request();
        request.as_object_mut().unwrap().remove(name);
        let refused = ConnectParams::parse(&request.to_string())
            .unwrap_err()
            .to_string();
        assert_eq!(refused, alloc::format!("must have required property '{name}'"));
    }
    for name in ["id", "version", "platform", "mode"] {
        let mut request = request();
        request["client"].as_object_mut().unwrap().remove(name);
        let refused = ConnectParams::parse(&request.to_string())
            .unwrap_err()
            .to_string();
        assert_eq!(
            refused,
            alloc::format!("at /client: must have required property '{name}'")
        );
    }
    for (index, name) in ["id", "publicKey", "signature", "signedAt"]
        .into_iter()
        .enumerate()
    {
        let mut device = json!({ "id": "d", "publicKey": "k", "signature": "s", "signedAt": 1 });
        device.as_object_mut().unwrap().remove(name);
        let refused = refusal("/device", device);
        assert_eq!(
            refused,
            alloc::format!("at /device: must have required property '{name}'"),
            "{index}"
        );
    }
}

#[test]
fn wrong_types_and_lengths_are_refused_with_their_path() {
    let long = "x".repeat(1_025);
    let cases = [
        ("/minProtocol", json!("3"), "at /minProtocol: must be integer"),
        ("/minProtocol", json!(0), "at /minProtocol: must be >= 1"),
        ("/maxProtocol", json!(3.5), "at /maxProtocol: must be integer"),
        ("/client", json!([]), "at /client: must be object"),
        ("/client/id", json!(5), "at /client/id: must be string"),
        (
            "/client/mode",
            json!(""),
            "at /client/mode: must NOT have fewer than 1 characters",
        ),
        (
            "/client/version",
            json!(""),
            "at /client/version: must NOT have fewer than 1 characters",
        ),
        (
            "/client/displayName",
            json!(long),
            "at /client/displayName: must NOT have more than 1024 characters",
        ),
        (
            "/client/instanceId",
            json!(null),
            "at /client/instanceId: must be string",
        ),
        (
            "/client/timeZone",
            json!("z".repeat(65)),
            "at /client/timeZone: must NOT have more than 64 characters",
        ),
        (
            "/client/buildId",
            json!("b".repeat(97)),
            "at /client/buildId: must NOT have more than 96 characters",
        ),
        ("/caps", json!("x"), "at /caps: must be array"),
        (
            "/caps",
            json!(vec!["c"; 65]),
            "at /caps: must NOT have more than 64 items",
        ),
        (
            "/commands",
            json!(vec!["c"; 1_025]),
            "at /commands: must NOT have more than 1024 items",
        ),
        ("/scopes", json!([5]), "at /scopes/0: must be string"),
        (
            "/scopes",
            json!(["a", ""]),
            "at /scopes/1: must NOT have fewer than 1 characters",
        ),
        (
            "/scopes",
            json!(vec!["s"; 65]),
            "at /scopes: must NOT have more than 64 items",
        ),
        ("/role", json!(null), "at /role: must be string"),
        (
            "/role",
            json!(""),
            "at /role: must NOT have fewer than 1 characters",
        ),
        ("/permissions", json!([]), "at /permissions: must be object"),
        (
            "/permissions",
            json!({ "camera": 1 }),
            "at /permissions/camera: must be boolean",
        ),
        ("/pathEnv", json!(1), "at /pathEnv: must be string"),
        ("/locale", json!({}), "at /locale: must be string"),
        ("/userAgent", json!(null), "at /userAgent: must be string"),
        ("/auth", json!("secret"), "at /auth: must be object"),
        (
            "/auth",
            json!({ "token": null }),
            "at /auth/token: must be string",
        ),
        ("/device", json!("d"), "at /device: must be object"),
        (
            "/device",
            json!({ "id": "d", "publicKey": "k", "signature": "s", "signedAt": -1 }),
            "at /device/signedAt: must be >= 0",
        ),
    ];
    for (pointer, value, message) in cases {
        assert_eq!(refusal(pointer, value), message);
    }
}

#[test]
fn the_highest_common_protocol_is_chosen() {
    let cases = [
        (3, 3, Some(3)),
        (3, 4, Some(4)),
        (4, 4, Some(4)),
        (1, 3, Some(3)),
        (1, 9, Some(4)),
        (4, 9, Some(4)),
        (1, 2, None),
        (5, 5, None),
        (5, 6, None),
        (4, 3, None),
        (1, u64::MAX, Some(4)),
        (u64::MAX, u64::MAX, None),
    ];
    for (min, max, expected) in cases {
        let mut request = request();
        request["minProtocol"] = json!(min);
        request["maxProtocol"] = json!(max);
        assert_eq!(
            ConnectParams::parse(&request.to_string()).unwrap().protocol(),
            expected,
            "{min}..{max}"
        );
    }
}

#[test]
fn device_tokens_of_other_gateways_are_recognised() {
    let hex: &str = "2ef2358e3e7b483ab805462ea5007833";
    let token = |token: &str| AuthParams {
        token: Some(token.into()),
        ..AuthParams::default()
    };
    assert!(token(hex).offers_device_token(true));
    assert!(!token(hex).offers_device_token(false));
    assert!(!token(&hex.to_uppercase()).offers_device_token(true));
    assert!(!token(&hex[1..]).offers_device_token(true));
    let device_token = |token: &str| AuthParams {
        device_token: Some(token.into()),
        ..AuthParams::default()
    };
    assert!(device_token("anything").offers_device_token(false));
    assert!(!device_token("").offers_device_token(true));
}

#[test]
fn secrets_are_not_printed() {
    let mut request = request();
    request["auth"] = json!({ "token": "hunter2", "password": "hunter3" });
    let printed = alloc::format!("{:?}", ConnectParams::parse(&request.to_string()).unwrap());
    assert!(!printed.contains("hunter"), "{printed}");
}
