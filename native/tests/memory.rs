//! The most memory that one client can occupy in the gateway, in a separate process, as Linux counts it.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod support;
#[path = "support/tls.rs"]
mod support_tls;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use support::frames::{TEXT, frame};
use support::process::Process;
use support::{Client, connect_params};
use support_tls::{Authority, VERSIONS, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The bound of PROTOCOL.md: most memory that one client adds, in kB.
const MOST_KB: u64 = 64 * 1024;
/// Most memory that is left 10 s after the client is gone, in kB, or a tenth of the memory before it.
const LEFT_KB: u64 = 4 * 1024;
const BACK_TIME: Duration = Duration::from_secs(10);
const MIB: usize = 1024 * 1024;

/// A gateway whose memory is compared with that after it had served one client.
struct Watched {
    process: Process,
    address: SocketAddr,
    before_kb: u64,
}

impl Watched {
    async fn start() -> Self {
        let mut watched = Self::start_with(&[]).await;
        Client::connect(watched.address, "first", &["operator.read"]).await;
        watched.note();
        watched
    }

    async fn start_with(options: &[&str]) -> Self {
        let process = Process::start_with("", &[&["--port", "0"], options].concat()).await;
        Self {
            address: process.address,
            process,
            before_kb: 0,
        }
    }

    /// Notes the current memory for comparison.
    fn note(&mut self) {
        self.before_kb = self.memory_kb("VmRSS:");
    }

    fn memory_kb(&self, field: &str) -> u64 {
        self.process.memory_kb(field)
    }

    /// Checks the process's peak of memory.
    fn check_peak(&self, what: &str) {
        let most_kb = self.memory_kb("VmHWM:") - self.before_kb;
        assert!(most_kb <= MOST_KB, "{what}: {most_kb} kB");
    }

    /// Checks the process's peak of memory, and that it frees unused memory.
    async fn check(&self, what: &str) {
        self.check_peak(what);
        let left_kb = LEFT_KB.max(self.before_kb / 10);
        let begun = Instant::now();
        loop {
            let more_kb = self.memory_kb("VmRSS:").saturating_sub(self.before_kb);
            if more_kb <= left_kb {
                return;
            }
            assert!(
                begun.elapsed() < BACK_TIME,
                "{what}: {more_kb} kB are not given back"
            );
            // Waits for the process, not for a time.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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
    let process = Watched::start().await;
    for text in &texts {
        let (client, _) = Client::connect(process.address, "attacker", &[]).await;
        let mut bytes = text_frame(text).repeat(8);
        bytes.extend(last());
        pour(client, &bytes, "the-last-one").await;
    }
    process.check("large parameters").await;
}

#[tokio::test]
async fn pieces_and_unread_answers_are_bounded_in_memory() {
    let process = Watched::start().await;
    // A message in two large pieces, and half of another frame.
    let (mut client, _) = Client::connect(process.address, "attacker", &["operator.read"]).await;
    let half = " ".repeat(MIB / 2);
    let (mut first, mut next) = (text_frame(&half), text_frame(&half));
    (first[0], next[0]) = (0x01, 0x00);
    next.truncate(MIB / 4);
    client.stream().write_all(&[first, next].concat()).await.unwrap();
    // Requests with large answers, which are not read.
    let (mut deaf, _) = Client::connect(process.address, "deaf", &["operator.read"]).await;
    let id = "i".repeat(1_000);
    let request = format!(r#"{{"type":"req","id":"{id}","method":"presence.snapshot"}}"#);
    let requests = text_frame(&request).repeat(4_000);
    // The gateway stops reading before that, which is not checked here.
    let _ = tokio::time::timeout(Duration::from_secs(2), deaf.stream().write_all(&requests)).await;
    let (mut other, _) = Client::connect(process.address, "other", &["operator.read"]).await;
    assert_eq!(other.request("health", json!({})).await["ok"], true);
    drop((client, deaf));
    assert_eq!(other.request("health", json!({})).await["ok"], true);
    process.check("pieces and unread answers").await;
}

#[tokio::test]
async fn incomplete_messages_of_all_connections_are_bounded_in_memory() {
    let process = Watched::start().await;
    let mut piece = text_frame(&" ".repeat(MIB - 1));
    piece[0] = 0x01;
    let mut clients = Vec::new();
    for n in 0..50 {
        let (mut client, _) = Client::connect(process.address, &format!("attacker-{n}"), &[]).await;
        // The gateway may close the connection.
        let _ = client.stream().write_all(&piece).await;
        clients.push(client);
    }
    let (mut other, _) = Client::connect(process.address, "other", &["operator.read"]).await;
    assert_eq!(other.request("health", json!({})).await["ok"], true);
    drop(clients);
    assert_eq!(other.request("health", json!({})).await["ok"], true);
    // glibc's allocator keeps up to 8 MB of what many buffers of this size used.
    process.check_peak("incomplete messages");
}

#[tokio::test]
async fn idle_clients_keep_no_buffer_of_their_largest_message() {
    let process = Watched::start().await;
    let text = dense("no.such.method", "0", MIB);
    let mut idle = Vec::new();
    for n in 0..40 {
        let instance = format!("idle-{n}");
        let (mut client, _) = Client::connect(process.address, &instance, &["operator.read"]).await;
        client.stream().write_all(&text_frame(&text)).await.unwrap();
        assert_eq!(client.response("1").await["ok"], false);
        // Its buffer stays in use.
        assert_eq!(client.request("health", json!({})).await["ok"], true);
        idle.push(client);
    }
    process.check("idle clients").await;
    drop(idle);
}

#[tokio::test]
async fn the_memory_of_unauthenticated_sockets_is_bounded() {
    let process = Watched::start().await;
    let connect = dense("connect", r#"{"":0}"#, 64 * 1024);
    let whole = text_frame(&connect);
    let mut strangers = Vec::new();
    for n in 0..200 {
        let mut stranger = Client::open(process.address, "").await;
        // All but the last byte.
        let _ = stranger.stream().try_write(&whole[..whole.len() - 1]);
        strangers.push(stranger);
        if n % 50 == 0 {
            let (mut other, _) = Client::connect(process.address, "other", &["operator.read"]).await;
            assert_eq!(other.request("health", json!({})).await["ok"], true);
        }
    }
    drop(strangers);
    // The handshakes that finish.
    for _ in 0..8 {
        let client = Client::open(process.address, "").await;
        pour(client, &whole, "at /").await;
    }
    let (mut other, _) = Client::connect(process.address, "other", &["operator.read"]).await;
    assert_eq!(other.request("health", json!({})).await["ok"], true);
    let mut refused = Client::open(process.address, "").await;
    refused.event().await;
    assert_eq!(
        refused.request("connect", connect_params("late", &[])).await["ok"],
        true
    );
    process.check("handshakes").await;
}

#[tokio::test]
async fn refused_strangers_keep_no_buffer_of_their_message() {
    let process = Watched::start().await;
    let whole = text_frame(&dense("connect", "0", 64 * 1024));
    // As many as get time to read why they are refused.
    let mut refused = Vec::new();
    for _ in 0..64 {
        let mut client = Client::open(process.address, "").await;
        client.event().await;
        client.stream().write_all(&whole).await.unwrap();
        assert_eq!(client.response("1").await["ok"], false);
        refused.push(client);
    }
    let more_kb = process.memory_kb("VmHWM:") - process.before_kb;
    assert!(more_kb <= 2_048, "{more_kb} kB for all");
    drop(refused);
}

#[tokio::test]
async fn half_open_tls_handshakes_are_bounded_in_memory_together() {
    let authority = Authority::new();
    authority.issue(&["localhost"], |_| {});
    let (cert, key) = (authority.path("cert.pem"), authority.path("key.pem"));
    let mut process = Watched::start_with(&[
        "--tls-cert",
        cert.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ])
    .await;
    let client = authority.client(&VERSIONS);
    open(&client, process.address, "")
        .await
        .hello(connect_params("first", &[]))
        .await;
    process.note();
    // Each begins a ClientHello of 60,000 bytes and sends almost as much of it as is read.
    let mut hello = vec![0x16, 3, 1, 0x3e, 0x80, 1, 0, 0xea, 0x60];
    hello.resize(8_000, 0);
    let mut most_kb = Vec::new();
    for _ in 0..2 {
        let mut strangers = Vec::new();
        for n in 0..2_100 {
            let mut stranger = TcpStream::connect(process.address).await.unwrap();
            stranger.write_all(&hello).await.unwrap();
            strangers.push(stranger);
            if n % 500 == 0 {
                let mut other = open(&client, process.address, "").await;
                other.hello(connect_params("other", &[])).await;
            }
        }
        drop(strangers);
        let mut late = open(&client, process.address, "").await;
        late.hello(connect_params("late", &[])).await;
        most_kb.push(process.memory_kb("VmHWM:") - process.before_kb);
    }
    assert!(most_kb[0] <= MOST_KB, "{most_kb:?}");
    // The allocator keeps many small blocks, and uses them again.
    assert!(most_kb[1] <= most_kb[0] + LEFT_KB, "{most_kb:?}");
}

/// Connects once for each of these handshakes, one after the other, and closes.
async fn come_and_go(process: &Watched, handshakes: impl Iterator<Item = serde_json::Value>) {
    for params in handshakes {
        let mut client = Client::open(process.address, "").await;
        client.hello(params).await;
    }
    // Answered after all earlier closes are handled.
    let (mut other, _) = Client::connect(process.address, "other", &["operator.read"]).await;
    assert_eq!(other.request("health", json!({})).await["ok"], true);
}

fn node_params(n: usize, command: &str) -> serde_json::Value {
    let mut params = connect_params(&format!("node-{n}"), &[]);
    params["role"] = "node".into();
    params["client"]["mode"] = "node".into();
    params["commands"] = vec![command; 1_024].into();
    params
}

#[tokio::test]
async fn the_memory_of_disconnected_nodes_is_bounded() {
    let process = Watched::start().await;
    come_and_go(&process, (0..400).map(|n| node_params(n, "a"))).await;
    process.check("nodes with many commands").await;
    // Just below the 8 KiB of a node, and above.
    for command in ["abcd", "abcdefgh"] {
        come_and_go(&process, (0..400).map(|n| node_params(n, command))).await;
        process.check("nodes of 8 KiB").await;
    }
}

#[tokio::test]
async fn the_memory_of_rows_without_connections_is_bounded() {
    let process = Watched::start().await;
    let scopes: Vec<_> = (0..64).map(|n| format!("{n}{}", "s".repeat(900))).collect();
    let scopes: Vec<_> = scopes.iter().map(|scope| &**scope).collect();
    come_and_go(
        &process,
        (0..199).map(|n| connect_params(&format!("app-{n}"), &scopes)),
    )
    .await;
    process.check("scopes of closed connections").await;
}
