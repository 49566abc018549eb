//! The whole life of a socket: what is let in, what is refused how, and what follows.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use serde_json::{Value, json};

use super::*;
use crate::server::{DeviceEvidence, OriginEvidence, SecretEvidence};
use crate::wire::Access;
use crate::wire::error::{Misplaced, SecretKind};

const START: Now = Now {
    age_ms: 1_000,
    wall_ms: 1_700_000_000_000,
};
const GOOD: Evidence = Evidence {
    origin: OriginEvidence::Allowed,
    secret: SecretEvidence::Match,
    device: DeviceEvidence::Absent,
};

/// A new connection whose challenge was sent.
fn opened() -> Connection {
    let ip = Some("203.0.113.7".into());
    let mut connection = Connection::new(&Limits::default(), "conn-1".into(), "nonce-1".into(), ip, START);
    assert!(matches!(
        connection.poll_output(),
        Some(ConnectionOutput::Send(_))
    ));
    connection
}

fn params() -> Value {
    json!({
        "minProtocol": 3, "maxProtocol": 4,
        "client": { "id": "cli", "version": "1", "platform": "linux", "mode": "cli", "instanceId": "I-1" },
        "scopes": ["operator.write", "operator.read"],
    })
}

fn with_device(mut params: Value) -> Value {
    params["device"] =
        json!({ "id": "dev-1", "publicKey": "k", "signature": "s", "signedAt": 1, "nonce": "n" });
    params
}

fn request(id: &str, method: &str, params: &Value) -> String {
    json!({ "type": "req", "id": id, "method": method, "params": params }).to_string()
}

fn drained(connection: &mut Connection) -> Vec<ConnectionOutput> {
    core::iter::from_fn(|| connection.poll_output()).collect()
}

/// A connection that sent `params` and waits for the evidence.
fn authenticating(params: &Value) -> Connection {
    let mut connection = opened();
    connection.handle_text(&request("c1", "connect", params), START);
    match &drained(&mut connection)[..] {
        [ConnectionOutput::Authenticate(_)] => connection,
        other => panic!("{other:?}"),
    }
}

/// A connection whose handshake is done.
fn ready() -> Connection {
    let mut connection = authenticating(&params());
    connection.handle_evidence(&GOOD, START);
    assert!(matches!(
        &drained(&mut connection)[..],
        [ConnectionOutput::Join(_)]
    ));
    connection
}

/// The error and the close of a refused connection, which must be all there is.
fn refusal(connection: &mut Connection, id: &str) -> (Value, CloseFrame) {
    match &drained(connection)[..] {
        [
            ConnectionOutput::Refused(_),
            ConnectionOutput::Send(frame),
            ConnectionOutput::Close(close),
        ] => {
            let frame: Value = serde_json::from_str(&frame.to_string()).unwrap();
            assert_eq!(
                (&frame["type"], &frame["id"], &frame["ok"]),
                (&json!("res"), &json!(id), &json!(false))
            );
            (frame["error"].clone(), close.clone())
        }
        other => panic!("{other:?}"),
    }
}

/// What a `connect` with `params` and `evidence` is refused with; the close must say the same.
fn refused(params: &Value, evidence: &Evidence) -> Value {
    let mut connection = authenticating(params);
    connection.handle_evidence(evidence, START);
    let (error, close) = refusal(&mut connection, "c1");
    assert_eq!(
        close,
        CloseFrame::new(1008, error["message"].as_str().unwrap().to_string())
    );
    assert_is_closed(&mut connection);
    error
}

fn assert_is_closed(connection: &mut Connection) {
    connection.handle_text(&request("x", "health", &json!({})), START);
    connection.handle_evidence(&GOOD, START);
    connection.handle_oversized();
    connection.handle_timeout(START.after(1_000_000));
    assert_eq!(connection.poll_output(), None);
    assert_eq!(connection.poll_timeout(), None);
}

#[test]
fn what_the_shell_does_not_need_is_not_copied_for_it() {
    let mut params = params();
    params["caps"] = json!(["presence-delta"]);
    params["commands"] = json!(["camera.snap"]);
    let mut connection = opened();
    connection.handle_text(&request("c1", "connect", &params), START);
    let Some(ConnectionOutput::Authenticate(asked)) = connection.poll_output() else {
        panic!("no question");
    };
    assert_eq!((asked.caps.len(), asked.commands.len()), (0, 0));
    connection.handle_evidence(&GOOD, START);
    let Some(ConnectionOutput::Join(handshake)) = connection.poll_output() else {
        panic!("not let in");
    };
    assert_eq!((handshake.caps.len(), handshake.commands.len()), (1, 1));
    assert!(Arc::ptr_eq(&handshake.client, &asked.client));
}

#[test]
fn the_challenge_comes_first() {
    let mut connection = Connection::new(&Limits::default(), "c".into(), "n-1".into(), None, START);
    assert_eq!(
        drained(&mut connection),
        [ConnectionOutput::Send(ResponseFrame::challenge(
            "n-1",
            START.wall_ms
        ))]
    );
    assert_eq!(connection.nonce(), "n-1");
}

#[test]
fn an_accepted_operator_joins_with_what_it_asked_for() {
    let mut connection = authenticating(&with_device(params()));
    connection.handle_evidence(
        &Evidence {
            device: DeviceEvidence::Verified,
            ..GOOD
        },
        START,
    );
    let expected = Handshake {
        request_id: "c1".into(),
        conn_id: "conn-1".into(),
        protocol: 4,
        role: Role::Operator,
        scopes: ["operator.write".into(), "operator.read".into()].into(),
        client: Arc::new(ClientInfo {
            id: "cli".into(),
            version: "1".into(),
            platform: "linux".into(),
            mode: "cli".into(),
            instance_id: Some("I-1".into()),
            ..ClientInfo::default()
        }),
        device_id: Some("dev-1".into()),
        caps: vec![],
        commands: vec![],
        remote_ip: Some("203.0.113.7".into()),
        user: None,
        may_report_input: false,
    };
    assert_eq!(
        drained(&mut connection),
        [ConnectionOutput::Join(Box::new(expected))]
    );
}

/// What real clients sent, with the protocol they must get.
const RECORDED: [(u32, &str); 3] = [
    // the command line of protocol 3.
    (
        3,
        r#"{"type":"req","id":"28560476-5f15-4998-9cf5-41eec039e478","method":"connect","params":{"minProtocol":3,"maxProtocol":3,"client":{"id":"cli","version":"dev","platform":"linux","mode":"cli","instanceId":"1bc500b1-92e1-435f-b2c0-a27750ed8578"},"caps":[],"auth":{"token":"example-token"},"role":"operator","scopes":["operator.admin","operator.approvals","operator.pairing"],"device":{"id":"8ef042b25ba916afbb7c4f9824ed0d48905b6755467ae9f0206c600726be30f5","publicKey":"q6KQYpI0-b7AEdfr0PgSNu03QSW1goQYYmeWefVWGmc","signature":"SG6t7SbPRQ1bz36RDuisqkr-PSrDl8bF3s2ysJQfC1epKn1g52mAqhTJI0LDBuRs1gAFSPbjnqo53oRR3O7WDQ","signedAt":1795293119141,"nonce":"9e8e77a4-a0fb-4ac0-b76e-dd774683546a"}}}"#,
    ),
    // the command line of protocol 4.
    (
        4,
        r#"{"type":"req","id":"1:1329adbf-3ab7-462d-bed3-32a0108bb80c","method":"connect","params":{"minProtocol":4,"maxProtocol":4,"client":{"id":"cli","version":"2026.9.6","platform":"linux","deviceFamily":"Linux","mode":"cli","instanceId":"b2b6e724-257e-4910-a2cc-12a423fda841"},"caps":[],"auth":{"token":"example-token"},"role":"operator","scopes":["operator.read"]}}"#,
    ),
    // the client library, offering both.
    (
        4,
        r#"{"type":"req","id":"1:9912170e-ae6d-430e-a1e7-5bb76d0ed7aa","method":"connect","params":{"minProtocol":3,"maxProtocol":4,"client":{"id":"gateway-client","displayName":"gwclient-tap","version":"0.0.0","platform":"linux","mode":"backend","instanceId":"gwclient-tap"},"caps":[],"auth":{"token":"example-token"},"role":"operator","scopes":["operator.admin","operator.read"]}}"#,
    ),
];

#[test]
fn real_clients_are_let_in() {
    for (protocol, text) in RECORDED {
        let mut connection = opened();
        connection.handle_text(text, START);
        let device = match connection.poll_output() {
            Some(ConnectionOutput::Authenticate(params)) if params.device.is_some() => {
                DeviceEvidence::Verified
            }
            Some(ConnectionOutput::Authenticate(_)) => DeviceEvidence::Absent,
            other => panic!("{other:?}"),
        };
        connection.handle_evidence(&Evidence { device, ..GOOD }, START);
        match &drained(&mut connection)[..] {
            [ConnectionOutput::Join(handshake)] => assert_eq!(handshake.protocol, protocol),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_node_has_no_scopes_whatever_it_asked_for() {
    let mut params = params();
    params["role"] = json!("node");
    params["caps"] = json!(["camera"]);
    params["commands"] = json!(["camera.snap"]);
    let mut connection = authenticating(&params);
    connection.handle_evidence(&GOOD, START);
    match &drained(&mut connection)[..] {
        [ConnectionOutput::Join(handshake)] => {
            assert_eq!((handshake.role, &handshake.scopes[..]), (Role::Node, &[][..]));
            assert_eq!(handshake.caps, ["camera".into()]);
            assert_eq!(handshake.commands, ["camera.snap".into()]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_highest_common_protocol_is_in_force() {
    for (min, max, expected) in [(3, 3, 3), (4, 4, 4), (3, 4, 4), (1, 99, 4)] {
        let mut params = params();
        params["minProtocol"] = json!(min);
        params["maxProtocol"] = json!(max);
        let mut connection = authenticating(&params);
        connection.handle_evidence(&GOOD, START);
        match &drained(&mut connection)[..] {
            [ConnectionOutput::Join(handshake)] => assert_eq!(handshake.protocol, expected),
            other => panic!("{other:?}"),
        }
    }
}

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
fn a_first_request_that_cannot_be_let_in_is_answered_and_closed() {
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
        origin: OriginEvidence::Refused,
        secret: SecretEvidence::TokenMismatch,
        device: DeviceEvidence::NonceMismatch,
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
fn every_bad_secret_has_its_code() {
    let cases = [
        (SecretEvidence::TokenMissing, "AUTH_TOKEN_MISSING"),
        (SecretEvidence::PasswordMissing, "AUTH_PASSWORD_MISSING"),
        (SecretEvidence::TokenMismatch, "AUTH_TOKEN_MISMATCH"),
        (SecretEvidence::PasswordMismatch, "AUTH_PASSWORD_MISMATCH"),
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
fn a_throttled_client_is_asked_to_come_back() {
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
fn a_refusal_is_handed_to_the_log_with_who_was_refused() {
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
fn another_gateways_device_token_is_called_that() {
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
fn a_device_that_nobody_verified_is_refused() {
    let error = refused(&with_device(params()), &GOOD);
    assert_eq!(error["details"]["code"], "DEVICE_AUTH_SIGNATURE_INVALID");
}

#[test]
fn frames_during_the_handshake_wait_for_its_end() {
    let mut connection = authenticating(&params());
    for index in 0..MAX_PENDING_FRAMES {
        connection.handle_text(&request(&format!("q{index}"), "health", &json!({})), START);
    }
    assert_eq!(connection.poll_output(), None);
    connection.handle_evidence(&GOOD, START);
    let outputs = drained(&mut connection);
    assert!(matches!(outputs[0], ConnectionOutput::Join(_)));
    let ids: Vec<_> = outputs[1..]
        .iter()
        .map(|output| match output {
            ConnectionOutput::Call(request) => request.id.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        ids,
        (0..MAX_PENDING_FRAMES)
            .map(|index| format!("q{index}"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn too_many_or_too_large_frames_during_the_handshake_close_it() {
    let mut connection = authenticating(&params());
    for _ in 0..=MAX_PENDING_FRAMES {
        connection.handle_text("{}", START);
    }
    let close = ConnectionOutput::Close(CloseFrame {
        code: 1008,
        reason: "too many pending handshake frames".into(),
    });
    assert_eq!(drained(&mut connection), core::slice::from_ref(&close));
    assert_is_closed(&mut connection);

    let mut connection = authenticating(&params());
    let half = "x".repeat(Limits::default().preauth_frame_bytes / 2);
    connection.handle_text(&half, START);
    connection.handle_text(&half, START);
    assert_eq!(connection.poll_output(), None);
    connection.handle_text("x", START);
    assert_eq!(drained(&mut connection), [close]);
}

#[test]
fn frames_that_waited_are_forgotten_when_the_handshake_fails() {
    let mut connection = authenticating(&params());
    connection.handle_text(&request("q", "health", &json!({})), START);
    connection.handle_evidence(
        &Evidence {
            secret: SecretEvidence::TokenMissing,
            ..GOOD
        },
        START,
    );
    refusal(&mut connection, "c1");
    assert_is_closed(&mut connection);
}

#[test]
fn the_handshake_has_a_deadline_until_it_is_done() {
    let timeout = [ConnectionOutput::Close(CloseFrame::HANDSHAKE_TIMEOUT)];
    for mut connection in [opened(), authenticating(&params())] {
        assert_eq!(connection.poll_timeout(), Some(16_000));
        connection.handle_timeout(START.after(14_999));
        assert_eq!(connection.poll_output(), None);
        connection.handle_timeout(START.after(15_000));
        assert_eq!(drained(&mut connection), timeout);
        assert_is_closed(&mut connection);
    }
    // What comes after the deadline is too late, even if no timer fired before it.
    let mut connection = opened();
    connection.handle_text(&request("c1", "connect", &params()), START.after(15_000));
    assert_eq!(drained(&mut connection), timeout);
    let mut connection = authenticating(&params());
    connection.handle_evidence(&GOOD, START.after(15_000));
    assert_eq!(drained(&mut connection), timeout);

    let mut connection = ready();
    assert_eq!(connection.poll_timeout(), None);
    connection.handle_timeout(START.after(1_000_000));
    assert_eq!(connection.poll_output(), None);
}

#[test]
fn after_the_handshake_calls_are_handed_on() {
    let mut connection = ready();
    connection.handle_text(&request("7", "no.such.method", &json!([1])), START);
    let call = Request {
        id: "7".into(),
        access: Access::Anyone,
        call: Err(Box::new(WireError::unknown_method("no.such.method"))),
    };
    assert_eq!(drained(&mut connection), [ConnectionOutput::Call(Box::new(call))]);
}

#[test]
fn after_the_handshake_bad_frames_are_answered_or_ignored_and_the_socket_stays() {
    let mut connection = ready();
    connection.handle_text("hello", START);
    assert!(matches!(
        &drained(&mut connection)[..],
        [ConnectionOutput::Note(_)]
    ));
    let cases = [
        (
            r#"{"id":"8"}"#,
            "8",
            "invalid request frame: must have required property 'type'",
        ),
        ("[]", "invalid", "invalid request frame: must be object"),
        (
            r#"{"type":"req","id":"9","method":"m","x":1}"#,
            "9",
            "invalid request frame: at root: unexpected property 'x'",
        ),
        (
            &*request("10", "connect", &params()),
            "10",
            "connect is only valid as the first request",
        ),
    ];
    for (text, id, message) in cases {
        connection.handle_text(text, START);
        let expected = ResponseFrame::error(id, &WireError::invalid_request(message));
        assert_eq!(drained(&mut connection), [ConnectionOutput::Send(expected)]);
    }
    connection.handle_text(&request("11", "health", &json!({})), START);
    assert!(matches!(
        &drained(&mut connection)[..],
        [ConnectionOutput::Call(_)]
    ));
}

#[test]
fn the_frame_limit_grows_with_the_handshake_and_too_large_closes() {
    let limits = Limits::default();
    assert_eq!(opened().max_frame_bytes(), limits.preauth_frame_bytes);
    assert_eq!(
        authenticating(&params()).max_frame_bytes(),
        limits.preauth_frame_bytes
    );
    let mut connection = ready();
    assert_eq!(connection.max_frame_bytes(), limits.payload_bytes);
    connection.handle_oversized();
    assert_eq!(
        drained(&mut connection),
        [ConnectionOutput::Close(CloseFrame::TOO_LARGE)]
    );
    assert_is_closed(&mut connection);
}

#[test]
fn evidence_that_nobody_asked_for_is_ignored() {
    let mut connection = opened();
    connection.handle_evidence(&GOOD, START);
    assert_eq!(connection.poll_output(), None);
    let mut connection = ready();
    connection.handle_evidence(
        &Evidence {
            secret: SecretEvidence::TokenMissing,
            ..GOOD
        },
        START,
    );
    assert_eq!(connection.poll_output(), None);
}

#[test]
fn a_ready_connection_is_small_and_owns_nothing() {
    let connection = ready();
    assert!(matches!(connection.phase, Phase::Ready));
    assert_eq!((connection.outputs.capacity(), connection.nonce()), (0, ""));
    assert!(size_of::<Connection>() <= 64, "{}", size_of::<Connection>());
}
