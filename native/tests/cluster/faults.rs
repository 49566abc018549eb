//! Crashes of gateways and servers.

use rustix::process::Signal;
use tokio::time::Instant;

use super::*;
use crate::nats::{Nats, create_buckets, fleet, member};
use crate::support::process::Process;
use crate::support::start;

#[tokio::test]
async fn rows_of_a_killed_gateway_leave_with_its_lease() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let url = nats.url();
    let mut dying = Process::start_with("", &["--port", "0", "--cluster", &url, "--cluster-name", "a"]).await;
    let others = fleet(&nats, &["b", "c"]);
    let (_phone, _) = Client::connect(dying.address, "phone", &[]).await;
    let mut readers = readers_of(&others).await;
    for reader in &mut readers {
        reader.wait_for("phone", "connect").await;
    }
    dying.signal(Signal::KILL);
    dying.ended().await;
    let died = Instant::now();
    for reader in &mut readers {
        reader.wait_for("phone", "disconnect").await;
    }
    println!("rows of a killed gateway leave after {:?}", died.elapsed());
    equal(&mut readers).await;
}

/// A gateway process whose sandbox is on: it finds the server again.
#[tokio::test]
async fn a_sandboxed_gateway_finds_the_server_again() {
    let Some(mut nats) = Nats::start(&[]).await else {
        return;
    };
    let url = nats.url();
    let process = Process::start_with("", &["--port", "0", "--cluster", &url, "--cluster-name", "a"]).await;
    wait_status(process.address, "ready", "").await;
    nats.kill().await;
    wait_status(process.address, "degraded", "cannot connect to nats://127.0.0.1:").await;
    nats.restart().await;
    wait_status(process.address, "ready", "").await;
}

async fn a_server_that_is_killed_and_restarted(is_file: bool) {
    let Some(mut nats) = Nats::start(&[]).await else {
        return;
    };
    if is_file {
        // Existing buckets are used unchanged.
        create_buckets(&nats.context().await, 1).await;
    }
    let gateways = fleet(&nats, &["a", "b", "c"]);
    let mut readers = readers_of(&gateways).await;
    let (phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    for reader in &mut readers {
        reader.wait_for("phone", "connect").await;
    }
    nats.kill().await;
    for gateway in &gateways {
        wait_status(gateway.address(), "degraded", "").await;
    }
    // Own rows are served meanwhile.
    drop(phone);
    let (_laptop, _) = Client::connect(gateways[1].address(), "laptop", &[]).await;
    readers[0].wait_for("phone", "disconnect").await;
    readers[1].wait_for("laptop", "connect").await;
    let list = readers[2].list().await;
    assert!(list.iter().all(|row| row["instanceId"] != "laptop"), "{list:?}");

    nats.restart().await;
    let healed = Instant::now();
    for reader in &mut readers {
        reader.wait_for("laptop", "connect").await;
        reader.wait_for("phone", "disconnect").await;
    }
    equal(&mut readers).await;
    println!("equal {:?} after the restart, files: {is_file}", healed.elapsed());
    for gateway in &gateways {
        wait_status(gateway.address(), "ready", "").await;
    }
}

#[tokio::test]
async fn a_server_with_buckets_in_memory_is_killed() {
    a_server_that_is_killed_and_restarted(false).await;
}

#[tokio::test]
async fn a_server_with_buckets_in_files_is_killed() {
    a_server_that_is_killed_and_restarted(true).await;
}

#[tokio::test]
async fn the_server_may_start_later() {
    let Some(mut nats) = Nats::start(&[]).await else {
        return;
    };
    let url = nats.url();
    nats.kill().await;
    let gateways = [start(member(&url, "a")), start(member(&url, "b"))];
    wait_status(
        gateways[0].address(),
        "degraded",
        "cannot connect to nats://127.0.0.1:",
    )
    .await;
    let (_phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    let mut reader = Reader::of(gateways[0].address()).await;
    reader.wait_for("phone", "connect").await;
    nats.restart().await;
    let mut reader = Reader::of(gateways[1].address()).await;
    reader.wait_for("phone", "connect").await;
}

#[tokio::test]
async fn buckets_that_are_deleted_come_back() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let gateways = fleet(&nats, &["a", "b"]);
    let mut readers = readers_of(&gateways).await;
    let (_phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    readers[1].wait_for("phone", "connect").await;
    let context = nats.context().await;
    for bucket in ["presence-rows", "presence-leases"] {
        context.delete_key_value(bucket).await.unwrap();
    }
    let (_laptop, _) = Client::connect(gateways[1].address(), "laptop", &[]).await;
    for reader in &mut readers {
        reader.wait_for("laptop", "connect").await;
        reader.wait_for("phone", "connect").await;
    }
    equal(&mut readers).await;
}
