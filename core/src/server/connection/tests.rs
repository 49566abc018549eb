//! The whole life of a socket: accepted and refused handshakes, and frames after them.

mod frames;
mod refusals;

use alloc::string::{String, ToString};
use alloc::vec;

use serde_json::{Value, json};

use super::*;
use crate::model::ClientInfo;
use crate::server::{DeviceEvidence, Grant, OriginEvidence, SecretEvidence};
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
    grant: Grant::Everything,
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

/// The error and the close of a refused connection, which must be its only outputs.
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

/// The error of a refused `connect` with `params` and `evidence`; the close must have the same text.
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
fn members_that_the_shell_does_not_need_are_not_copied() {
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
fn an_accepted_operator_joins_with_the_requested_scopes() {
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
        clock_skew_ms: Some(1 - START.wall_ms.cast_signed()),
        visitor: None,
    };
    assert_eq!(
        drained(&mut connection),
        [ConnectionOutput::Join(Box::new(expected))]
    );
}

/// Handshakes of real clients, with the expected protocol.
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
fn real_clients_are_accepted() {
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
fn a_node_is_granted_no_scopes() {
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
