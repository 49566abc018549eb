//! Slots of sockets: which sockets get one, and which are evicted.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;

use presence_gateway::GatewayConfig;
use presence_gateway::bounds::PATIENCE_MS;
use support::witness::{LEFT_KB, Witness};
use support::{Client, config_with, connect_params, raw_http, start, start_manual, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const READ: &[&str] = &["operator.read"];

fn scarce() -> GatewayConfig {
    config_with(|config| {
        config.slots.max_connections = 64;
        config.slots.max_unauthenticated = 16;
        config.slots.max_unauthenticated_per_address = 2;
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
}

/// [`scarce`], in a process of its own.
async fn scarce_process() -> Witness {
    Witness::start(&[
        "--max-connections",
        "64",
        "--max-unauthenticated",
        "16",
        "--max-unauthenticated-per-address",
        "2",
        "--trusted-proxy",
        "127.0.0.1/32",
    ])
    .await
}

/// A WebSocket upgrade through a proxy.
fn upgrade_from(client: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: {client}\r\n\r\n"
    )
}

async fn send(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = within("a socket", TcpStream::connect(address)).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

async fn rest_of(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    within("the end", stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn silent_local_sockets_block_no_local_client() {
    let mut witness = scarce_process().await;
    let address = witness.address();
    let mut silent = Vec::new();
    let mut upgraded = Vec::new();
    for _ in 0..50 {
        silent.push(send(address, "").await);
        upgraded.push(Client::open(address, "").await);
    }
    Client::connect(address, "normal", READ).await;
    let health = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(raw_http(address, health).await.starts_with("HTTP/1.1 200 "));

    let answer = rest_of(silent.remove(0)).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("silent the longest"),
        "{answer}"
    );
    assert_eq!(
        upgraded[0].closed().await,
        (1008, "too many unauthenticated sockets".to_owned())
    );
    drop((silent, upgraded));
    witness.is_unharmed(&["normal"], LEFT_KB).await;
}

#[tokio::test]
async fn sockets_with_plain_requests_evict_no_handshake() {
    let mut witness = scarce_process().await;
    let address = witness.address();
    let mut crowd = Vec::new();
    for _ in 0..8 {
        crowd.push(send(address, "").await);
    }
    let mut normal = Client::open(address, "").await;
    // The first was evicted for it. The others send requests, and new sockets take places.
    for stream in &mut crowd[1..] {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 12];
        within("an answer", stream.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    let mut newer = Vec::new();
    for _ in 0..7 {
        newer.push(Client::open(address, "").await);
    }
    normal.hello(connect_params("normal", READ)).await;
    drop((crowd, newer, normal));
    witness.is_unharmed(&["normal"], LEFT_KB).await;
}

#[tokio::test]
async fn slow_bodies_block_no_client_of_their_address() {
    let mut witness = scarce_process().await;
    let address = witness.address();
    let part = "POST /api/beacon HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n\
                Authorization: Bearer test-secret\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    let slow = send(address, part).await;
    let second = rest_of(send(address, part).await).await;
    assert!(
        second.starts_with("HTTP/1.1 503 ") && second.contains("Too many downloads"),
        "{second}"
    );
    Client::open(address, "X-Forwarded-For: 192.0.2.1\r\n").await;
    drop(slow);
    witness.is_unharmed(&[], LEFT_KB).await;
}

#[tokio::test]
async fn silence_is_short_while_places_are_scarce() {
    let (gateway, clock) = start_manual(scarce());
    let address = gateway.address();
    // Clients behind a proxy, each with an address of its own: no share is full.
    let mut silent = Vec::new();
    for n in 0..9 {
        silent.push(Client::open(address, &format!("X-Forwarded-For: 192.0.2.{n}\r\n")).await);
    }
    clock.advance(PATIENCE_MS);
    let _new = Client::open(address, "X-Forwarded-For: 198.51.100.1\r\n").await;
    assert_eq!(
        silent[0].closed().await,
        (1008, "too many unauthenticated sockets".to_owned())
    );
    // Now half is free again.
    silent[8].hello(connect_params("late", READ)).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn sockets_that_lost_their_place_hold_none() {
    let mut witness = scarce_process().await;
    let address = witness.address();
    let mut silent = Vec::new();
    for n in 0..200 {
        // Another address of the same network: it is counted with them. None of these sockets closes.
        let stream = send(address, &upgrade_from(&format!("2001:db8:1:2::{n:x}"))).await;
        silent.push(stream);
        if n % 20 == 0 {
            let other = format!("X-Forwarded-For: 2001:db8:1:{n:x}::1\r\n");
            Client::open(address, &other).await;
        }
    }
    let answer = rest_of(silent.remove(50)).await;
    assert!(answer.contains("too many unauthenticated sockets"), "{answer}");
    drop(silent);
    witness.is_unharmed(&[], LEFT_KB).await;
}

#[tokio::test]
async fn sockets_refused_by_websocket_hold_no_place() {
    let mut witness = scarce_process().await;
    let mut wrong = connect_params("wrong", READ);
    wrong["auth"]["token"] = serde_json::Value::Null;
    wrong["auth"] = serde_json::json!({});
    let mut refused = Vec::new();
    for _ in 0..100 {
        let mut client = Client::open(witness.address(), "").await;
        client.event().await;
        assert_eq!(client.request("connect", wrong.clone()).await["ok"], false);
        // It does not close.
        refused.push(client);
    }
    Client::connect(witness.address(), "normal", READ).await;
    drop(refused);
    witness.is_unharmed(&["normal"], LEFT_KB).await;
}

#[tokio::test]
async fn beyond_the_bound_on_connections_the_answer_arrives() {
    let gateway = start(config_with(|config| config.slots.max_connections = 1));
    let first = Client::connect(gateway.address(), "first", READ).await;
    let request = upgrade_from("192.0.2.1") + &"more of what nobody reads\r\n".repeat(1_000);
    for request in ["", &request] {
        let answer = raw_http(gateway.address(), request).await;
        assert!(
            answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\nToo many connections"),
            "{answer}"
        );
    }
    drop(first);
    gateway.shutdown().await;
}

#[tokio::test]
async fn one_address_does_not_get_the_last_quarter() {
    let mut config = scarce();
    config.slots.max_connections = 8;
    let gateway = start(config);
    let address = gateway.address();
    let mut local = Vec::new();
    for n in 0..6 {
        local.push(Client::connect(address, &format!("local {n}"), READ).await);
    }
    let answer = raw_http(address, "").await;
    assert!(answer.ends_with("Too many connections"), "{answer}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn silent_sockets_block_no_client_of_their_address() {
    let mut witness = scarce_process().await;
    let address = witness.address();
    let other = "X-Forwarded-For: 192.0.2.2\r\n";
    let mut elsewhere = Client::open(address, other).await;
    let of_one = "X-Forwarded-For: 192.0.2.1\r\n";
    let mut silent = Vec::new();
    for _ in 0..5 {
        silent.push(Client::open(address, of_one).await);
    }
    let mut normal = Client::open(address, of_one).await;
    normal.hello(connect_params("normal", READ)).await;
    for evicted in &mut silent[..4] {
        assert_eq!(
            evicted.closed().await,
            (1008, "too many unauthenticated sockets".to_owned())
        );
    }
    // Addresses count separately: this one is silent for longer.
    elsewhere.hello(connect_params("elsewhere", READ)).await;
    drop((silent, normal, elsewhere));
    witness.is_unharmed(&["normal", "elsewhere"], LEFT_KB).await;
}
