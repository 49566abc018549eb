//! Strangers that flood the gateway with empty frames delay no client and no deadline, also their own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use support::frames::{FIRST_PIECE, NEXT_PIECE, PING, frame};
use support::{Client, config_with, start_manual, within};
use tokio::io::AsyncWriteExt;

const READ: &[&str] = &["operator.read"];
/// Most control frames before the handshake is done.
const EARLY_CONTROLS: usize = 16;
/// Most bytes that one turn takes from a socket.
const TURN_BYTES: usize = 16 * 1024;
/// Of each of the four floods.
const ROUND_BYTES: usize = 4 * TURN_BYTES;
/// Turns of each flood while one other client connects and gets an answer.
const MOST_TURNS: usize = 128;

/// A thread that floods until it is over.
struct Flood {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Flood {
    /// Writes `bytes` repeatedly, and counts what the gateway or its system accepted.
    fn start(stream: TcpStream, bytes: Vec<u8>, sent: Arc<AtomicUsize>) -> Self {
        Self::run(move |is_over| pour(&stream, &bytes, is_over, &sent))
    }

    /// Opens a new WebSocket whenever the gateway ended the last one.
    fn again_and_again(address: SocketAddr, bytes: Vec<u8>) -> Self {
        let head = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        Self::run(move |is_over| {
            while !is_over.load(Ordering::Relaxed)
                && let Ok(mut stream) = TcpStream::connect(address)
            {
                if stream.write_all(head.as_bytes()).is_ok() {
                    pour(&stream, &bytes, is_over, &AtomicUsize::new(0));
                }
            }
        })
    }

    fn run(flood: impl FnOnce(&AtomicBool) + Send + 'static) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || flood(&is_over)
        });
        Self { is_over, thread }
    }

    fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// Writes until the flood is over or the gateway ends the connection.
fn pour(mut stream: &TcpStream, bytes: &[u8], is_over: &AtomicBool, sent: &AtomicUsize) {
    stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut at = 0;
    while !is_over.load(Ordering::Relaxed) {
        match stream.write(&bytes[at..]) {
            Ok(len) => {
                at = (at + len) % bytes.len();
                sent.fetch_add(len, Ordering::Relaxed);
            }
            // The socket is full.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// What has arrived at this socket.
fn arrived(mut stream: &TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..len]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn another_is_served(address: SocketAddr, name: &str) {
    let (mut client, _) = Client::connect(address, name, READ).await;
    assert_eq!(client.request("health", json!({})).await["ok"], true);
}

#[tokio::test]
async fn floods_of_empty_frames_delay_no_client_and_no_deadline() {
    // Large enough that only a deadline ends a message of empty frames.
    let (gateway, clock) = start_manual(config_with(|config| {
        config.limits.preauth_frame_bytes = 256 * 1024 * 1024;
    }));
    let address = gateway.address();
    let sent = Arc::new(AtomicUsize::new(0));
    let (mut floods, mut readers) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let mut stranger = Client::open(address, "").await;
        stranger
            .stream()
            .write_all(&frame(FIRST_PIECE, b"{"))
            .await
            .unwrap();
        let stream = stranger.into_stream().into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        readers.push(stream.try_clone().unwrap());
        let pieces = frame(NEXT_PIECE, b"").repeat(20_000);
        floods.push(Flood::start(stream, pieces, Arc::clone(&sent)));
    }
    for _ in 0..2 {
        let pings = frame(PING, b"").repeat(1_000);
        floods.push(Flood::again_and_again(address, pings));
    }
    let mut slow = Client::open(address, "").await;
    slow.stream()
        .write_all(&frame(PING, b"").repeat(EARLY_CONTROLS))
        .await
        .unwrap();

    // The buffers of the system fill up first.
    another_is_served(address, "first").await;
    for round in 0..5 {
        let before = sent.load(Ordering::Relaxed);
        another_is_served(address, &format!("other-{round}")).await;
        let more = sent.load(Ordering::Relaxed) - before;
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
    another_is_served(address, "late").await;
    clock.advance(1);
    assert_eq!(slow.closed().await, (1008, "handshake timeout".to_owned()));
    within("the end", gateway.shutdown()).await;
    floods.into_iter().for_each(Flood::stop);
}
