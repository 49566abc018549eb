//! Clients that read slowly or not at all.

use super::*;

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
