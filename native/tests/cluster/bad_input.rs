//! Mistakes of operators: a clear message, and no lost rows.

use super::*;
use crate::nats::{Nats, fleet, member};
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
