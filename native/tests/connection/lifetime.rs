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
