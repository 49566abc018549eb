//! Log lines about connections and rows.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod devices;
mod durations;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/device.rs"]
mod support_device;

use presence_gateway::RunningGateway;
use presence_gateway::clock::Manual;
use serde_json::{Value, json};
use support::log::{Log, LogGuard};
use support::{Client, TOKEN, config_with, connect_params, offering, raw_http, refusal, start, start_manual};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

const READ: &[&str] = &["operator.read"];
/// Lines of one kind in a second.
const MAX_LINES: usize = 20;

fn started() -> (RunningGateway, Manual, Log, LogGuard) {
    let (log, guard) = Log::start();
    let (gateway, clock) = start_manual(config_with(|config| {
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    }));
    (gateway, clock, log, guard)
}

const FROM: &str = "X-Forwarded-For: 192.0.2.7\r\nUser-Agent: Probe/1.0\r\n";

#[tokio::test]
async fn an_accept_and_its_close_are_one_line_each() {
    let (gateway, clock, log, _guard) = started();
    let headers = format!("{FROM}Origin: http://192.168.1.5\r\n");
    let mut client = Client::open_with_host(gateway.address(), "192.168.1.5", &headers).await;
    clock.advance(40);
    client.hello(connect_params("a", READ)).await;
    let line = log.line("accepted").await;
    for (name, value) in [
        ("level", json!("INFO")),
        ("client", json!("test")),
        ("version", json!("1.0")),
        ("mode", json!("ui")),
        ("role", json!("operator")),
        ("protocol", json!(4)),
        ("origin", json!("http://192.168.1.5")),
        ("user_agent", json!("Probe/1.0")),
        ("address", json!("192.0.2.7")),
        ("proxy", json!("127.0.0.1")),
        ("duration_ms", json!(40)),
    ] {
        assert_eq!(line[name], value, "{name} in {line}");
    }
    clock.advance(5_000);
    client
        .send(Message::Close(Some(CloseFrame {
            code: 4000.into(),
            reason: "tick timeout\n".into(),
        })))
        .await;
    let line = log.line("closed").await;
    for (name, value) in [
        ("level", json!("INFO")),
        ("code", json!(4000)),
        ("reason", json!("tick timeout\\n")),
        ("by", json!("client")),
        ("client", json!("test")),
        ("role", json!("operator")),
        ("origin", json!("http://192.168.1.5")),
        ("user_agent", json!("Probe/1.0")),
        ("address", json!("192.0.2.7")),
        ("duration_ms", json!(5_040)),
    ] {
        assert_eq!(line[name], value, "{name} in {line}");
    }
    assert!(!log.text().contains(TOKEN));
    gateway.shutdown().await;
    assert_eq!((log.lines("accepted").len(), log.lines("closed").len()), (1, 1));
}

#[tokio::test]
async fn every_refused_handshake_is_one_line() {
    let (gateway, _clock, log, _guard) = started();
    let mut wrong = connect_params("a", READ);
    wrong["auth"]["token"] = "a-wrong-secret".into();
    let mut no_id = connect_params("a", READ);
    no_id["client"]["id"] = Value::Null;
    let mut newer = connect_params("a", READ);
    (newer["minProtocol"], newer["maxProtocol"]) = (5.into(), 5.into());
    let mut other_role = connect_params("a", READ);
    other_role["role"] = "a\u{202e}b\u{1b}[2J".into();
    for (params, code, close, client, role) in [
        (
            wrong,
            "AUTH_TOKEN_MISMATCH",
            1008,
            json!("test"),
            json!("operator"),
        ),
        (no_id, "INVALID_REQUEST", 1008, Value::Null, json!("operator")),
        (newer, "PROTOCOL_MISMATCH", 1002, json!("test"), json!("operator")),
        (
            other_role,
            "INVALID_REQUEST",
            1008,
            json!("test"),
            json!("a\\u{202e}b\\u{1b}[2J"),
        ),
    ] {
        refusal(gateway.address(), FROM, params).await;
        let line = log.line("refused").await;
        for (name, value) in [
            ("level", json!("WARN")),
            ("code", json!(code)),
            ("close", json!(close)),
            ("client", client),
            ("version", json!("1.0")),
            ("mode", json!("ui")),
            ("role", role),
            ("user_agent", json!("Probe/1.0")),
            ("address", json!("192.0.2.7")),
        ] {
            assert_eq!(line[name], value, "{name} in {line}");
        }
        assert!(!line["reason"].as_str().unwrap().is_empty());
        log.clear();
    }
    let evil = format!("{FROM}Origin: https://evil.example.org\r\n");
    refusal(gateway.address(), &evil, connect_params("a", READ)).await;
    let line = log.line("refused").await;
    assert_eq!(line["code"], "CONTROL_UI_ORIGIN_NOT_ALLOWED");
    assert_eq!(line["origin"], "https://evil.example.org");
    assert_eq!(line["host"], json!(gateway.address().to_string()));
    assert!(!log.text().contains("a-wrong-secret") && !log.text().contains(TOKEN));
    gateway.shutdown().await;
}

#[tokio::test]
async fn closes_before_a_connect_name_the_client() {
    let (gateway, clock, log, _guard) = started();
    let mut silent = Client::open(gateway.address(), FROM).await;
    silent.event().await;
    clock.advance(15_000);
    assert_eq!(silent.closed().await, (1008, "handshake timeout".to_owned()));
    let line = log.line("refused").await;
    assert_eq!(
        (
            &line["close"],
            &line["reason"],
            &line["address"],
            &line["duration_ms"]
        ),
        (
            &json!(1008),
            &json!("handshake timeout"),
            &json!("192.0.2.7"),
            &json!(15_000)
        )
    );
    assert_eq!(line.get("code"), None);
    log.clear();

    let mut garbage = Client::open(gateway.address(), FROM).await;
    garbage.event().await;
    garbage.send(Message::text("hello")).await;
    assert_eq!(garbage.closed().await.0, 1000);
    assert_eq!(log.line("refused").await["close"], 1000);

    let gone = Client::open(gateway.address(), FROM).await;
    drop(gone);
    let line = log.line("closed before the handshake was done").await;
    assert_eq!((&line["by"], &line["code"]), (&json!("network"), &json!(1006)));
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_ping_timeout_names_the_client() {
    let (gateway, clock, log, _guard) = started();
    let mut client = Client::open(gateway.address(), FROM).await;
    client.hello(connect_params("a", READ)).await;
    // The clients do not read, so they do not answer pings.
    for _ in 0..4 {
        clock.advance(25_000);
        gateway.settle().await;
    }
    let line = log.line("closed").await;
    assert_eq!(
        (&line["code"], &line["reason"], &line["by"], &line["client"]),
        (
            &json!(1001),
            &json!("ping timeout"),
            &json!("gateway"),
            &json!("test")
        )
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_request_that_never_becomes_a_websocket_is_refused_in_one_line() {
    let (gateway, _clock, log, _guard) = started();
    let request =
        format!("GET /?token=example-token HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n{FROM}\r\n");
    let answer = raw_http(gateway.address(), &request).await;
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    let line = log.line("refused").await;
    assert_eq!(
        (
            &line["level"],
            &line["status"],
            &line["user_agent"],
            &line["address"]
        ),
        (
            &json!("WARN"),
            &json!(426),
            &json!("Probe/1.0"),
            &json!("192.0.2.7")
        )
    );
    assert!(
        line["reason"].as_str().unwrap().contains("Connection: Upgrade"),
        "{line}"
    );
    assert!(!log.text().contains("example-token"));
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_storm_of_refusals_is_twenty_lines_a_second_and_their_number() {
    let (gateway, clock, log, _guard) = started();
    for _ in 0..25 {
        refusal(gateway.address(), FROM, offering("old")).await;
    }
    assert_eq!(log.lines("refused").len(), MAX_LINES);
    clock.advance(1_000);
    let line = log.line("5 more refusals in the last second not shown").await;
    assert_eq!((&line["level"], &line["count"]), (&json!("WARN"), &json!(5)));
    refusal(gateway.address(), FROM, offering("old")).await;
    assert_eq!(log.lines("refused").len(), 21);

    // Hidden lines that are still to be counted are logged when the gateway stops.
    for _ in 0..22 {
        refusal(gateway.address(), FROM, offering("old")).await;
    }
    gateway.shutdown().await;
    assert_eq!(log.lines("3 more refusals in the last second not shown").len(), 1);
}

fn going_away() -> CloseFrame {
    CloseFrame {
        code: 1001.into(),
        reason: "page hidden".into(),
    }
}

#[tokio::test]
async fn a_storm_of_clients_is_twenty_accepts_and_twenty_closes_a_second_and_their_numbers() {
    let (gateway, clock, log, _guard) = started();
    let mut clients = Vec::new();
    for number in 0..25 {
        clients.push(Client::connect(gateway.address(), &number.to_string(), READ).await);
    }
    assert_eq!(log.lines("accepted").len(), 20);
    for (client, _) in &mut clients {
        client.send(Message::Close(Some(going_away()))).await;
        client.closed().await;
    }
    gateway.settle().await;
    assert_eq!(log.lines("closed").len(), 20);
    clock.advance(1_000);
    for word in ["accepts", "closes"] {
        let line = log
            .line(&format!("5 more {word} in the last second not shown"))
            .await;
        assert_eq!((&line["level"], &line["count"]), (&json!("INFO"), &json!(5)));
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn evicted_rows_are_one_line_a_minute() {
    let (log, _guard) = Log::start();
    let (gateway, clock) = start_manual(config_with(|config| {
        config.max_entries = 3;
    }));
    const LINE: &str = "rows evicted: the roster is full, of rows or of bytes; raise max_entries if live rows are missing (above 1,953 it raises the bytes, too)";
    let mut clients = Vec::new();
    for id in ["a", "b"] {
        clients.push(Client::connect(gateway.address(), id, READ).await);
    }
    gateway.settle().await;
    assert!(log.lines(LINE).is_empty(), "there is room");
    // Each takes the place of a row with a live connection.
    for id in ["c", "d", "e"] {
        clients.push(Client::connect(gateway.address(), id, READ).await);
    }
    gateway.settle().await;
    let lines = log.lines(LINE);
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["level"], &lines[0]["rows"], &lines[0]["live"]),
        (&json!("WARN"), &json!(1), &json!(1))
    );
    clock.advance(60_000);
    gateway.settle().await;
    let lines = log.lines(LINE);
    assert_eq!(lines.len(), 2, "those since are counted");
    assert_eq!((&lines[1]["rows"], &lines[1]["live"]), (&json!(2), &json!(2)));
    assert_eq!(lines[1]["over_quota"], json!(0));
    gateway.shutdown().await;
}

#[tokio::test]
async fn one_id_on_two_hosts_is_one_line_a_minute() {
    let (gateway, clock, log, _guard) = started();
    let connect = async |host: &str| {
        let mut client = Client::open(gateway.address(), "").await;
        client.event().await;
        let mut params = connect_params("machine-1", READ);
        params["client"]["displayName"] = json!(host);
        let response = client.request("connect", params).await;
        assert_eq!(response["ok"], true, "{response}");
        client
    };
    const LINE: &str = "clients of different hosts use one instanceId and share a row: a cloned disk or home keeps \
                        the id of the original; give each machine an instanceId of its own";
    let _first = connect("pihole").await;
    let _tab = connect(" PiHole").await;
    gateway.settle().await;
    assert_eq!(
        log.lines(LINE).len(),
        0,
        "two connections of one host share a row rightly"
    );
    let _clone = connect("pihole2").await;
    let _again = connect("pihole").await;
    assert_eq!(log.line(LINE).await["shared"], 1);
    clock.advance(60_000);
    gateway.settle().await;
    let lines = log.lines(LINE);
    assert_eq!((lines.len(), &lines[1]["shared"]), (2, &json!(1)));
    // Beacons of two connections without a row of their own, in turn, after one that only looks like it.
    let command = async || {
        let mut client = Client::open(gateway.address(), "").await;
        client.event().await;
        let mut params = connect_params("machine-2", READ);
        params["client"]["mode"] = json!("beacon");
        let response = client.request("connect", params).await;
        assert_eq!(response["ok"], true, "{response}");
        client
    };
    let mut commands = [(command().await, "vm-1"), (command().await, "vm-2")];
    for count in 2..=3 {
        for (client, host) in &mut commands {
            let beacon = json!({ "text": "t", "instanceId": "machine-2", "host": host });
            assert_eq!(client.request("system-event", beacon).await["ok"], true);
        }
        clock.advance(60_000);
        gateway.settle().await;
        assert_eq!(
            log.lines(LINE).len(),
            count,
            "each returned only in the second round"
        );
    }
    assert_eq!(log.lines(LINE)[2]["shared"], 1);
    let of_owners = log.lines(
        "clients use ids that belong to another device key: they are listed without ids; give \
                               each client an instanceId of its own",
    );
    assert_eq!(of_owners.len(), 0);
    gateway.shutdown().await;
}

#[tokio::test]
async fn rows_over_a_quota_do_not_fill_the_roster() {
    let (log, _guard) = Log::start();
    let gateway = start(config_with(|config| config.max_entries = 10));
    let (mut reporter, _) = Client::connect(gateway.address(), "reporter", &["operator.write"]).await;
    for instance in ["x", "y", "z"] {
        let beacon = json!({ "text": "t", "instanceId": instance });
        assert_eq!(reporter.request("system-event", beacon).await["ok"], true);
    }
    gateway.settle().await;
    let line = log
        .line("rows evicted: a client without operator.admin reports about more others than a tenth of max_entries")
        .await;
    assert_eq!((&line["level"], &line["rows"]), (&json!("WARN"), &json!(1)));
    assert!(!log.text().contains("the roster is full"), "{}", log.text());
    gateway.shutdown().await;
}
