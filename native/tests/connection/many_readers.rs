//! Lists for many readers.

use std::mem::MaybeUninit;
use std::net::SocketAddr;

use socket2::SockRef;

use super::*;

/// The lists for all take ten turns of the driver.
const READERS: usize = 200;
const ROWS: usize = 50;

/// Connects without a row.
async fn watcher(address: SocketAddr) -> Client {
    let mut params = connect_params("watcher", READ);
    params["client"]["mode"] = "cli".into();
    let mut client = Client::open(address, "").await;
    client.hello(params).await;
    client
}

#[tokio::test]
async fn a_list_for_many_readers_does_not_delay_others_until_all_have_it() {
    let (gateway, clock) = start_manual(config());
    let (mut writer, _) = Client::connect(gateway.address(), "writer", ADMIN).await;
    fill(&mut writer, ROWS).await;
    // These changes are announced before the readers connect.
    clock.advance(1_000);
    gateway.settle().await;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(watcher(gateway.address()).await);
    }
    let mut other = watcher(gateway.address()).await;
    // So the next one is announced at once.
    clock.advance(1_000);
    let change = json!({ "text": "news", "instanceId": "row-0" });
    writer.send_request("system-event", change).await;
    let answer = other.request("health", json!({})).await;
    assert_eq!(answer["ok"], true);
    let mut reached = 0;
    for reader in &mut readers {
        let received = SockRef::from(&*reader.stream()).peek(&mut [MaybeUninit::uninit()]);
        reached += usize::from(received.is_ok());
    }
    assert!(
        reached < READERS / 2,
        "the answer came after {reached} of {READERS} lists"
    );

    for reader in &mut readers {
        let event = reader.event_named("presence").await;
        assert_eq!(row(&event["payload"]["presence"], "row-0")["text"], "news");
    }
    gateway.shutdown().await;
}
