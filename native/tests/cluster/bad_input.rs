//! Mistakes of operators: a clear message, and no lost rows.

use presence_core::cluster::ROW_AGE_MS;

use super::*;
use crate::nats::{Nats, bucket, fleet, member};
use crate::support::log::Log;
use crate::support::start;

/// The gateway serves its own rows.
async fn serves(address: SocketAddr) {
    let (_phone, _) = Client::connect(address, "phone", &[]).await;
    Reader::of(address).await.wait_for("phone", "connect").await;
}

#[tokio::test]
async fn two_gateways_with_one_name() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let first = fleet(&nats, &["a"]).remove(0);
    wait_status(first.address(), "ready", "").await;
    let second = start(member(&nats.url(), "a"));
    wait_status(
        second.address(),
        "degraded",
        "another gateway of the fleet is called 'a'",
    )
    .await;
    wait_status(first.address(), "ready", "").await;
    serves(second.address()).await;
    // When the first is gone, the second can take the name.
    first.shutdown().await;
    wait_status(second.address(), "ready", "").await;
}

#[tokio::test]
async fn wrong_credentials() {
    let Some(nats) = Nats::start(&["--user", "fleet", "--pass", "right"]).await else {
        return;
    };
    let wrong = nats.url().replace("//", "//fleet:wrong@");
    let gateway = start(member(&wrong, "a"));
    wait_status(gateway.address(), "degraded", "refuses the credentials").await;
    let reason = ready(gateway.address()).await["reason"].to_string();
    assert!(!reason.contains("wrong"), "{reason}");
    serves(gateway.address()).await;
    let right = nats.url().replace("//", "//fleet:right@");
    let gateway = start(member(&right, "b"));
    wait_status(gateway.address(), "ready", "").await;
}

#[tokio::test]
async fn a_bucket_of_another_version() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let config = async_nats::jetstream::kv::Config {
        bucket: "presence-rows".into(),
        description: "openclaw-presence fleet, format 2".into(),
        ..Default::default()
    };
    let bucket = nats.context().await.create_key_value(config).await.unwrap();
    bucket.put("a.1", "kept".into()).await.unwrap();
    let gateway = start(member(&nats.url(), "a"));
    wait_status(
        gateway.address(),
        "degraded",
        "bucket presence-rows was made by another version",
    )
    .await;
    serves(gateway.address()).await;
    assert_eq!(bucket.get("a.1").await.unwrap().unwrap(), "kept");
}

/// The bucket of rows is too small: the gateway neither says that it shares its roster, nor fills the log.
#[tokio::test]
async fn a_bucket_that_refuses_rows() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let context = nats.context().await;
    let mut config = bucket("presence-rows", ROW_AGE_MS, 1);
    config.max_value_size = 64;
    context.create_key_value(config).await.unwrap();
    let (log, _guard) = Log::start();
    let gateway = start(member(&nats.url(), "a"));
    wait_status(gateway.address(), "degraded", "bucket presence-rows: ").await;
    for _ in 0..50 {
        sleep(Duration::from_millis(20)).await;
        assert_eq!(ready(gateway.address()).await["status"], "degraded");
    }
    let lines = |words: &str| log.text().lines().filter(|line| line.contains(words)).count();
    assert_eq!(lines("the roster is shared"), 0, "{}", log.text());
    assert_eq!(lines("degraded: "), 1, "{}", log.text());
}
