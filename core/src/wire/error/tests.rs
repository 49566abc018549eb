//! Every error as clients receive it.

use super::*;
use crate::wire::CloseFrame;
use crate::wire::params::Members;
use crate::wire::tree::Tree;

fn json_of(error: &WireError) -> Value {
    serde_json::to_value(error).unwrap()
}

#[test]
fn a_plain_error_has_code_and_message_only() {
    assert_eq!(
        json_of(&WireError::invalid_role()),
        json!({ "code": "INVALID_REQUEST", "message": "invalid role" })
    );
    assert_eq!(
        json_of(&WireError::unavailable("no agent")),
        json!({ "code": "UNAVAILABLE", "message": "no agent" })
    );
}

#[test]
fn params_errors_name_the_method_and_the_member() {
    let reason = Members::of(&Tree::Other).unwrap_err();
    assert_eq!(
        WireError::invalid_params("connect", &reason).message,
        "invalid connect params: must be object"
    );
}

#[test]
fn a_protocol_mismatch_states_the_accepted_protocols() {
    assert_eq!(
        json_of(&WireError::protocol_mismatch(5, 6)),
        json!({
            "code": "INVALID_REQUEST",
            "message": "protocol mismatch",
            "details": {
                "code": "PROTOCOL_MISMATCH", "clientMinProtocol": 5, "clientMaxProtocol": 6,
                "expectedProtocol": 4, "minimumProbeProtocol": 3,
            },
        })
    );
}

#[test]
fn auth_errors_use_the_clients_terms_and_never_offer_a_device_token() {
    let cases = [
        (
            WireError::secret_missing(SecretKind::Token, ClientKind::CommandLine, None),
            "unauthorized: gateway token missing (set OPENCLAW_GATEWAY_TOKEN to this gateway's token)",
            ["AUTH_TOKEN_MISSING", "token_missing", "update_auth_configuration"],
        ),
        (
            WireError::secret_mismatch(SecretKind::Token, ClientKind::Other),
            "unauthorized: gateway token mismatch (provide this gateway's token)",
            ["AUTH_TOKEN_MISMATCH", "token_mismatch", "update_auth_credentials"],
        ),
        (
            WireError::secret_missing(SecretKind::Password, ClientKind::Other, None),
            "unauthorized: gateway password missing (provide this gateway's password)",
            [
                "AUTH_PASSWORD_MISSING",
                "password_missing",
                "update_auth_configuration",
            ],
        ),
        (
            WireError::secret_mismatch(SecretKind::Password, ClientKind::Browser),
            "unauthorized: gateway password mismatch (enter the gateway's password in the settings)",
            [
                "AUTH_PASSWORD_MISMATCH",
                "password_mismatch",
                "update_auth_credentials",
            ],
        ),
    ];
    for (error, message, [code, reason, next]) in cases {
        assert_eq!(
            json_of(&error),
            json!({
                "code": "INVALID_REQUEST", "message": message,
                "details": {
                    "code": code, "authReason": reason,
                    "canRetryWithDeviceToken": false, "recommendedNextStep": next,
                },
            })
        );
    }
}

#[test]
fn a_misplaced_secret_is_named_with_its_place_even_in_the_cut_close_reason() {
    for (place, word) in [
        (Misplaced::Query, "URL's query"),
        (Misplaced::Header, "Authorization header"),
    ] {
        let error = WireError::secret_missing(SecretKind::Token, ClientKind::CommandLine, Some(place));
        assert_eq!(error.stated_code(), "AUTH_TOKEN_MISSING");
        assert_eq!(
            error.message,
            format!(
                "unauthorized: gateway token missing (the {word} was not read: send it in connect params as auth.token)"
            )
        );
        let close = CloseFrame::new(1008, error.message);
        assert!(
            close.reason.contains("send it in connect params"),
            "{}",
            close.reason
        );
    }
}

#[test]
fn a_foreign_device_token_is_named_even_in_the_cut_close_reason() {
    let error = WireError::foreign_device_token();
    assert_eq!(json_of(&error)["details"]["code"], "AUTH_TOKEN_MISMATCH");
    assert_eq!(json_of(&error)["details"]["canRetryWithDeviceToken"], false);
    let close = CloseFrame::new(1008, error.message);
    assert!(
        close.reason.contains("device token stored from another gateway"),
        "{}",
        close.reason
    );
}

#[test]
fn a_rate_limit_states_when_to_retry() {
    assert_eq!(
        json_of(&WireError::rate_limited(2_001, false)),
        json!({
            "code": "UNAVAILABLE",
            "message": "unauthorized: too many failed authentication attempts (wrong secrets from this address are \
                limited; retry in 3 s)",
            "retryable": true,
            "retryAfterMs": 2_001,
        })
    );
    let proxied = WireError::rate_limited(3_000, true);
    assert!(proxied.message.contains("trusted-proxy"), "{}", proxied.message);
    assert_eq!(proxied.stated_code(), "UNAVAILABLE");
    assert_eq!(
        WireError::origin_not_allowed(None).stated_code(),
        "CONTROL_UI_ORIGIN_NOT_ALLOWED"
    );
}

#[test]
fn every_bad_device_proof_has_its_own_words_and_code() {
    use DeviceEvidence as D;
    assert_eq!(WireError::device_refused(D::Absent), None);
    assert_eq!(WireError::device_refused(D::Verified), None);
    let cases = [
        (
            D::IdMismatch,
            "device identity mismatch",
            "DEVICE_AUTH_DEVICE_ID_MISMATCH",
            "device-id-mismatch",
        ),
        (
            D::PublicKeyInvalid,
            "device public key invalid",
            "DEVICE_AUTH_PUBLIC_KEY_INVALID",
            "device-public-key",
        ),
        (
            D::SignatureInvalid,
            "device signature invalid",
            "DEVICE_AUTH_SIGNATURE_INVALID",
            "device-signature",
        ),
        (
            D::SignatureExpired {
                signed_at_ms: 1_800_000_000_000,
                now_ms: 1_800_000_180_000,
            },
            "device signature expired (your clock is 180 s behind; sign with the ts of connect.challenge)",
            "DEVICE_AUTH_SIGNATURE_EXPIRED",
            "device-signature-stale",
        ),
        (
            D::NonceRequired,
            "device nonce required",
            "DEVICE_AUTH_NONCE_REQUIRED",
            "device-nonce-missing",
        ),
        (
            D::NonceMismatch,
            "device nonce mismatch",
            "DEVICE_AUTH_NONCE_MISMATCH",
            "device-nonce-mismatch",
        ),
    ];
    for (evidence, message, code, reason) in cases {
        assert_eq!(
            json_of(&WireError::device_refused(evidence).unwrap()),
            json!({
                "code": "INVALID_REQUEST", "message": message,
                "details": { "code": code, "reason": reason },
            })
        );
    }
}

#[test]
fn a_missing_scope_is_forbidden_on_4_and_invalid_on_3() {
    let on_3 = WireError::missing_scope("operator.write", 3);
    assert_eq!(
        json_of(&on_3),
        json!({ "code": "INVALID_REQUEST", "message": "missing scope: operator.write" })
    );
    assert_eq!(WireError::missing_scope("operator.write", 4).code, "FORBIDDEN");
}

#[test]
fn unauthorized_roles_are_distinguishable() {
    let error = WireError::unauthorized_role(Role::Node);
    assert_eq!(error.message, "unauthorized role: node");
    assert_eq!(error.kind, ErrorKind::UnauthorizedRole);
    assert_eq!(
        WireError::missing_scope("operator.read", 4).kind,
        ErrorKind::Refused
    );
}

#[test]
fn an_unknown_method_is_repeated_but_not_at_any_length() {
    assert_eq!(
        WireError::unknown_method("chat.history").message,
        "unknown method: chat.history"
    );
    let long = WireError::unknown_method(&"ä".repeat(1_000)).message;
    assert_eq!(long, format!("unknown method: {}...", "ä".repeat(64)));
}

#[test]
fn kinds_of_clients() {
    assert_eq!(ClientKind::of("cli", "probe"), ClientKind::CommandLine);
    assert_eq!(ClientKind::of("openclaw-control-ui", "ui"), ClientKind::Browser);
    assert_eq!(ClientKind::of("x", "webchat"), ClientKind::Browser);
    assert_eq!(ClientKind::of("node-host", "node"), ClientKind::Other);
}
