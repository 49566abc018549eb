//! The handshake: secrets, origins, proxies, its time limit.

use super::*;

#[tokio::test]
async fn the_hello_contains_the_client_and_the_list_keeps_it() {
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
    let connect = client.send_request("connect", connect_params("a", READ)).await;
    client
        .send(Message::text("{\"type\":\"req\",\"id\":\"bad\"}"))
        .await;
    let list = client.send_request("system-presence", json!({})).await;

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
    let gateway = start(config_with(|config| {
        config.allowed_origins = allowed_origins;
    }));
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
    let gateway = start(config_with(|config| {
        config.auth = AuthMode::None;
    }));
    let (_client, _) = Client::connect(gateway.address(), "a", READ).await;

    let request = "GET / HTTP/1.1\r\nHost: rebound.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // The challenge comes; a masked `connect` request would be refused. Seen from outside: no hello.
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let connect =
        json!({ "type": "req", "id": "1", "method": "connect", "params": connect_params("c", READ) });
    stream
        .write_all(&frame(TEXT, connect.to_string().as_bytes()))
        .await
        .unwrap();
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

#[tokio::test]
async fn the_time_of_the_request_is_part_of_the_handshakes() {
    let (gateway, clock) = start_manual(config());
    let address = gateway.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n")
        .await
        .unwrap();
    // Sockets are accepted one after the other: when this one is answered, the earlier one was accepted.
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
async fn proxy_headers_set_the_address_only_from_trusted_proxies() {
    let gateway = start(config_with(|config| {
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    }));
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
async fn only_a_trusted_proxy_states_the_user() {
    let stated = |trusted_proxies: Vec<_>, headers: &'static str| async move {
        let gateway = start(config_with(|config| {
            config.trusted_proxies = trusted_proxies;
            config.user_header = "x-user".parse().ok();
        }));
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
    let elsewhere = vec!["192.0.2.1/32".parse().unwrap()];
    assert_eq!(stated(elsewhere, "X-User: ana\r\n").await, None);
}
