//! Attacks that need a whole conversation. Each ends with a normal client.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::support::frames::{TEXT, frame};
use super::support::witness::{LEFT_KB, Witness};
use super::support::{Client, TOKEN, connect_params, raw_http, refusal, within};
use super::{CONNECTIONS, READ, request};

/// Rows of the default configuration.
const MAX_ENTRIES: usize = 200;

#[tokio::test]
async fn unrepresentable_json_is_an_error_or_ignored() {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    let (mut client, _) = Client::connect(address, "attacker", READ).await;
    let with =
        |params: &str| format!(r#"{{"type":"req","id":"x","method":"system-event","params":{params}}}"#);
    let deep = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat();
    let answered = [
        with(&deep("[", "]")),
        with(r#"{"text":"t","lastInputSeconds":1e999}"#),
        with(r#"{"text":"\ud800"}"#),
        with(r#"{"text":{"__proto__":{"a":1}}}"#),
        with(r#"{"text":null}"#),
        with(&format!("[{}0]", "0,".repeat(100_000))),
        with(&format!("{{{}\"text\":\"t\"}}", r#""":0,"#.repeat(20_000))),
        r#"{"type":"req","id":"x","method":"__proto__"}"#.to_owned(),
        r#"{"type":"req","id":"x","method":"health","constructor":{}}"#.to_owned(),
    ];
    for text in answered {
        let start: String = text.chars().take(80).collect();
        client.send(Message::text(text)).await;
        assert_eq!(client.response("x").await["ok"], false, "{start}");
    }
    // Not JSON at all, or without an id to answer to.
    for text in [
        deep("[", ""),
        "{".into(),
        "\0".into(),
        "NaN".into(),
        "{'a':1}".into(),
        "\u{feff}{}".into(),
    ] {
        client.send(Message::text(text)).await;
    }
    assert_eq!(client.request("health", json!({})).await["ok"], true);
    drop(client);
    witness.is_unharmed(&["attacker"], LEFT_KB).await;
}

#[tokio::test]
async fn heads_and_frames_that_never_end_are_closed_in_time() {
    let mut witness = Witness::start(&["--handshake-ms", "500"]).await;
    let address = witness.address();
    // Later rounds reuse the memory of the first one, so that only a leak exceeds the bound.
    for _ in 0..3 {
        let mut slow = Vec::new();
        let heads = ["", "GET", "GET / HTTP/1.1\r\nHost: x\r\nX: "];
        for head in heads.into_iter().cycle().take(CONNECTIONS / 3) {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            slow.push(stream);
        }
        let mut stalled = Client::open(address, "").await;
        stalled.stream().write_all(&[TEXT, 0xfe, 0x10]).await.unwrap();
        for mut stream in slow {
            let mut answer = Vec::new();
            within("the end", stream.read_to_end(&mut answer)).await.unwrap();
            assert!(!String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 2"));
        }
        assert_eq!(stalled.closed().await, (1008, "handshake timeout".to_owned()));
    }
    witness.is_unharmed(&[], LEFT_KB).await;
}

#[tokio::test]
async fn clients_that_disconnect_anywhere_leave_no_state() {
    // Far fewer places than rounds: one place lost in some of them is enough to refuse the last clients.
    let places = ["--max-connections", "24", "--max-unauthenticated", "16"];
    let mut witness = Witness::start(&places).await;
    let address = witness.address();
    let (mut pacer, _) = Client::connect(address, "pacer", READ).await;
    let hello = request("1", "connect", &connect_params("torn", READ));
    let upgrade = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let whole = [upgrade.into_bytes(), frame(TEXT, hello.as_bytes())].concat();
    for round in 0..2 * CONNECTIONS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Every third handshake is complete.
        let len = if round % 3 == 1 {
            whole.len()
        } else {
            round * 7 % whole.len()
        };
        stream.write_all(&whole[..len]).await.unwrap();
        if round % 2 == 0 {
            // With a reset instead of an end.
            socket2::SockRef::from(&stream)
                .set_linger(Some(std::time::Duration::ZERO))
                .unwrap();
        }
        drop(stream);
        if round % 8 == 0 {
            // Meanwhile earlier ends are handled.
            pacer.request("health", json!({})).await;
        }
    }
    for _ in 0..20 {
        pacer.request("health", json!({})).await;
    }
    drop(pacer);
    let rows = witness.is_unharmed(&["torn", "pacer"], LEFT_KB).await;
    assert!(rows.len() <= 2, "{rows:?}");
}

#[tokio::test]
async fn a_crowd_that_leaves_takes_no_connected_client_with_it() {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    for n in 0..3 * MAX_ENTRIES {
        let (mut client, _) = Client::connect(address, &format!("crowd-{n}"), &[]).await;
        let beacon =
            json!({ "text": format!("t{n}"), "instanceId": format!("crowd-{n}"), "reason": "r".repeat(900) });
        client.send_request("system-event", beacon).await;
    }
    // Most of this memory is for the rows that stay. If evicted rows were kept, it would not suffice.
    let rows = witness.is_unharmed(&["crowd-"], 3 * LEFT_KB).await;
    // With the gateway, the witness and the new client.
    assert!(rows.len() <= MAX_ENTRIES - 3, "{}", rows.len());
}

#[tokio::test]
async fn no_client_writes_the_row_of_another_or_gains_rights() {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    let requests = [
        (
            "system-event",
            json!({ "text": "t", "instanceId": "witness", "host": "stolen" }),
        ),
        (
            "system-event",
            json!({ "text": "Gateway: me", "mode": "gateway", "instanceId": "other" }),
        ),
        ("system-presence", json!({})),
        ("presence.snapshot", json!({})),
        ("connect", connect_params("low", &["operator.admin"])),
        (
            "node.event",
            json!({ "event": "presence.activity", "payload": {} }),
        ),
    ];
    for _ in 0..CONNECTIONS {
        let (mut client, _) = Client::connect(address, "low", &[]).await;
        for (method, params) in &requests {
            let answer = client.request(method, params.clone()).await;
            assert_eq!(answer["ok"], false, "{method}: {answer}");
        }
    }
    witness.is_unharmed(&["low"], LEFT_KB).await;
}

#[tokio::test]
async fn requests_before_the_handshake_get_one_answer_and_a_close() {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    let texts = [
        ("", 1000),
        ("x", 1000),
        ("[]", 1008),
        ("null", 1008),
        (r#"{"type":"res","id":"1","ok":true}"#, 1008),
        (r#"{"type":"req"}"#, 1008),
    ];
    for (text, code) in texts.into_iter().cycle().take(CONNECTIONS) {
        let mut client = Client::open(address, "").await;
        client.send(Message::text(text)).await;
        assert_eq!(client.closed().await.0, code, "{text}");
    }
    for change in [
        json!({ "minProtocol": 5 }),
        json!({ "role": "root" }),
        json!({ "client": [] }),
    ] {
        let mut params = connect_params("attacker", READ);
        for (name, value) in change.as_object().unwrap() {
            params[name] = value.clone();
        }
        let (error, (code, reason)) = refusal(address, "", params).await;
        assert_ne!(error, Value::Null, "{change}");
        assert!(
            [1002, 1008].contains(&code) && !reason.is_empty(),
            "{change}: {code} {reason}"
        );
    }
    witness.is_unharmed(&["attacker"], LEFT_KB).await;
}

#[tokio::test]
async fn a_request_behind_a_request_is_not_smuggled() {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    let hidden = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // A POST may have a body, so that only the rule about these lines refuses it. The words are those of the rule:
    // hyper would refuse some of these heads, too.
    let heads = [
        (
            "GET",
            "Content-Length: 5\r\nContent-Length: 0",
            "two Content-Length",
        ),
        (
            "POST",
            "Content-Length: 0\r\nContent-Length: 5",
            "two Content-Length",
        ),
        (
            "POST",
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            "with Content-Length",
        ),
        ("GET", "Transfer-Encoding: chunked", "no body"),
        ("GET", "Transfer-Encoding: xchunked", "no body"),
        ("POST", "Content-Length: +5", "no number"),
        ("POST", "Content-Length: 5, 5", "no number"),
        ("POST", "Content-Length : 5", "colon"),
        ("POST", "X: a\r\n Content-Length: 5", "colon"),
        ("POST", "X: a\nContent-Length: 5", "CR LF"),
    ];
    for (method, lines, words) in heads.into_iter().cycle().take(CONNECTIONS / 2) {
        let request = format!("{method} /healthz HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n{hidden}");
        let answer = raw_http(address, &request).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains(words),
            "{lines}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lines}: {answer}");
        // Later requests of a connection are checked like the first.
        let answer = raw_http(address, &format!("{hidden}{request}")).await;
        let statuses: Vec<&str> = answer
            .split("HTTP/1.1 ")
            .map(|rest| rest.get(..3).unwrap_or(""))
            .collect();
        assert_eq!(statuses, ["", "200", "400"], "{lines}: {answer}");
        assert!(answer.contains(words), "{lines}: {answer}");
    }
    // Bytes after the start of a WebSocket that is refused are not a request.
    let lines = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 12";
    let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n{hidden}");
    let answer = raw_http(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    // Bytes after a body are not a request, whether the body was read or not.
    for secret in [TOKEN, "wrong"] {
        let lines = format!("Host: localhost\r\nAuthorization: Bearer {secret}\r\nContent-Length: 2");
        let request = format!("POST /api/beacon HTTP/1.1\r\n{lines}\r\n\r\n{{}}{hidden}");
        let answer = raw_http(address, &request).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    witness.is_unharmed(&[], LEFT_KB).await;
}
