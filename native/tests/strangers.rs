//! Strangers that flood the gateway with empty frames delay no client and no deadline, also their own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use support::flood::{Flood, blocking_socket};
use support::frames::{FIRST_PIECE, NEXT_PIECE, PING, frame};
use support::{Client, config_with, serves_a_client, start_manual, within};
use tokio::io::AsyncWriteExt;

/// Most control frames before the handshake is done.
const EARLY_CONTROLS: usize = 16;
/// Most bytes that one turn takes from a socket.
const TURN_BYTES: usize = 16 * 1024;
/// Of each of the four floods.
const ROUND_BYTES: usize = 4 * TURN_BYTES;
/// Turns of each flood while one other client connects and gets an answer.
const MOST_TURNS: usize = 128;

/// What has arrived at this socket.
fn arrived(mut stream: &TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..len]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn floods_of_empty_frames_delay_no_client_and_no_deadline() {
    // Large enough that only a deadline ends a message of empty frames.
    let (gateway, clock) = start_manual(config_with(|config| {
        config.limits.preauth_frame_bytes = 256 * 1024 * 1024;
    }));
    let address = gateway.address();
    let (mut floods, mut readers) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let mut stranger = Client::open(address, "").await;
        stranger
            .stream()
            .write_all(&frame(FIRST_PIECE, b"{"))
            .await
            .unwrap();
        let stream = blocking_socket(stranger);
        readers.push(stream.try_clone().unwrap());
        floods.push(Flood::on(stream, frame(NEXT_PIECE, b"").repeat(20_000)));
    }
    let pings = || Flood::again_and_again(address, frame(PING, b"").repeat(1_000));
    let restless = [pings(), pings()];
    let mut slow = Client::open(address, "").await;
    slow.stream()
        .write_all(&frame(PING, b"").repeat(EARLY_CONTROLS))
        .await
        .unwrap();

    // The buffers of the system fill up first.
    serves_a_client(address, "first").await;
    let sent = || floods.iter().map(Flood::sent).sum::<usize>();
    for round in 0..5 {
        let before = sent();
        serves_a_client(address, &format!("other-{round}")).await;
        let more = sent() - before;
        // A client that is served after the floods instead of between their turns waits for more.
        assert!(more < MOST_TURNS * ROUND_BYTES, "{more}");
    }

    // A message of more than 8 KiB has 2 s. Meanwhile the sockets fill up, so that there are nearly always bytes to
    // read. A unit test of `next_turn` has the case in which there always are.
    clock.advance(2_000);
    std::thread::sleep(Duration::from_millis(200));
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
    for reader in &readers {
        let frames = arrived(reader);
        assert!(frames.contains("handshake timeout"), "{frames}");
    }
    clock.advance(12_999);
    serves_a_client(address, "late").await;
    clock.advance(1);
    assert_eq!(slow.closed().await, (1008, "handshake timeout".to_owned()));
    within("the end", gateway.shutdown()).await;
    floods.into_iter().chain(restless).for_each(Flood::stop);
}
