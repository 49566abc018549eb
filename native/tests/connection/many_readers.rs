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

/// How many have received bytes that they have not read.
fn having_received(readers: &mut [Client]) -> usize {
    let has_bytes = |reader: &mut Client| {
        let bytes = SockRef::from(&*reader.stream()).peek(&mut [MaybeUninit::uninit()]);
        bytes.is_ok()
    };
    readers
        .iter_mut()
        .map(has_bytes)
        .filter(|has_bytes| *has_bytes)
        .count()
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
    let answer = writer.request("system-event", change).await;
    assert_eq!(answer["ok"], true);
    let reached = having_received(&mut readers);
    assert!(
        (1..READERS / 2).contains(&reached),
        "the answer came after {reached} of {READERS} lists"
    );
    let answer = other.request("health", json!({})).await;
    assert_eq!(answer["ok"], true);
    let reached = having_received(&mut readers);
    assert!(reached < READERS, "the answer came after all lists");

    for reader in &mut readers {
        let event = reader.event_named("presence").await;
        assert_eq!(row(&event["payload"]["presence"], "row-0")["text"], "news");
    }
    // It counts as sent, so the time until the next change is not the time that sending took.
    clock.advance(1_900);
    assert_eq!(other.request("health", json!({})).await["ok"], true);
    let change = json!({ "text": "more news", "instanceId": "row-0" });
    assert_eq!(writer.request("system-event", change).await["ok"], true);
    readers[0].event_named("presence").await;
    gateway.shutdown().await;
}
