//! Figures, printed: `cargo test -p presence-gateway --test cluster figures -- --ignored --nocapture`.

use tokio::time::Instant;

use super::*;
use crate::nats::{Nats, fleet};

/// Changes that are measured.
const CHANGES: usize = 200;
/// Pause between two changes: each finds a quiet fleet.
const PAUSE: Duration = Duration::from_millis(100);

/// From the hello of a client at one gateway to the delta at every other one.
#[tokio::test]
#[ignore = "it measures, and asserts nothing about time"]
async fn a_change_reaches_every_roster() {
    for count in [2, 4, 8] {
        let Some(nats) = Nats::start(&[]).await else {
            return;
        };
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let gateways = fleet(&nats, &names[..count]);
        let mut readers = Vec::new();
        for gateway in &gateways {
            wait_status(gateway.address(), "ready", "").await;
            let mut reader = Client::open(gateway.address(), "").await;
            let mut params =
                support::connect_params(&format!("reader-{}", readers.len()), &["operator.read"]);
            params["caps"] = json!(["presence-delta"]);
            reader.hello(params).await;
            readers.push(reader);
        }
        sleep(Duration::from_secs(1)).await;
        let stream = nats.context().await.get_stream("KV_presence-rows").await.unwrap();
        let before = stream.get_info().await.unwrap().state.last_sequence;
        let mut took = Vec::new();
        let mut clients = Vec::new();
        for number in 0..CHANGES {
            let name = format!("client-{number}");
            clients.push(Client::connect(gateways[0].address(), &name, &[]).await.0);
            let began = Instant::now();
            for reader in &mut readers[1..] {
                while !reader.event_named("presence.delta").await["payload"]
                    .to_string()
                    .contains(&name)
                {}
            }
            took.push(began.elapsed());
            sleep(PAUSE).await;
        }
        took.sort();
        let writes = stream.get_info().await.unwrap().state.last_sequence - before;
        println!(
            "{count} gateways: p50 {:?}, p99 {:?}, most {:?}; {writes} writes for {CHANGES} changes",
            took[CHANGES / 2],
            took[CHANGES * 99 / 100],
            took[CHANGES - 1]
        );
        assert_eq!(took.len(), CHANGES);
    }
}
