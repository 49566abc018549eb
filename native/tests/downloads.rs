//! Clients that read slowly, send too many requests at once, or do not read.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use presence_gateway::WebRoot;
use serde_json::json;
use support::log::Log;
use support::{config, config_with, raw_http, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

/// The same through a proxy.
fn get_from(path: &str, client: u8) -> String {
    get(path).replace(
        "Connection",
        &format!("X-Forwarded-For: 192.0.2.{client}\r\nConnection"),
    )
}

/// A page with a large file of this many bytes, and smaller ones.
fn page_of(bytes: usize) -> Option<Arc<WebRoot>> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "x").unwrap();
    for (name, bytes) in [
        ("large.wasm", bytes),
        ("medium.js", 16 * 1024 + 1),
        ("small.js", 16 * 1024),
    ] {
        std::fs::write(folder.path().join(name), vec![b'x'; bytes]).unwrap();
    }
    Some(Arc::new(WebRoot::read(folder.path()).unwrap()))
}

/// Requests a file on a socket with small buffers.
async fn start_request(address: SocketAddr, request: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_large_file_has_no_time_limit_but_a_stall_ends_it() {
    const MIB: usize = 1024 * 1024;
    let bytes = 31 * MIB;
    let (gateway, clock) = support::start_manual(config_with(|config| {
        config.web_root = page_of(bytes);
        config.slots.max_unauthenticated = 4;
    }));
    // 1 MiB every 15 s, almost 8 minutes in all: a stall ends a download, not its duration.
    let mut slow = start_request(gateway.address(), &get("/large.wasm")).await;
    let mut left = vec![0; MIB];
    let mut read = 0;
    while read < bytes {
        support::within("a piece", slow.read_exact(&mut left))
            .await
            .unwrap();
        read += MIB;
        clock.advance(15_000);
    }
    let mut rest = Vec::new();
    support::within("the rest", slow.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(!rest.is_empty() && rest.iter().rev().take(100).all(|byte| *byte == b'x'));

    // One download at a time, so the next one shows whether the last one ended.
    let mut stuck = start_request(gateway.address(), &get("/large.wasm")).await;
    support::within("its beginning", stuck.read_exact(&mut left))
        .await
        .unwrap();
    let large = get("/large.wasm");
    let busy = raw_http(gateway.address(), &large).await;
    assert!(busy.starts_with("HTTP/1.1 503 "), "{busy}");
    support::within("the end of what stalls", async {
        while !raw_http(gateway.address(), &large)
            .await
            .starts_with("HTTP/1.1 200 ")
        {
            clock.advance(20_000);
        }
    })
    .await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn only_large_responses_count_as_downloads() {
    // Eight in all, two of them at one address.
    let gateway = start(config_with(|config| {
        config.web_root = page_of(8 * 1024 * 1024);
        config.slots.max_unauthenticated = 32;
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    }));
    let address = gateway.address();
    let (log, _guard) = Log::start();
    let mut downloads = Vec::new();
    for n in 0..4 {
        for _ in 0..2 {
            let mut download = start_request(address, &get_from("/large.wasm", n)).await;
            support::within("a beginning", download.read_u8()).await.unwrap();
            downloads.push(download);
        }
        // Of more than the buffer takes, and of less: no response begins and is cut off.
        for path in ["/large.wasm", "/medium.js"] {
            let third = raw_http(address, &get_from(path, n)).await;
            assert!(
                third.starts_with("HTTP/1.1 503 ") && third.contains("retry-after: 1\r\n"),
                "{third}"
            );
            assert!(third.ends_with("Too many downloads"), "{third}");
        }
    }
    let lines = log.lines("refused");
    assert_eq!(lines.len(), 8);
    for line in &lines {
        let reason = line["reason"].as_str().unwrap();
        assert!(reason.starts_with("Too many downloads; "), "{line}");
        assert_eq!((&line["status"], &line["level"]), (&json!(503), &json!("WARN")));
    }
    assert_eq!(lines[0]["address"], "192.0.2.0");
    let ninth = raw_http(address, &get_from("/medium.js", 9)).await;
    assert!(ninth.starts_with("HTTP/1.1 503 "), "{ninth}");
    for path in ["/", "/small.js"] {
        let small = raw_http(address, &get_from(path, 0)).await;
        assert!(small.starts_with("HTTP/1.1 200 "), "{small}");
    }
    drop(downloads);
    gateway.shutdown().await;
}

#[tokio::test]
async fn many_requests_at_once_take_turns_with_those_of_others() {
    let gateway = start(config());
    let address = gateway.address();
    let one = get("/").replace("Connection: close\r\n", "");
    let answer = raw_http(address, &get("/")).await.len();
    let mut floods = Vec::new();
    for _ in 0..50 {
        let mut flood = TcpStream::connect(address).await.unwrap();
        flood.write_all(one.repeat(99).as_bytes()).await.unwrap();
        floods.push(flood.into_std().unwrap());
    }
    raw_http(address, &get("/healthz")).await;
    let answered: usize = floods
        .iter()
        .map(|flood| {
            let mut buffer = vec![0; 99 * answer];
            flood.peek(&mut buffer).unwrap_or(0) / answer
        })
        .sum();
    // One request per turn: accepting, reading and answering take some turns.
    assert!(answered < 50 * 99 / 2, "{answered}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_gateway_stops_although_a_client_reads_nothing() {
    // The clock stands still, so neither a stall nor the drain time ends the connections.
    let (gateway, _clock) = support::start_manual(config_with(|config| {
        config.web_root = page_of(8 * 1024 * 1024);
        config.drain_ms = 600_000;
    }));
    let mut stuck = start_request(gateway.address(), &get("/large.wasm")).await;
    support::within("a beginning", stuck.read_u8()).await.unwrap();
    let idle = TcpStream::connect(gateway.address()).await.unwrap();
    support::within("the end", gateway.shutdown()).await;
    drop((stuck, idle));
}
