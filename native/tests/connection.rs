//! One connection over a real socket: handshake, frames, slowness, the end.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use presence_core::wire::Limits;
use presence_gateway::AuthMode;
use presence_gateway::GatewayConfig;
use serde_json::{Value, json};
use support::{Client, config, connect_params, raw_http, row, start, start_manual, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

const READ: &[&str] = &["operator.read"];
const ADMIN: &[&str] = &["operator.admin"];

#[tokio::test]
async fn a_client_is_greeted_with_itself_and_leaves_a_trace() {
    let gateway = start(config());
    let (mut reader, hello) = Client::connect(gateway.address(), "reader", READ).await;
    assert_eq!(hello["protocol"], 4);
    assert_eq!(row(&hello["snapshot"]["presence"], "reader")["reason"], "connect");

    let (other, _) = Client::connect(gateway.address(), "other", READ).await;
    let event = reader.event_named("presence").await;
    assert_eq!(row(&event["payload"]["presence"], "other")["reason"], "connect");
    drop(other);
    let event = reader.event_named("presence").await;
    assert_eq!(
        row(&event["payload"]["presence"], "other")["reason"],
        "disconnect"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn connect_and_requests_in_one_packet_are_answered_in_order() {
    let gateway = start(config());
    let mut client = Client::open(gateway.address(), "").await;
    assert_eq!(client.event().await["event"], "connect.challenge");
    let connect = client.ask("connect", connect_params("a", READ)).await;
    client
        .send(Message::text("{\"type\":\"req\",\"id\":\"bad\"}"))
        .await;
    let list = client.ask("system-presence", json!({})).await;

    let responses = [client.frame().await, client.frame().await, client.frame().await];
    let ids: Vec<&str> = responses
        .iter()
        .filter_map(|frame| frame["id"].as_str())
        .collect();
    assert_eq!(ids, [&connect, "bad", &list]);
    assert_eq!(responses[0]["payload"]["type"], "hello-ok");
    assert_eq!(responses[1]["ok"], false);
    assert!(responses[2]["payload"].is_array());
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_wrong_secret_is_refused_with_a_reason() {
    let gateway = start(config());
    let mut client = Client::open(gateway.address(), "").await;
    client.event().await;
    let mut params = connect_params("a", READ);
    params["auth"]["token"] = "wrong".into();
    let response = client.request("connect", params).await;
    assert_eq!(response["error"]["details"]["code"], "AUTH_TOKEN_MISMATCH");
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1008);
    assert!(
        reason.starts_with("unauthorized: gateway token mismatch"),
        "{reason}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_foreign_page_is_refused_and_an_allowed_one_is_not() {
    let allowed_origins = presence_gateway::AllowedOrigins::parse(&["https://dash.example.org"]).unwrap();
    let gateway = start(GatewayConfig {
        allowed_origins,
        ..config()
    });
    let mut evil = Client::open(gateway.address(), "Origin: https://evil.example.org\r\n").await;
    evil.event().await;
    let response = evil.request("connect", connect_params("a", READ)).await;
    assert_eq!(
        response["error"]["details"]["code"],
        "CONTROL_UI_ORIGIN_NOT_ALLOWED"
    );

    let mut dash = Client::open(gateway.address(), "Origin: https://dash.example.org\r\n").await;
    dash.hello(connect_params("b", READ)).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn without_a_secret_a_rebound_name_is_refused() {
    let gateway = start(GatewayConfig {
        auth: AuthMode::None,
        ..config()
    });
    let (_client, _) = Client::connect(gateway.address(), "a", READ).await;

    let request = "GET / HTTP/1.1\r\nHost: rebound.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // The challenge comes; a masked `connect` request would be refused. Seen from outside: no hello.
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let connect =
        json!({ "type": "req", "id": "1", "method": "connect", "params": connect_params("c", READ) });
    let frame = Frame::message(connect.to_string(), OpCode::Data(Data::Text), true);
    stream.write_all(&masked(&frame)).await.unwrap();
    let mut answer = Vec::new();
    within("the refusal", AsyncReadExt::read_to_end(&mut stream, &mut answer))
        .await
        .unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        answer.contains("origin not allowed") && !answer.contains("hello-ok"),
        "{answer}"
    );
    gateway.shutdown().await;
}

/// A client's frame as bytes.
fn masked(frame: &Frame) -> Vec<u8> {
    let payload = frame.payload().to_vec();
    let header = FrameHeader {
        mask: Some([0; 4]),
        ..frame.header().clone()
    };
    let mut bytes = Vec::new();
    header.format(payload.len() as u64, &mut bytes).unwrap();
    bytes.extend(payload);
    bytes
}

#[tokio::test]
async fn the_time_of_the_request_is_part_of_the_handshakes() {
    let (gateway, clock) = start_manual(config());
    let address = gateway.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n")
        .await
        .unwrap();
    // Sockets are taken in one after the other: when this is answered, that one was.
    raw_http(
        address,
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    clock.advance(14_000);
    let rest = "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    for (words, ms) in [("connect.challenge", 1_000), ("handshake timeout", 0)] {
        within(words, async {
            while !String::from_utf8_lossy(&heard).contains(words) {
                assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0, "{words}");
            }
        })
        .await;
        clock.advance(ms);
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_handshake_is_bounded_in_time() {
    let (gateway, clock) = start_manual(config());
    let mut silent = Client::open(gateway.address(), "").await;
    silent.event().await;
    clock.advance(14_999);
    gateway.settle().await;
    clock.advance(1);
    assert_eq!(silent.closed().await, (1008, "handshake timeout".to_owned()));

    // Also before there is a request.
    let request = tokio::spawn({
        let address = gateway.address();
        async move { raw_http(address, "GET / HTTP/1.1\r\nHost: x\r\n").await }
    });
    while !request.is_finished() {
        clock.advance(1_000);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert!(request.await.unwrap().starts_with("HTTP/1.1 408 "));
    gateway.shutdown().await;
}

#[tokio::test]
async fn frames_are_bounded_before_and_after_the_handshake() {
    let limits = Limits {
        preauth_frame_bytes: 2_000,
        payload_bytes: 4_000,
        ..Limits::default()
    };
    let gateway = start(GatewayConfig { limits, ..config() });
    let mut stranger = Client::open(gateway.address(), "").await;
    stranger.send(Message::text("x".repeat(2_001))).await;
    assert_eq!(stranger.closed().await.0, 1009);

    let (mut client, hello) = Client::connect(gateway.address(), "a", READ).await;
    assert_eq!(hello["policy"]["maxPayload"], 4_000);
    let padding = "x".repeat(3_000);
    assert_eq!(
        client.request("health", json!({ "padding": padding })).await["ok"],
        true
    );
    client.send(Message::text("x".repeat(1_000_000))).await;
    assert_eq!(client.closed().await.0, 1009);
    gateway.shutdown().await;
}

#[tokio::test]
async fn pings_are_answered_and_messages_may_come_in_fragments() {
    let gateway = start(config());
    let (mut client, _) = Client::connect(gateway.address(), "a", READ).await;
    let request = json!({ "type": "req", "id": "f", "method": "health" }).to_string();
    let (first, rest) = request.split_at(10);
    client
        .send(Message::Frame(Frame::message(
            first.to_owned(),
            OpCode::Data(Data::Text),
            false,
        )))
        .await;
    client.send(Message::Ping("between".into())).await;
    client
        .send(Message::Frame(Frame::message(
            rest.to_owned(),
            OpCode::Data(Data::Continue),
            true,
        )))
        .await;

    let mut has_pong = false;
    loop {
        match client.message().await {
            Message::Pong(payload) => has_pong = payload == "between",
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["id"] == "f" {
                    assert_eq!(frame["ok"], true);
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(has_pong);
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_breaks_the_websocket_rules_is_closed_with_the_code_for_it() {
    let gateway = start(config());
    let cases: [(&[u8], u16); 3] = [
        // An unmasked frame.
        (&[0x81, 0x02, b'{', b'}'], 1002),
        // Reserved bits.
        (&[0xf1, 0x80, 0, 0, 0, 0], 1002),
        // Text that is not UTF-8.
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
    ];
    for (bytes, wanted) in cases {
        let (mut client, _) = Client::connect(gateway.address(), "a", READ).await;
        client.stream().write_all(bytes).await.unwrap();
        assert_eq!(client.closed().await.0, wanted, "{bytes:?}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_client_that_says_goodbye_is_answered() {
    let gateway = start(config());
    let (mut client, _) = Client::connect(gateway.address(), "a", READ).await;
    client.send(Message::Close(None)).await;
    loop {
        match client.message().await {
            Message::Close(_) => break,
            Message::Text(_) => {}
            other => panic!("{other:?}"),
        }
    }
    gateway.shutdown().await;
}

/// Fills the roster with rows whose list is about this many times 4 KB.
async fn fill(client: &mut Client, rows: usize) {
    for n in 0..rows {
        let params =
            json!({ "text": "x".repeat(4_000), "instanceId": format!("row-{n}"), "reason": "periodic" });
        let response = client.request("system-event", params).await;
        assert_eq!(response["ok"], true, "{response}");
    }
}

#[tokio::test]
async fn a_client_that_asks_faster_than_it_reads_is_slowed_not_killed() {
    let gateway = start(config());
    let (mut client, _) = Client::connect(gateway.address(), "a", ADMIN).await;
    fill(&mut client, 50).await;
    // 64 answers of 200 KB: twelve times what may be undelivered.
    let mut ids = Vec::new();
    for _ in 0..64 {
        ids.push(client.ask("system-presence", json!({})).await);
    }
    for id in ids {
        let response = client.response(&id).await;
        assert_eq!(response["payload"].as_array().unwrap().len(), 52);
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_reader_that_stops_costs_others_nothing_and_is_closed_in_time() {
    let (gateway, clock) = start_manual(config());
    let (mut writer, _) = Client::connect(gateway.address(), "writer", ADMIN).await;
    fill(&mut writer, 50).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stopped = Client::open_on(socket, gateway.address(), "").await;
    stopped.event().await;
    stopped.ask("connect", connect_params("stopped", READ)).await;

    // Far more than any socket holds.
    for n in 0..100 {
        let params = json!({ "text": format!("{n}"), "instanceId": "changing" });
        assert_eq!(writer.request("system-event", params).await["ok"], true);
        // The window ends, so the change is told.
        clock.advance(60);
        let event = writer.event_named("presence").await;
        assert_eq!(
            row(&event["payload"]["presence"], "changing")["text"],
            n.to_string()
        );
    }
    // Silent means: the close is no sign of life. Its row says disconnect all the same.
    for _ in 0..21 {
        clock.advance(1_000);
        gateway.settle().await;
        tokio::task::yield_now().await;
    }
    let list = loop {
        let list = writer.request("system-presence", json!({})).await["payload"].clone();
        if row(&list, "stopped")["reason"] == "disconnect" {
            break list;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    assert_eq!(row(&list, "writer")["reason"], "connect");
    gateway.shutdown().await;
}

/// The socket fills up while the connection's own task has nothing to do: it must watch the time all the same.
#[tokio::test]
async fn a_reader_that_was_idle_and_then_stops_is_closed_in_time_too() {
    let mut config = config();
    config.limits.stall_ms = 100;
    let gateway = start(config);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stopped = Client::open_on(socket, gateway.address(), "").await;
    stopped.hello(connect_params("stopped", READ)).await;
    let (mut writer, _) = Client::connect(gateway.address(), "writer", ADMIN).await;
    // One list of it is more than the sockets hold.
    fill(&mut writer, 190).await;
    within("the end of who reads nothing", async {
        loop {
            let event = writer.event_named("presence").await;
            if row(&event["payload"]["presence"], "stopped")["reason"] == "disconnect" {
                break;
            }
        }
    })
    .await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn without_pongs_a_connection_ends() {
    let (gateway, clock) = start_manual(config());
    let (mut client, _) = Client::connect(gateway.address(), "a", READ).await;
    clock.advance(25_000);
    gateway.settle().await;
    // The ping is there but unread, so nobody answers it.
    clock.advance(25_001);
    gateway.settle().await;
    // The client library answers pings when it is polled; by now the gateway has given up.
    assert_eq!(client.closed().await, (1001, "ping timeout".to_owned()));
    gateway.shutdown().await;
}

#[tokio::test]
async fn rows_expire_over_sockets_in_no_time() {
    let (gateway, clock) = start_manual(config());
    let (mut client, _) = Client::connect(gateway.address(), "a", ADMIN).await;
    let params = json!({ "text": "beacon", "instanceId": "beacon-only" });
    client.request("system-event", params).await;
    let mut passed = 0;
    while passed <= 300_000 {
        // Alive: every step is answered, and so is every ping that it brought.
        clock.advance(10_000);
        passed += 10_000;
        gateway.settle().await;
        client.request("health", json!({})).await;
    }
    let list = client.request("system-presence", json!({})).await["payload"].clone();
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .all(|row| row["instanceId"] != "beacon-only"),
        "{list}"
    );
    assert_eq!(row(&list, "a")["reason"], "connect");
    gateway.shutdown().await;
}

#[tokio::test]
async fn at_the_end_everybody_is_told() {
    let gateway = start(config());
    let (mut client, _) = Client::connect(gateway.address(), "a", READ).await;
    let mut stranger = Client::open(gateway.address(), "").await;
    stranger.event().await;
    let ending = tokio::spawn(gateway.shutdown());
    assert_eq!(
        client.event_named("shutdown").await["payload"]["reason"],
        "gateway stopping"
    );
    assert_eq!(client.closed().await, (1012, "service restart".to_owned()));
    assert_eq!(stranger.closed().await, (1012, "service restart".to_owned()));
    within("the gateway's end", ending).await.unwrap();
}

#[tokio::test]
async fn a_client_that_ignores_the_end_does_not_hold_it_up() {
    let gateway = start(config());
    let (_client, _) = Client::connect(gateway.address(), "a", READ).await;
    within("the gateway's end", gateway.shutdown()).await;
}

#[tokio::test]
async fn proxy_headers_of_strangers_hide_the_address_and_those_of_trusted_ones_tell_it() {
    let gateway = start(GatewayConfig {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..config()
    });
    let mut client = Client::open(gateway.address(), "X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\n").await;
    let hello = client.hello(connect_params("a", READ)).await;
    assert_eq!(row(&hello["snapshot"]["presence"], "a")["ip"], "192.0.2.7");
    gateway.shutdown().await;

    let gateway = start(config());
    let mut client = Client::open(gateway.address(), "X-Forwarded-For: 192.0.2.7\r\n").await;
    let hello = client.hello(connect_params("a", READ)).await;
    assert!(row(&hello["snapshot"]["presence"], "a").get("ip").is_none());
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_user_is_what_a_trusted_proxy_states_and_nobody_else() {
    let stated = |trusted_proxies: Vec<_>, headers: &'static str| async move {
        let gateway = start(GatewayConfig {
            trusted_proxies,
            user_header: "x-user".parse().ok(),
            ..config()
        });
        let mut client = Client::open(gateway.address(), headers).await;
        let hello = client.hello(connect_params("a", READ)).await;
        let user = row(&hello["snapshot"]["presence"], "a").get("user").cloned();
        gateway.shutdown().await;
        user
    };
    let trusted = || vec!["127.0.0.1/32".parse().unwrap()];
    let ana = Some(serde_json::json!({ "id": "ana" }));
    assert_eq!(stated(trusted(), "X-User: ana\r\n").await, ana);
    assert_eq!(stated(trusted(), "X-User:  \r\n").await, None);
    assert_eq!(stated(trusted(), "X-User: bob\r\nX-User: ana\r\n").await, None);
    assert_eq!(stated(trusted(), "User: ana\r\n").await, None);
    assert_eq!(stated(Vec::new(), "X-User: ana\r\n").await, None);
    let elsewhere = vec!["192.0.2.1/32".parse().unwrap()];
    assert_eq!(stated(elsewhere, "X-User: ana\r\n").await, None);
}
