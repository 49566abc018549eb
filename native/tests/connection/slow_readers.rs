//! Clients that read slowly or not at all.

use super::*;

#[tokio::test]
async fn a_client_that_sends_faster_than_it_reads_is_slowed_down() {
    let gateway = start(config());
    let (mut client, _) = Client::connect(gateway.address(), "a", ADMIN).await;
    fill(&mut client, 50).await;
    // 64 answers of 200 KB: twelve times the bound of undelivered bytes.
    let mut ids = Vec::new();
    for _ in 0..64 {
        ids.push(client.send_request("system-presence", json!({})).await);
    }
    for id in ids {
        let response = client.response(&id).await;
        assert_eq!(response["payload"].as_array().unwrap().len(), 52);
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_stopped_reader_delays_nobody_and_is_closed_in_time() {
    let (gateway, clock) = start_manual(config());
    let (mut writer, _) = Client::connect(gateway.address(), "writer", ADMIN).await;
    let stream = small_socket(gateway.address()).await;
    let stopped = Client::over(stream, ("/any", "localhost"), "").await;
    stops_reading(stopped, &mut writer, (&gateway, &clock)).await;
    gateway.shutdown().await;
}

/// The socket fills up while the connection's own task is idle; the task must enforce the deadline nevertheless.
#[tokio::test]
async fn a_reader_that_was_idle_and_then_stops_is_closed_in_time_too() {
    let mut config = config();
    config.limits.stall_ms = 100;
    let gateway = start(config);
    let stream = small_socket(gateway.address()).await;
    let mut stopped = Client::over(stream, ("/any", "localhost"), "").await;
    stopped.hello(connect_params("stopped", READ)).await;
    let (mut writer, _) = Client::connect(gateway.address(), "writer", ADMIN).await;
    // One list is larger than the buffers of the sockets.
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
async fn a_large_message_has_to_be_complete_in_time() {
    let (gateway, clock) = start_manual(config());
    let (mut slow, _) = Client::connect(gateway.address(), "slow", READ).await;
    let mut piece = frame(TEXT, &[b' '; 20_000]);
    piece[0] = 0x01;
    slow.stream().write_all(&piece).await.unwrap();
    // Answered after the piece was read.
    slow.send(Message::Ping("after".into())).await;
    while !matches!(slow.message().await, Message::Pong(_)) {}
    clock.advance(20_000);
    assert_eq!(slow.closed().await, (1008, "message timeout".to_owned()));
    gateway.shutdown().await;
}

#[tokio::test]
async fn each_large_message_has_its_own_time() {
    let (gateway, clock) = start_manual(config());
    let (mut slow, _) = Client::connect(gateway.address(), "slow", READ).await;
    let halves = |id: &str| {
        let spaces = " ".repeat(20_000);
        let text = format!(r#"{spaces}{{"type":"req","id":"{id}","method":"health"}}"#);
        let (first, last) = text.as_bytes().split_at(spaces.len());
        let (mut first, mut last) = (frame(TEXT, first), frame(TEXT, last));
        (first[0], last[0]) = (0x01, 0x80);
        [first, last]
    };
    let [one, two] = [halves("one"), halves("two")];
    // The second message begins as the first one ends.
    for bytes in [one[0].clone(), [&*one[1], &*two[0]].concat()] {
        slow.stream().write_all(&bytes).await.unwrap();
        slow.send(Message::Ping("after".into())).await;
        while !matches!(slow.message().await, Message::Pong(_)) {}
        clock.advance(15_000);
    }
    slow.stream().write_all(&two[1]).await.unwrap();
    assert_eq!(slow.response("two").await["ok"], true);
    gateway.shutdown().await;
}
