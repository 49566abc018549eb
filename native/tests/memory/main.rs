//! The most memory that one client can occupy in the gateway, in a separate process, as Linux counts it.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod handshakes;
mod rows;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tls.rs"]
mod support_tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use support::frames::{PING, TEXT, frame};
use support::witness::Witness;
use support::{Client, connect_params};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

/// Most memory that one connection adds, in kB (PROTOCOL.md, "Memory of a connection").
const CONNECTION_KB: u64 = 16 * 1024;
/// Most memory that all connections of an attack add, in kB.
const MOST_KB: u64 = 64 * 1024;
/// Most bytes of incomplete messages of all clients together.
const UNFINISHED_BYTES: usize = 16 * MIB;
/// Undelivered bytes of all clients together, above which requests of clients with many of them wait.
const UNDELIVERED_BYTES: usize = 32 * MIB;
/// Most memory that is left when the clients are gone, in kB.
const LEFT_KB: u64 = 4 * 1024;
const MIB: usize = 1024 * 1024;
/// How the names of the clients begin.
const VISITORS: &[&str] = &[
    "first", "attacker", "other", "late", "app-", "node-", "idle-", "deaf",
];

/// A gateway whose memory is compared with that before the attack.
struct Watched {
    witness: Witness,
    address: SocketAddr,
    before_kb: u64,
}

impl Watched {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(options: &[&str]) -> Self {
        let witness = Witness::start(options).await;
        Client::connect(witness.address(), "first", &["operator.read"]).await;
        Self::of(witness)
    }

    fn of(witness: Witness) -> Self {
        Self {
            address: witness.address(),
            before_kb: witness.process.memory_kb("VmRSS:"),
            witness,
        }
    }

    /// The most memory that the gateway has used since the start, beyond that before the attack.
    fn peak_kb(&self) -> u64 {
        self.witness.process.memory_kb("VmHWM:") - self.before_kb
    }

    /// Checks the process's peak of memory.
    fn check_peak(&self, what: &str) {
        let most_kb = self.peak_kb();
        assert!(most_kb <= MOST_KB, "{what}: {most_kb} kB");
    }

    /// Checks the process's peak of memory, that it frees all but `left_kb` of it, and that the witness and a new client
    /// are served and listed.
    async fn check(&mut self, what: &str, left_kb: u64) {
        self.check_peak(what);
        self.witness.is_unharmed(VISITORS, left_kb).await;
    }
}

fn text_frame(text: &str) -> Vec<u8> {
    frame(TEXT, text.as_bytes())
}

/// A request of at most `bytes` that consists of `item`.
fn dense(method: &str, item: &str, bytes: usize) -> String {
    let head = format!(r#"{{"type":"req","id":"1","method":"{method}","params":{{"text":["#);
    let items = (bytes - head.len() - 4) / (item.len() + 1);
    format!("{head}{}0]}}}}", format!("{item},").repeat(items))
}

/// Writes all bytes, and discards answers until the gateway closes or `text` arrives.
async fn pour(mut client: Client, bytes: &[u8], until: &str) {
    let (mut reader, mut writer) = client.stream().split();
    let write = async {
        // The gateway may close the connection.
        let _ = writer.write_all(bytes).await;
    };
    let read = async {
        let (mut buffer, mut tail) = (vec![0; 64 * 1024], Vec::new());
        while let Ok(len @ 1..) = reader.read(&mut buffer).await {
            tail.extend_from_slice(&buffer[..len]);
            if tail.windows(until.len()).any(|part| part == until.as_bytes()) {
                return;
            }
            tail.drain(..tail.len().saturating_sub(until.len()));
        }
    };
    tokio::time::timeout(Duration::from_secs(120), futures_util::future::join(write, read))
        .await
        .expect("the gateway answers");
}

/// A request whose answer shows that all earlier bytes were read.
fn last() -> Vec<u8> {
    text_frame(r#"{"type":"req","id":"the-last-one","method":"health"}"#)
}

#[tokio::test]
async fn the_memory_of_an_accepted_client_is_bounded() {
    let texts = [
        dense("no.such.method", r#"{"":0}"#, MIB),
        dense("system-event", r#"{"":0}"#, MIB),
        dense("set-heartbeats", "[[0]]", MIB),
        dense("system-event", "0", MIB),
        dense("wake", r#""a""#, MIB),
        format!(
            r#"{{"type":"req","id":"1","method":"wake","params":{{{}"x":0}}}}"#,
            r#""x":0,"#.repeat(150_000)
        ),
        format!(r#"{{{}"type":"req"}}"#, r#""x":0,"#.repeat(150_000)),
        format!("{}{}", "[".repeat(MIB / 2), "]".repeat(MIB / 2)),
    ];
    let mut gateway = Watched::start().await;
    for text in &texts {
        let (client, _) = Client::connect(gateway.address, "attacker", &[]).await;
        let mut bytes = text_frame(text).repeat(8);
        bytes.extend(last());
        pour(client, &bytes, "the-last-one").await;
    }
    assert!(gateway.peak_kb() <= CONNECTION_KB, "{} kB", gateway.peak_kb());
    gateway.check("large parameters", LEFT_KB).await;
}

#[tokio::test]
async fn pieces_and_unread_answers_are_bounded_in_memory() {
    let mut gateway = Watched::start().await;
    // A message in two large pieces, and half of another frame.
    let (mut client, _) = Client::connect(gateway.address, "attacker", &["operator.read"]).await;
    let half = " ".repeat(MIB / 2);
    let (mut first, mut next) = (text_frame(&half), text_frame(&half));
    (first[0], next[0]) = (0x01, 0x00);
    next.truncate(MIB / 4);
    client.stream().write_all(&[first, next].concat()).await.unwrap();
    // Requests with large answers, which are not read.
    let (mut deaf, _) = Client::connect(gateway.address, "deaf", &["operator.read"]).await;
    let id = "i".repeat(1_000);
    let request = format!(r#"{{"type":"req","id":"{id}","method":"presence.snapshot"}}"#);
    let requests = text_frame(&request).repeat(4_000);
    // The gateway stops reading before that, which is not checked here.
    let _ = tokio::time::timeout(Duration::from_secs(2), deaf.stream().write_all(&requests)).await;
    let (mut other, _) = Client::connect(gateway.address, "other", &["operator.read"]).await;
    assert_eq!(other.request("health", json!({})).await["ok"], true);
    drop((client, deaf));
    assert_eq!(other.request("health", json!({})).await["ok"], true);
    assert!(gateway.peak_kb() <= 2 * CONNECTION_KB, "{} kB", gateway.peak_kb());
    gateway.check("pieces and unread answers", LEFT_KB).await;
}

#[tokio::test]
async fn incomplete_messages_of_all_connections_are_bounded_in_memory() {
    let mut gateway = Watched::start().await;
    let mut piece = text_frame(&" ".repeat(MIB - 1));
    piece[0] = 0x01;
    // glibc's allocator keeps up to 40 MB of such buffers and reuses them, so that only a leak exceeds the bound.
    for _ in 0..4 {
        let mut clients = Vec::new();
        for n in 0..100 {
            let (mut client, _) = Client::connect(gateway.address, &format!("attacker-{n}"), &[]).await;
            // The gateway may close the connection.
            let _ = client.stream().write_all(&piece).await;
            clients.push(client);
        }
        let mut open = 0;
        for client in &mut clients {
            // Answered after the piece was read.
            let _ = client.stream().write_all(&frame(PING, b"")).await;
            let close = loop {
                match client.message().await {
                    Message::Close(close) => break close,
                    Message::Pong(_) => break None,
                    _ => {}
                }
            };
            match close {
                Some(close) => assert_eq!(
                    (u16::from(close.code), close.reason.as_str()),
                    (1013, "too many incomplete messages")
                ),
                None => open += 1,
            }
        }
        assert!(
            open > 0 && open <= UNFINISHED_BYTES / (MIB - 1),
            "{open} are open"
        );
        let (mut other, _) = Client::connect(gateway.address, "other", &["operator.read"]).await;
        assert_eq!(other.request("health", json!({})).await["ok"], true);
        drop(clients);
        assert_eq!(other.request("health", json!({})).await["ok"], true);
    }
    let left_kb = 3 * UNFINISHED_BYTES as u64 / 1024;
    gateway.check("incomplete messages", left_kb).await;
}

#[tokio::test]
async fn unread_answers_of_all_connections_are_bounded_in_memory() {
    let mut gateway = Watched::start().await;
    // More than the system's buffers and the answers after which the requests of one connection wait: 256 KiB.
    let id = "i".repeat(1_000);
    let request = format!(r#"{{"type":"req","id":"{id}","method":"no.such.method"}}"#);
    let requests: Arc<[u8]> = text_frame(&request).repeat(600).into();
    let mut params = connect_params("deaf", &[]);
    // Without a row.
    params["client"]["mode"] = "cli".into();
    let mut most_kb = Vec::new();
    for _ in 0..2 {
        let mut deaf = JoinSet::new();
        for _ in 0..400 {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4 * 1024).unwrap();
            let mut client = Client::open_on(socket, gateway.address, "").await;
            client.hello(params.clone()).await;
            let requests = Arc::clone(&requests);
            deaf.spawn(async move {
                // As far as the gateway reads.
                let _ = client.stream().write_all(&requests).await;
                std::future::pending::<()>().await;
            });
        }
        let (mut other, _) = Client::connect(gateway.address, "other", &["operator.read"]).await;
        for _ in 0..100 {
            assert_eq!(other.request("health", json!({})).await["ok"], true);
        }
        deaf.shutdown().await;
        most_kb.push(gateway.peak_kb());
    }
    // The bytes, the room that their buffers have, and 16 KiB of each client.
    assert!(most_kb[0] <= 3 * UNDELIVERED_BYTES as u64 / 1024, "{most_kb:?}");
    // glibc's allocator keeps many small blocks, and uses them again.
    assert!(most_kb[1] <= most_kb[0] + LEFT_KB, "{most_kb:?}");
    // glibc may keep what the peak was: this checks rows and service.
    gateway.witness.is_unharmed(VISITORS, most_kb[1] + LEFT_KB).await;
}

#[tokio::test]
async fn idle_clients_keep_no_buffer_of_their_largest_message() {
    let mut gateway = Watched::start().await;
    let text = dense("no.such.method", "0", MIB);
    let mut idle = Vec::new();
    for n in 0..40 {
        let instance = format!("idle-{n}");
        let (mut client, _) = Client::connect(gateway.address, &instance, &["operator.read"]).await;
        client.stream().write_all(&text_frame(&text)).await.unwrap();
        assert_eq!(client.response("1").await["ok"], false);
        // Its buffer stays in use.
        assert_eq!(client.request("health", json!({})).await["ok"], true);
        idle.push(client);
    }
    gateway.check("idle clients", LEFT_KB).await;
    drop(idle);
}
