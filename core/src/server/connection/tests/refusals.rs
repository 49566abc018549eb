//! Refused handshakes and their answers.

use super::*;

#[test]
fn a_first_frame_that_is_no_request_is_closed_without_an_answer() {
    for (text, close) in [
        (
            "hello",
            CloseFrame {
                code: 1000,
                reason: "".into(),
            },
        ),
        (
            "{}",
            CloseFrame {
                code: 1008,
                reason: "invalid request frame".into(),
            },
        ),
        (
            r#"{"type":"req","id":"1","method":"connect","params":{},"extra":1}"#,
            CloseFrame {
                code: 1008,
                reason: "invalid request frame".into(),
            },
        ),
        (
            r#"{"type":"req","id":"1","method":"connect","params":{"a":"\ud800"}}"#,
            CloseFrame {
                code: 1008,
                reason: "invalid request frame".into(),
            },
        ),
    ] {
        let mut connection = opened();
        connection.handle_text(text, START);
        assert_eq!(
            drained(&mut connection),
            [ConnectionOutput::Close(close)],
            "{text}"
        );
        assert_is_closed(&mut connection);
    }
}

#[test]
fn a_refused_first_request_is_answered_and_closed() {
    let cases = [
        (
            "health",
            json!({}),
            1008,
            "invalid handshake: first request must be connect",
        ),
        (
            "connect",
            json!(null),
            1008,
            "invalid connect params: must be object",
        ),
        (
            "connect",
            json!({ "minProtocol": 4 }),
            1008,
            "invalid connect params: must have required property 'maxProtocol'",
        ),
    ];
    for (method, params, code, message) in cases {
        let mut connection = opened();
        connection.handle_text(&request("c1", method, &params), START);
        let (error, close) = refusal(&mut connection, "c1");
        assert_eq!(error, json!({ "code": "INVALID_REQUEST", "message": message }));
        assert_eq!(
            close,
            CloseFrame {
                code,
                reason: message.into()
            }
        );
        assert_is_closed(&mut connection);
    }
}

#[test]
fn protocol_comes_before_role_and_both_before_any_evidence() {
    let mut params = params();
    params["role"] = json!("worker");
    let mut connection = opened();
    connection.handle_text(&request("c1", "connect", &params), START);
    let (error, close) = refusal(&mut connection, "c1");
    assert_eq!(error["message"], "invalid role");
    assert_eq!(
        close,
        CloseFrame {
            code: 1008,
            reason: "invalid role".into()
        }
    );

    params["minProtocol"] = json!(5);
    params["maxProtocol"] = json!(6);
    let mut connection = opened();
    connection.handle_text(&request("c1", "connect", &params), START);
    let (error, close) = refusal(&mut connection, "c1");
    assert_eq!(error["message"], "protocol mismatch");
    assert_eq!(error["details"]["expectedProtocol"], 4);
    assert_eq!(close, CloseFrame::PROTOCOL_MISMATCH);
}

#[test]
fn origin_comes_before_secret_and_secret_before_device() {
    let mut evidence = Evidence {
        origin: OriginEvidence::Refused(None),
        secret: SecretEvidence::TokenMismatch,
        device: DeviceEvidence::NonceMismatch,
        grant: Grant::Everything,
    };
    let code = |error: Value| error["details"]["code"].clone();
    let params = with_device(params());
    assert_eq!(code(refused(&params, &evidence)), "CONTROL_UI_ORIGIN_NOT_ALLOWED");
    evidence.origin = OriginEvidence::Allowed;
    assert_eq!(code(refused(&params, &evidence)), "AUTH_TOKEN_MISMATCH");
    evidence.secret = SecretEvidence::NotRequired;
    assert_eq!(code(refused(&params, &evidence)), "DEVICE_AUTH_NONCE_MISMATCH");
}

#[test]
fn a_limited_secret_gives_its_roles_and_scopes_only() {
    let permit = crate::server::Permit {
        roles: [Role::Operator].into(),
        scopes: ["operator.read".into()].into(),
        hides_addresses: true,
    };
    let evidence = Evidence {
        grant: Grant::Only(permit.into()),
        ..GOOD
    };
    let mut asked = params();
    asked["scopes"] = json!(["operator.admin", "operator.read"]);
    let mut connection = opened();
    connection.handle_text(&request("c1", "connect", &asked), START);
    assert!(matches!(
        connection.poll_output(),
        Some(ConnectionOutput::Authenticate(_))
    ));
    connection.handle_evidence(&evidence, START);
    let Some(ConnectionOutput::Join(handshake)) = connection.poll_output() else {
        panic!("not accepted");
    };
    assert_eq!(*handshake.scopes, ["operator.read".into()]);
    assert_eq!(handshake.caps, ["presence-hide-addresses".into()]);

    asked["role"] = json!("node");
    assert_eq!(refused(&asked, &evidence)["message"], "unauthorized role: node");
}

#[test]
fn every_bad_secret_has_its_code() {
    let cases = [
        (SecretEvidence::TokenMissing, "AUTH_TOKEN_MISSING"),
        (SecretEvidence::PasswordMissing, "AUTH_PASSWORD_MISSING"),
        (SecretEvidence::TokenMismatch, "AUTH_TOKEN_MISMATCH"),
        (SecretEvidence::PasswordMismatch, "AUTH_PASSWORD_MISMATCH"),
        (SecretEvidence::TokenExpired, "AUTH_TOKEN_MISMATCH"),
        (
            SecretEvidence::Misplaced {
                kind: SecretKind::Password,
                place: Misplaced::Query,
            },
            "AUTH_PASSWORD_MISSING",
        ),
    ];
    for (secret, code) in cases {
        let error = refused(&params(), &Evidence { secret, ..GOOD });
        assert_eq!(error["details"]["code"], code);
    }
}

#[test]
fn a_throttled_client_is_told_when_to_retry() {
    let secret = SecretEvidence::RateLimited {
        retry_after_ms: 250,
        is_proxied: false,
    };
    let mut connection = authenticating(&params());
    connection.handle_evidence(&Evidence { secret, ..GOOD }, START);
    let (error, close) = refusal(&mut connection, "c1");
    assert_eq!(error["code"], "UNAVAILABLE");
    assert_eq!(error["retryAfterMs"], 250);
    assert_eq!(error.get("details"), None);
    assert_eq!(close.code, 1013);
    assert_eq!(close.reason, error["message"].as_str().unwrap());
}

#[test]
fn a_refusal_is_logged_with_the_client() {
    let refused = |connection: &mut Connection| match connection.poll_output() {
        Some(ConnectionOutput::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    };
    let mut connection = authenticating(&params());
    let secret = SecretEvidence::TokenMismatch;
    connection.handle_evidence(&Evidence { secret, ..GOOD }, START);
    let line = refused(&mut connection);
    assert_eq!(&*line.code, "AUTH_TOKEN_MISMATCH");
    assert!(line.message.starts_with("unauthorized: gateway token mismatch"));
    assert_eq!(line.client.id.as_deref(), params()["client"]["id"].as_str());
    assert_eq!(line.client.role.as_deref(), Some("operator"));

    let mut bad = params();
    bad["client"]["id"] = Value::Null;
    let mut connection = opened();
    connection.handle_text(&request("c1", "connect", &bad), START);
    let line = refused(&mut connection);
    assert_eq!((&*line.code, line.client.id), ("INVALID_REQUEST", None));
    assert_eq!(line.client.mode.as_deref(), params()["client"]["mode"].as_str());
}

#[test]
fn another_gateways_device_token_is_named_in_the_refusal() {
    let mut stored = with_device(params());
    stored["auth"] = json!({ "token": "2ef2358e3e7b483ab805462ea5007833" });
    let mut named = params();
    named["auth"] = json!({ "deviceToken": "anything" });
    for params in [stored, named] {
        for secret in [
            SecretEvidence::TokenMissing,
            SecretEvidence::TokenMismatch,
            SecretEvidence::PasswordMissing,
            SecretEvidence::PasswordMismatch,
        ] {
            let error = refused(&params, &Evidence { secret, ..GOOD });
            assert_eq!(error["details"]["code"], "AUTH_TOKEN_MISMATCH");
            assert_eq!(error["details"]["canRetryWithDeviceToken"], false);
            assert!(
                error["message"].as_str().unwrap().contains("another gateway"),
                "{error}"
            );
        }
    }
}

#[test]
fn an_unverified_device_is_refused() {
    let error = refused(&with_device(params()), &GOOD);
    assert_eq!(error["details"]["code"], "DEVICE_AUTH_SIGNATURE_INVALID");
}
