//! Frames: sizes, fragments, control frames, errors.

use super::*;

#[tokio::test]
async fn frames_are_bounded_before_and_after_the_handshake() {
    let gateway = start(config_with(|config| {
        config.limits.preauth_frame_bytes = 2_000;
        config.limits.payload_bytes = 4_000;
    }));
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
async fn violations_of_websocket_rules_are_closed_with_their_codes() {
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
async fn a_close_of_the_client_is_answered() {
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
