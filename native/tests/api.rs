//! The list and beacons over plain HTTP.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;

use presence_core::server::BEACON_MODE;
use presence_gateway::{AuthMode, RunningGateway, Secret};
use serde_json::{Value, json};
use support::{Client, TOKEN, config_with, raw_http, row, start, start_manual, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const READ: &[&str] = &["operator.read"];

fn guarded() -> RunningGateway {
    start(config_with(|config| {
        config.auth = AuthMode::Token(Secret::new(TOKEN).unwrap());
    }))
}

/// The status, the head and the body of an answer.
async fn request(address: SocketAddr, line: &str, headers: &str, body: &str) -> (u16, String, Value) {
    let request = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n{headers}\r\n{body}"
    );
    let answer = raw_http(address, &request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    (status, head.to_owned(), body)
}

async fn list(address: SocketAddr, headers: &str) -> (u16, String, Value) {
    request(address, "GET /api/presence", headers, "").await
}

async fn beacon(address: SocketAddr, params: &Value) -> (u16, Value) {
    let body = params.to_string();
    let headers = format!("Content-Length: {}\r\n", body.len());
    let (status, _, answer) = request(address, "POST /api/beacon", &headers, &body).await;
    (status, answer)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let mut lines = head.lines();
    lines
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap()
}

#[tokio::test]
async fn the_list_is_that_of_a_websocket_and_is_not_sent_again() {
    let (gateway, manual) = start_manual(config_with(|_| {}));
    let address = gateway.address();
    let (mut client, _) = Client::connect(address, "a", READ).await;
    let (status, head, rows) = list(address, "").await;
    assert_eq!(status, 200, "{head}");
    assert_eq!(
        rows,
        client.request("system-presence", json!({})).await["payload"]
    );
    let tag = header(&head, "etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let known = format!("If-None-Match: {tag}\r\n");
    let (status, head, body) = list(address, &known).await;
    assert_eq!((status, body), (304, Value::Null));
    assert_eq!(header(&head, "etag"), tag);

    // A change, and 30 s without one.
    let (second, _) = Client::connect(address, "b", READ).await;
    let (status, head, rows) = list(address, &known).await;
    assert_eq!((status, rows.as_array().unwrap().len()), (200, 3));
    let known = format!("If-None-Match: {}\r\n", header(&head, "etag"));
    assert_eq!(list(address, &known).await.0, 304);
    manual.advance(30_000);
    gateway.settle().await;
    assert_eq!(list(address, &known).await.0, 200);
    drop(second);

    let (status, _, body) = request(address, "HEAD /api/presence", "", "").await;
    assert_eq!((status, body), (200, Value::Null));
    gateway.shutdown().await;
}

#[tokio::test]
async fn rights_are_those_of_a_websocket() {
    let gateway = guarded();
    let address = gateway.address();
    for line in ["GET /api/presence", "POST /api/beacon"] {
        for (auth, code) in [
            ("", "AUTH_TOKEN_MISSING"),
            ("Authorization: Basic eDp5\r\n", "AUTH_TOKEN_MISSING"),
            ("Authorization: Bearer wrong\r\n", "AUTH_TOKEN_MISMATCH"),
        ] {
            let request = format!(
                "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n{auth}\r\n"
            );
            let answer = raw_http(address, &request).await;
            assert!(
                answer.starts_with("HTTP/1.1 401 ") && answer.contains(code),
                "{answer}"
            );
            assert!(answer.contains("www-authenticate: Bearer"), "{answer}");
        }
        let (status, _, answer) = request(address, line, "Origin: https://evil.example\r\n", "").await;
        assert_eq!(status, 403, "{answer}");
        assert_eq!(
            answer["error"]["details"]["code"],
            "CONTROL_UI_ORIGIN_NOT_ALLOWED"
        );
        let (status, ..) = request(address, line, "Authorization: Bearer second\r\n", "").await;
        assert_eq!(status, 400);
    }
    assert_eq!(list(address, "").await.0, 200);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_refused_method_names_those_that_are_answered() {
    let gateway = guarded();
    let address = gateway.address();
    let readable = ["GET", "HEAD", "OPTIONS"].as_slice();
    for (path, allowed) in [
        ("/api/presence", readable),
        ("/api/presence/stream", readable),
        ("/api/beacon", &["POST"]),
        ("/healthz", &["GET", "HEAD"]),
    ] {
        let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT"];
        // The answer to a GET of the stream does not end.
        let is_endless = |method: &&str| path.ends_with("/stream") && *method == "GET";
        for method in methods.into_iter().filter(|method| !is_endless(method)) {
            let (status, head, body) = request(address, &format!("{method} {path}"), "", "").await;
            assert_eq!(
                status == 405,
                !allowed.contains(&method),
                "{method} {path}: {head}"
            );
            if status == 405 {
                let named: Vec<&str> = header(&head, "allow").split(',').map(str::trim).collect();
                assert_eq!(named, allowed, "{method} {path}");
                let is_api = path.starts_with("/api/") && method != "HEAD";
                assert_eq!(body["error"]["code"] == "INVALID_REQUEST", is_api, "{body}");
            }
        }
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_beacon_creates_one_row_for_its_ttl() {
    let (gateway, manual) = start_manual(config_with(|_| {}));
    let address = gateway.address();
    let (mut reader, _) = Client::connect(address, "reader", READ).await;
    let params = json!({ "text": "Node: nas", "instanceId": "job", "host": "nas", "ttlMs": 10_000 });
    assert_eq!(beacon(address, &params).await, (200, json!({ "ok": true })));
    // The end of the window that the reader's own join opened.
    manual.advance(50);
    let event = reader.event_named("presence").await;
    assert_eq!(row(&event["payload"]["presence"], "job")["host"], "nas");
    let rows = list(address, "").await.2;
    assert_eq!(rows.as_array().unwrap().len(), 3, "{rows}");
    assert!(
        !rows.to_string().contains(&format!("\"mode\":\"{BEACON_MODE}\"")),
        "{rows}"
    );
    manual.advance(9_951);
    let event = reader.event_named("presence").await;
    assert_eq!(
        event["payload"]["presence"].as_array().unwrap().len(),
        2,
        "{event}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn beacons_of_one_address_share_the_quota_of_a_connection() {
    let gateway = start(config_with(|config| config.max_entries = 20));
    let address = gateway.address();
    let (mut client, _) = Client::connect(address, "a", &["operator.write"]).await;
    let other = json!({ "text": "t", "instanceId": "other" });
    assert_eq!(client.request("system-event", other).await["ok"], true);
    for number in 0..25 {
        let params = json!({ "text": "t", "instanceId": format!("job-{number}") });
        assert_eq!(beacon(address, &params).await.0, 200);
    }
    let (_, _, rows) = list(address, "").await;
    let ids: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["instanceId"].as_str())
        .collect();
    let mut jobs: Vec<&str> = ids.iter().copied().filter(|id| id.starts_with("job-")).collect();
    jobs.sort_unstable();
    assert_eq!(jobs, ["job-23", "job-24"], "a tenth of the cap");
    assert!(ids.contains(&"other") && ids.contains(&"a"), "{ids:?}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn bad_beacons_are_refused_with_the_words_of_a_websocket() {
    let gateway = guarded();
    let address = gateway.address();
    for (params, words) in [
        (json!({}), "text"),
        (json!([]), "system-event"),
        (
            json!({ "text": "x", "ttlMs": 999 }),
            "/ttlMs: 999 is not from 1000 to 300000",
        ),
        (json!({ "text": "x", "ttlMs": 300_001 }), "/ttlMs: 300001 is not"),
        (
            json!({ "text": "x", "ttlMs": -1 }),
            "/ttlMs: a value below 1 is not",
        ),
        (
            json!({ "text": "x", "ttlMs": 1e300 }),
            "/ttlMs: a value of 9007199254740991 or more is not",
        ),
        (json!({ "text": "x", "ttlMs": "1m" }), "/ttlMs"),
        (json!({ "text": "x".repeat(5_000) }), "/text"),
    ] {
        let (status, answer) = beacon(address, &params).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &"INVALID_REQUEST".into()),
            "{answer}"
        );
        assert!(
            answer["error"]["message"].as_str().unwrap().contains(words),
            "{answer}"
        );
    }
    for (headers, body, status) in [
        ("Content-Length: 3\r\n", "{}}", 400),
        (
            "Content-Length: 41\r\n",
            r#"{"text":"x"},"method":"connect","x":{"a":1}"#,
            400,
        ),
        ("", "", 411),
        ("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n", 411),
        ("Content-Length: 65537\r\n", "", 413),
        ("Content-Length: 99999999999999999999999\r\n", "", 413),
        ("Content-Length: 4294967296\r\n", "", 413),
    ] {
        let (answered, _, answer) = request(address, "POST /api/beacon", headers, body).await;
        assert_eq!(
            (answered, &answer["ok"]),
            (status, &false.into()),
            "{headers}{body}: {answer}"
        );
    }
    let rows = list(address, "").await.2;
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_missing_body_times_out_like_a_handshake() {
    let (gateway, manual) = start_manual(config_with(|_| {}));
    let (address, request) = (
        gateway.address(),
        format!(
            "POST /api/beacon HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n{{"
        ),
    );
    let answer = tokio::spawn(async move { raw_http(address, &request).await });
    // The deadline of the body is set when the gateway waits for it.
    while !answer.is_finished() {
        manual.advance(1_000);
        tokio::task::yield_now().await;
    }
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_client_may_wait_before_it_sends_the_body() {
    let gateway = start(config_with(|_| {}));
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let head = format!(
        "POST /api/beacon HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
         Expect: 100-continue\r\nContent-Length: 12\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    within("100", async {
        while !heard.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0);
        }
    })
    .await;
    assert_eq!(heard, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(br#"{"text":"x"}"#).await.unwrap();
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_errors_of_the_api_too() {
    let (gateway, manual) = start_manual(config_with(|_| {}));
    let address = gateway.address();
    let long = "x".repeat(17_000);
    for (request, status, words) in [
        ("GET /api/presence HTTP/1.1\r\n\r\n".to_owned(), 400, "no Host"),
        (
            format!("GET /api/presence HTTP/1.1\r\nX: {long}\r\n\r\n"),
            431,
            "too large",
        ),
        ("GET /api/pre".to_owned(), 408, "too long"),
        (
            "GET /api/<> HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
            400,
            "characters",
        ),
        (
            "GET /api/no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
            404,
            "no such path",
        ),
    ] {
        let answer = tokio::spawn({
            let request = request.clone();
            async move { raw_http(address, &request).await }
        });
        while !answer.is_finished() {
            manual.advance(1_000);
            tokio::task::yield_now().await;
        }
        let answer = answer.await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answer}"
        );
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["code"], "INVALID_REQUEST", "{body}");
        assert!(
            body["error"]["message"].as_str().unwrap().contains(words),
            "{body}"
        );
    }
    gateway.shutdown().await;
}
