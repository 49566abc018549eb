//! Clients that flood the gateway are closed at a limit and delay no other client.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use rustix::process::Signal;
use serde_json::json;
use support::flood::Flood;
use support::frames::{FIRST_PIECE, LAST_PIECE, NEXT_PIECE, PING, PONG, TEXT, frame};
use support::slow::unread_answers;
use support::witness::{LEFT_KB, Witness};
use support::{Client, connect_params, raw_http, serves_a_client};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

const READ: &[&str] = &["operator.read"];
/// Most bytes of floods while one other client connects and gets an answer: some turns of 16 KiB each.
const MOST_FLOOD_BYTES: usize = 8 * 1024 * 1024;
/// Most bytes at the beginning, with those in the buffers of the system.
const MOST_FIRST_BYTES: usize = 32 * 1024 * 1024;

/// How long a client may take for a large handshake while others wait for it.
const TURN_TIME: Duration = Duration::from_secs(2);

/// A `connect` of `len` bytes.
fn hello(instance: &str, len: usize) -> String {
    let request =
        json!({ "type": "req", "id": "1", "method": "connect", "params": connect_params(instance, READ) });
    let mut text = request.to_string();
    text.push_str(&" ".repeat(len - text.len()));
    text
}

#[tokio::test]
async fn control_frames_before_the_handshake_are_bounded() {
    let mut witness = Witness::start(&[]).await;
    let mut patient = Client::open(witness.address(), "").await;
    patient
        .stream()
        .write_all(&frame(PING, b"").repeat(10))
        .await
        .unwrap();
    patient
        .stream()
        .write_all(&frame(PONG, b"").repeat(6))
        .await
        .unwrap();
    patient.hello(connect_params("patient", READ)).await;
    // After it they are not counted.
    patient
        .stream()
        .write_all(&frame(PING, b"x").repeat(1_000))
        .await
        .unwrap();
    assert_eq!(patient.request("health", json!({})).await["ok"], true);

    let mut hasty = Client::open(witness.address(), "").await;
    hasty
        .stream()
        .write_all(&frame(PING, b"").repeat(17))
        .await
        .unwrap();
    let words = "too many control frames before the handshake";
    assert_eq!(hasty.closed().await, (1008, words.to_owned()));
    drop(patient);
    witness.is_unharmed(&["patient"], LEFT_KB).await;
}

#[tokio::test]
async fn a_message_may_come_in_many_frames_but_not_in_endless_ones() {
    let mut witness = Witness::start(&[]).await;
    let mut slow = Client::open(witness.address(), "").await;
    let text = hello("slow", 64 * 1024);
    let mut pieces = frame(FIRST_PIECE, b"");
    for piece in text.as_bytes().chunks(12) {
        pieces.extend(frame(NEXT_PIECE, piece));
    }
    pieces.extend(frame(LAST_PIECE, b""));
    slow.stream().write_all(&pieces).await.unwrap();
    let answer = slow.response("1").await;
    assert_eq!(answer["payload"]["type"], "hello-ok", "{answer}");

    let mut endless = Client::open(witness.address(), "").await;
    let (_, mut writer) = tokio::io::split(endless.stream());
    writer.write_all(&frame(FIRST_PIECE, b"{")).await.unwrap();
    writer
        .write_all(&frame(NEXT_PIECE, b"").repeat(26_000))
        .await
        .unwrap();
    let words = "too many frames in one message";
    assert_eq!(endless.closed().await, (1008, words.to_owned()));
    drop(slow);
    witness.is_unharmed(&["slow"], LEFT_KB).await;
}

#[tokio::test]
async fn pings_between_the_frames_of_a_message_do_not_count_as_its_own() {
    let mut witness = Witness::start(&[]).await;
    let (mut client, _) = Client::connect(witness.address(), "attacker", READ).await;
    client
        .stream()
        .write_all(&frame(FIRST_PIECE, br#"{"type":"req","#))
        .await
        .unwrap();
    // More bytes than one message may have.
    for _ in 0..10 {
        client
            .stream()
            .write_all(&frame(PING, &[b'x'; 119]).repeat(2_000))
            .await
            .unwrap();
        // Answers are read, or both ends would wait for each other.
        while !matches!(client.message().await, Message::Pong(_)) {}
    }
    let rest = br#""id":"f","method":"health"}"#;
    client.stream().write_all(&frame(LAST_PIECE, rest)).await.unwrap();
    assert_eq!(client.response("f").await["ok"], true);
    drop(client);
    witness.is_unharmed(&["attacker"], LEFT_KB).await;
}

/// Header lines by which a proxy states the client.
fn from(client: u8) -> String {
    format!("X-Forwarded-For: 192.0.2.{client}\r\n")
}

/// A client that sends half of a large `connect`.
async fn half(address: SocketAddr, client: u8) -> Client {
    let mut holder = Client::open(address, &from(client)).await;
    let half = &frame(TEXT, hello("holder", 64 * 1024 - 1).as_bytes())[..32 * 1024];
    holder.stream().write_all(half).await.unwrap();
    holder
}

/// A client that sends a large `connect`.
async fn large(address: SocketAddr, client: u8) -> Client {
    let mut large = Client::open(address, &from(client)).await;
    large.event().await;
    large.send(Message::text(hello("large", 20_000))).await;
    large
}

#[tokio::test]
async fn large_handshakes_take_turns_and_small_ones_do_not_wait() {
    let mut witness = Witness::start(&["--trusted-proxy", "127.0.0.1/32"]).await;
    let address = witness.address();
    // Later rounds reuse the memory of the first one, so that only a leak exceeds the bound.
    for _ in 0..2 {
        let begun = Instant::now();
        let mut holders = Vec::new();
        for _ in 0..4 {
            holders.push(half(address, 1).await);
        }
        let mut fifth = large(address, 1).await;
        let mut other = large(address, 2).await;
        assert_eq!(other.response("1").await["payload"]["type"], "hello-ok");
        for client in 2..=4 {
            for _ in 0..4 {
                holders.push(half(address, client).await);
            }
        }
        let mut late = large(address, 5).await;
        for n in 0..20 {
            let (mut small, _) = Client::connect(address, &format!("small-{n}"), READ).await;
            assert_eq!(small.request("health", json!({})).await["ok"], true);
        }
        // `fifth` waits because 4 clients hold all permits of its address, `late` because 16 hold all permits.
        let early = [&mut fifth, &mut late].map(|client| client.response("1").now_or_never());
        assert!(
            early.iter().all(Option::is_none) || begun.elapsed() > TURN_TIME,
            "{early:?}"
        );
        for mut holder in holders {
            assert_eq!(holder.closed().await, (1008, "handshake timeout".to_owned()));
        }
        // Long before the handshake has to be done.
        assert!(begun.elapsed() < 5 * TURN_TIME);
        for (mut client, early) in [fifth, late].into_iter().zip(early) {
            let answer = match early {
                Some(answer) => answer,
                None => client.response("1").await,
            };
            assert_eq!(answer["payload"]["type"], "hello-ok");
        }
        drop(other);
    }
    // Once 1 MB of incomplete messages waited.
    witness.is_unharmed(&["large", "small-"], 3 * LEFT_KB).await;
}

async fn others_are_served(address: SocketAddr, round: usize) {
    serves_a_client(address, &format!("other-{round}")).await;
    let answer = raw_http(
        address,
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Clients of [`floods`].
const ACCEPTED: usize = 4;

/// Floods of control frames and fragments, each by a client of its own, and then by strangers.
async fn floods(address: SocketAddr) -> Vec<Flood> {
    let mut pieces = frame(FIRST_PIECE, b" ");
    pieces.extend(frame(NEXT_PIECE, b"").repeat(20_000));
    pieces.extend(frame(LAST_PIECE, b""));
    let mut floods = Vec::new();
    for (n, bytes) in [
        frame(PING, b"").repeat(20_000),
        frame(PONG, b"").repeat(20_000),
        pieces.clone(),
        pieces.clone(),
    ]
    .into_iter()
    .enumerate()
    {
        let (client, _) = Client::connect(address, &format!("flood-{n}"), READ).await;
        floods.push(Flood::start(client, bytes));
    }
    assert_eq!(floods.len(), ACCEPTED);
    floods.push(Flood::again_and_again(address, frame(PING, b"").repeat(1_000)));
    floods.push(Flood::again_and_again(address, pieces));
    floods
}

#[tokio::test]
async fn floods_delay_neither_other_clients_nor_the_shutdown() {
    let mut witness = Witness::start(&[]).await;
    let address = witness.address();
    let now = floods(address).await;
    // New sockets have empty buffers, so the bytes of strangers say nothing about turns.
    let sent = || now[..ACCEPTED].iter().map(Flood::sent).sum::<usize>();
    for round in 0..5 {
        let before = sent();
        others_are_served(address, round).await;
        let sent = sent() - before;
        // A client that is served after the floods instead of between their turns waits for more bytes.
        let most = if round == 0 {
            MOST_FIRST_BYTES
        } else {
            MOST_FLOOD_BYTES
        };
        assert!(sent < most, "{sent}");
    }
    now.into_iter().for_each(Flood::stop);
    witness.is_unharmed(&["flood-", "other-"], LEFT_KB).await;

    let now = floods(address).await;
    witness.process.signal(Signal::TERM);
    assert_eq!(witness.process.ended().await, Some(0));
    now.into_iter().for_each(Flood::stop);
}

#[tokio::test]
async fn a_flood_does_not_delay_the_close_of_a_client_that_reads_nothing() {
    // Its own deadline, long before a missing pong ends it.
    let mut witness = Witness::start(&["--stall-ms", "1000"]).await;
    // Later rounds reuse the memory of the first one, so that only a leak exceeds the bound.
    for _ in 0..3 {
        let mut deaf = Vec::new();
        for n in 0..4 {
            deaf.push(unread_answers(witness.address(), &format!("deaf-{n}")).await);
        }
        // More pings than a turn reads, so that there are always bytes to read.
        let flood = Flood::start(deaf.remove(3), frame(PING, b"").repeat(20_000));
        support::within("the end of the flood", async {
            while !flood.is_ended() {
                others_are_served(witness.address(), 5).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    }
    // Once 1.2 MB of responses waited.
    witness.is_unharmed(&["deaf-", "other-"], 4 * LEFT_KB).await;
}
