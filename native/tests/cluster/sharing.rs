//! Healthy fleets.

use tokio::time::Instant;

use super::*;
use crate::nats::{Nats, fleet, member};
use crate::support::start;

#[tokio::test]
async fn three_gateways_show_one_roster() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let gateways = fleet(&nats, &["a", "b", "c"]);
    let mut readers = Vec::new();
    for gateway in &gateways {
        wait_status(gateway.address(), "ready", "").await;
        readers.push(Reader::of(gateway.address()).await);
    }
    let (phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    let (_laptop, _) = Client::connect(gateways[1].address(), "laptop", &[]).await;
    for reader in &mut readers {
        reader.wait_for("phone", "connect").await;
        reader.wait_for("laptop", "connect").await;
        // 3 gateways, 3 readers, 2 clients.
        reader.wait("all rows", |list| list.len() == 8).await;
    }
    equal(&mut readers).await;
    let fleet = readers[1].fleet().await;
    assert_eq!(fleet["name"], "b");
    let names: Vec<&Value> = fleet["gateways"]
        .as_array()
        .unwrap()
        .iter()
        .map(|peer| &peer["name"])
        .collect();
    assert_eq!(names, ["a", "c"]);

    drop(phone);
    for reader in &mut readers {
        reader.wait_for("phone", "disconnect").await;
    }
    equal(&mut readers).await;
}

#[tokio::test]
async fn readers_of_deltas_see_the_gateway_of_a_row() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let gateways = fleet(&nats, &["a", "b"]);
    let mut reader = Client::open(gateways[1].address(), "").await;
    let mut params = support::connect_params("reader", &["operator.read"]);
    params["caps"] = json!(["presence-delta"]);
    reader.hello(params).await;
    let (_phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    let upsert = loop {
        let event = reader.event_named("presence.delta").await;
        let upserts = event["payload"]["upserts"].as_array().unwrap().clone();
        if let Some(upsert) = upserts
            .into_iter()
            .find(|upsert| upsert["entry"]["instanceId"] == "phone")
        {
            break upsert;
        }
    };
    assert_eq!(upsert["key"], "GATEWAY:a/phone");
    assert_eq!(upsert["entry"]["gateway"], "a");
}

#[tokio::test]
async fn a_gateway_that_stops_gives_its_lease_up() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let mut gateways = fleet(&nats, &["a", "b"]);
    let (_phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    let mut reader = Reader::of(gateways[1].address()).await;
    reader.wait_for("phone", "connect").await;
    gateways.remove(0).shutdown().await;
    let stopped = Instant::now();
    reader.wait_for("phone", "disconnect").await;
    // At once, not when the lease would have ended: 10 s later, or more.
    assert!(
        stopped.elapsed() < Duration::from_secs(5),
        "{:?}",
        stopped.elapsed()
    );

    // It can join again.
    let again = start(member(&nats.url(), "a"));
    wait_status(again.address(), "ready", "").await;
    let (_phone, _) = Client::connect(again.address(), "phone", &[]).await;
    reader.wait_for("phone", "connect").await;
    assert!(
        reader
            .list()
            .await
            .iter()
            .filter(|row| row["instanceId"] == "phone")
            .count()
            == 1
    );
}

#[tokio::test]
async fn two_hundred_clients_move_to_another_gateway() {
    let Some(nats) = Nats::start(&[]).await else {
        return;
    };
    let gateways = fleet(&nats, &["a", "b"]);
    let mut readers = readers_of(&gateways).await;
    let is_client = |row: &Value| {
        row["instanceId"]
            .as_str()
            .is_some_and(|id| id.starts_with("client-"))
    };
    let all_live = |list: &[Value]| {
        let live = |row: &&Value| is_client(row) && row["reason"] == "connect";
        list.iter().filter(live).count() == 200 && list.iter().filter(|row| is_client(row)).count() == 200
    };
    let mut clients = Vec::new();
    for number in 0..200 {
        let name = format!("client-{number}");
        clients.push(Client::connect(gateways[0].address(), &name, &[]).await.0);
    }
    for reader in &mut readers {
        reader.wait("200 clients", all_live).await;
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let name = format!("client-{number}");
        *client = Client::connect(gateways[1].address(), &name, &[]).await.0;
    }
    for reader in &mut readers {
        reader.wait("200 clients that moved", all_live).await;
    }
    equal(&mut readers).await;
    drop(clients);
    for reader in &mut readers {
        let all_left = |list: &[Value]| {
            list.iter()
                .filter(|row| is_client(row))
                .all(|row| row["reason"] == "disconnect")
        };
        reader.wait("all left", all_left).await;
    }
}
