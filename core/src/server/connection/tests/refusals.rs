//! Refused handshakes and their answers.

use super::*;

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
