//! Pings, expiry, and the end of the gateway.

use super::*;

#[tokio::test]
async fn without_pongs_a_connection_ends() {
    let (gateway, clock) = start_manual(config());
    let (mut client, _) = Client::connect(gateway.address(), "a", READ).await;
    clock.advance(25_000);
    gateway.settle().await;
    // The ping has arrived but is unread, so it is not answered.
    clock.advance(25_001);
    gateway.settle().await;
    // The client library answers pings when it is polled; by now the gateway has closed the connection.
    assert_eq!(client.closed().await, (1001, "ping timeout".to_owned()));
    gateway.shutdown().await;
}

#[tokio::test]
async fn rows_expire_over_sockets_in_virtual_time() {
    let (gateway, clock) = start_manual(config());
    let (mut client, _) = Client::connect(gateway.address(), "a", ADMIN).await;
    let params = json!({ "text": "beacon", "instanceId": "beacon-only" });
    client.request("system-event", params).await;
    let mut passed = 0;
    while passed <= 300_000 {
        // The client answers every ping of every step.
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
async fn all_clients_are_notified_of_the_shutdown() {
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
async fn a_client_that_ignores_the_shutdown_does_not_delay_it() {
    let gateway = start(config());
    let (_client, _) = Client::connect(gateway.address(), "a", READ).await;
    within("the gateway's end", gateway.shutdown()).await;
}

#[tokio::test]
async fn clients_that_read_nothing_are_left_behind_after_the_time_to_drain() {
    const LEFT_BEHIND: &str = "connections left behind after the time to drain";

    // A connection has 1 s to write its last frames. The gateway waits for it, but not beyond the time to drain.
    for (drain_ms, left_behind) in [(50, 1), (10_000, 0)] {
        let (log, _guard) = Log::start();
        let gateway = start(config_with(|config| config.drain_ms = drain_ms));
        let mut deaf = unread_answers(gateway.address(), "deaf").await;
        let (mut reader, _) = Client::connect(gateway.address(), "reader", READ).await;
        until_handled(&mut reader, 1).await;
        drop(reader);
        within("the gateway's end", gateway.shutdown()).await;
        let lines = log.lines(LEFT_BEHIND);
        assert_eq!(lines.len(), left_behind, "{lines:?}");
        assert!(lines.iter().all(|line| line["connections"] == 1), "{lines:?}");
        // It gets what the buffers hold, and no close: more answers wait before it.
        within("the end of the socket", async {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(1..) = deaf.stream().read(&mut buffer).await {}
        })
        .await;
    }
}

/// More clients than the driver's queue has places send requests without a pause.
#[tokio::test]
async fn a_shutdown_behind_a_full_queue_reaches_every_client_after_its_answers() {
    const CLIENTS: usize = 320;
    // Several turns of a connection, and more than the gateway handles before the shutdown.
    const REQUESTS: usize = 400;

    let gateway = start(config_with(|config| config.drain_ms = 20_000));
    let mut clients = Vec::new();
    for n in 0..CLIENTS {
        clients.push(
            Client::connect(gateway.address(), &format!("busy-{n}"), &[])
                .await
                .0,
        );
    }
    let request = |n: usize| {
        let request = json!({ "type": "req", "id": n.to_string(), "method": "health" });
        frame(TEXT, request.to_string().as_bytes())
    };
    let requests = (0..REQUESTS).map(request).collect::<Vec<_>>().concat();
    for client in &mut clients {
        assert_eq!(client.stream().try_write(&requests).unwrap(), requests.len());
    }
    // The first answer: the driver has begun, and the others wait.
    clients[0].response("0").await;
    let ending = tokio::spawn(gateway.shutdown());
    let mut cut_short = 0;
    for (n, mut client) in clients.into_iter().enumerate() {
        let mut next = usize::from(n == 0);
        loop {
            let frame = client.frame().await;
            if frame["event"] == "shutdown" {
                break;
            }
            if frame["type"] == "res" {
                assert_eq!(frame["id"], next.to_string());
                next += 1;
            }
        }
        cut_short += usize::from(next < REQUESTS);
        assert_eq!(client.closed().await, (1012, "service restart".to_owned()));
    }
    assert!(cut_short > 0, "all requests were handled before the shutdown");
    within("the gateway's end", ending).await.unwrap();
}
