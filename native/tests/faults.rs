//! Faults of servers: they are killed, stopped, terminated during work, and run out of files or memory.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, HashSet};
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use presence_core::client::ClientConfig;
use presence_core::model::ClientInfo;
use rustix::process::Signal;
use serde_json::{Value, json};
use support::frames::{TEXT, frame};
use support::machine::keep_connected;
use support::process::{Process, line_with};
use support::slow::{ANSWERS, unread_answers, until_handled};
use support::witness::{LEFT_KB, Witness};
use support::{Client, TOKEN, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

const READ: &[&str] = &["operator.read"];
/// Clients that must reconnect: programs, and state machines in this process.
const PROGRAMS: usize = 4;
const MACHINES: usize = 100;
const CLIENTS: usize = PROGRAMS + MACHINES;
/// Machines that write without a pause.
const WRITERS: usize = 8;

/// A program that stays connected, and reconnects after a loss.
fn beacon(url: &str, number: usize) -> Child {
    Command::new(env!("CARGO_BIN_EXE_presence-gateway"))
        .args(["beacon", "--every", "5s", "--mode", "kiosk", "--url", url])
        .args(["--instance-id", &format!("machine-{number}")])
        .env_clear()
        .env("OPENCLAW_GATEWAY_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// The configuration of such a client in this process.
fn machine(number: usize) -> ClientConfig {
    let name = format!("machine-{number}");
    let info = ClientInfo {
        id: "test".into(),
        version: "1".into(),
        platform: "linux".into(),
        mode: "kiosk".into(),
        instance_id: Some(name.into()),
        ..ClientInfo::default()
    };
    ClientConfig {
        token: Some(TOKEN.into()),
        // Programs get it from the system.
        seed: number as u64,
        ..ClientConfig::new(info)
    }
}

/// The instance ids of connected clients in a list.
fn connected(list: &Value) -> Vec<&str> {
    let rows = list.as_array().unwrap().iter();
    rows.filter(|row| row["reason"] != "disconnect" && row["mode"] == "kiosk")
        .filter_map(|row| row["instanceId"].as_str())
        .collect()
}

/// Waits until all of the machines are listed, each once.
async fn all_are_there(reader: &mut Client, hello: &Value) {
    let mut list = hello["snapshot"]["presence"].clone();
    loop {
        let ids = connected(&list);
        let different: HashSet<&str> = ids.iter().copied().collect();
        assert_eq!(different.len(), ids.len(), "a row is doubled: {ids:?}");
        if ids.len() == CLIENTS {
            return;
        }
        list = reader.event_named("presence").await["payload"]["presence"].clone();
    }
}

#[tokio::test]
async fn after_a_kill_every_client_reconnects_to_one_row() {
    let start = async |port: u16| {
        let port = port.to_string();
        // Changes of the writers are broadcast less often than by default, because they are parsed 100 times.
        Process::start_with("", &["--port", &port, "--window-ms", "200"]).await
    };
    let mut gateway = start(0).await;
    let (address, url) = (gateway.address, format!("ws://{}", gateway.address));
    let _programs: Vec<Child> = (MACHINES..CLIENTS).map(|number| beacon(&url, number)).collect();
    let (sender, mut delays) = unbounded_channel();
    let mut machines = JoinSet::new();
    for number in 0..MACHINES {
        machines.spawn(keep_connected(
            machine(number),
            address,
            number < WRITERS,
            sender.clone(),
        ));
    }
    for _ in 0..2 {
        let (mut reader, hello) = Client::connect(address, "reader", READ).await;
        all_are_there(&mut reader, &hello).await;
        gateway.signal(Signal::KILL);
        assert_eq!(gateway.ended().await, None);
        gateway = start(address.port()).await;
        // The machines reconnect spread over a second or more, not together.
        let mut per_slot = BTreeMap::new();
        for _ in 0..MACHINES {
            let delay_ms = within("a delay", delays.recv()).await.unwrap();
            *per_slot.entry(delay_ms / 100).or_insert(0) += 1;
        }
        assert!(
            per_slot.values().all(|count| *count < MACHINES / 4),
            "{per_slot:?}"
        );
    }
    let (mut reader, hello) = Client::connect(address, "reader", READ).await;
    all_are_there(&mut reader, &hello).await;
    assert_eq!(machines.len(), MACHINES);
    machines.abort_all();
    while let Some(end) = machines.join_next().await {
        assert!(end.is_err_and(|end| end.is_cancelled()));
    }
}

/// Whether this process ignores SIGHUP, as its children then do.
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|digits| u64::from_str_radix(digits.trim(), 16).unwrap() & 1 != 0)
}

#[tokio::test]
async fn a_busy_gateway_answers_and_notifies_all_clients_before_it_stops() {
    // A terminal that is closed hangs up twice.
    let mut cases = vec![&[Signal::TERM][..], &[Signal::HUP, Signal::HUP]];
    if hangups_are_ignored() {
        // These tests run under nohup, and so do the gateways that they start.
        cases.pop();
    }
    for signals in cases {
        let mut gateway = Process::start(0).await;
        let (mut reader, _) = Client::connect(gateway.address, "reader", READ).await;
        let mut clients = Vec::new();
        for number in 0..20 {
            clients.push(unread_answers(gateway.address, &format!("tab-{number}")).await);
        }
        until_handled(&mut reader, clients.len()).await;
        for signal in signals {
            gateway.signal(*signal);
        }
        // All are read at once, because the gateway does not wait long, and parsed later.
        for (texts, close) in join_all(clients.iter_mut().map(texts_and_close)).await {
            let frames: Vec<Value> = texts
                .iter()
                .map(|text| serde_json::from_str(text).unwrap())
                .collect();
            let answers: Vec<&Value> = frames.iter().filter(|frame| frame["type"] == "res").collect();
            assert_eq!(answers.len(), ANSWERS + 1);
            assert_eq!(
                (&answers[ANSWERS]["id"], &answers[ANSWERS]["ok"]),
                (&json!("last"), &json!(true))
            );
            assert_eq!(frames.last().unwrap()["event"], "shutdown");
            assert_eq!(close, 1012);
        }
        assert_eq!(reader.closed().await.0, 1012);
        assert_eq!(gateway.ended().await, Some(0));
    }
}

/// The texts up to the close, and its code.
async fn texts_and_close(client: &mut Client) -> (Vec<String>, u16) {
    let mut texts = Vec::new();
    loop {
        match client.message().await {
            Message::Text(text) => texts.push(text.to_string()),
            Message::Close(close) => return (texts, close.unwrap().code.into()),
            _ => {}
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn under_nohup_a_hangup_does_not_end_it() {
    let mut witness = Witness::of(Process::start_with("trap '' HUP;", &["--port", "0"]).await).await;
    witness.process.signal(Signal::HUP);
    for _ in 0..3 {
        let (mut client, _) = Client::connect(witness.address(), "tab", READ).await;
        assert_eq!(client.request("health", json!({})).await["ok"], true);
    }
    witness.is_unharmed(&["tab"], LEFT_KB).await;
    witness.process.signal(Signal::TERM);
    assert_eq!(witness.process.ended().await, Some(0));
}

/// A socket that was opened before gets its answer.
async fn is_served(mut stream: TcpStream) {
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_gateway_that_was_paused_continues() {
    /// More than the buffers of a socket hold.
    const ASKS: usize = 4_000;
    /// Of pings, and of the time for their pongs.
    const PING_INTERVAL: Duration = Duration::from_secs(2);

    let interval_ms = PING_INTERVAL.as_millis().to_string();
    let mut witness = Witness::start(&["--ping-interval-ms", &interval_ms]).await;
    let address = witness.address();
    let (mut client, _) = Client::connect(address, "tab", READ).await;
    witness.process.stop();
    let padding = "x".repeat(4_000);
    let request =
        json!({ "type": "req", "id": "asked", "method": "health", "params": { "padding": padding } });
    let request = frame(TEXT, request.to_string().as_bytes());
    let requests = request.repeat(ASKS);
    // The gateway does not read, so the buffers are full soon.
    let mut written = 0;
    while let Ok(len) = client.stream().try_write(&requests[written..]) {
        written += len;
    }
    assert!(
        request.len() < written && written < requests.len(),
        "{written} bytes"
    );
    // Connected by the kernel; the gateway has not accepted it yet.
    let late = TcpStream::connect(address).await.unwrap();
    // A ping is due meanwhile. The time for its pong begins when it is sent.
    tokio::time::sleep(PING_INTERVAL + Duration::from_millis(500)).await;
    witness.process.signal(Signal::CONT);
    let continues = async {
        is_served(late).await;
        let end_of_frame = written.next_multiple_of(request.len());
        client
            .stream()
            .write_all(&requests[written..end_of_frame])
            .await
            .unwrap();
        for _ in 0..end_of_frame / request.len() {
            assert_eq!(client.response("asked").await["ok"], true);
        }
        drop(client);
    };
    witness.during(continues).await;
    witness.is_unharmed(&["tab"], LEFT_KB).await;
}

/// Connected clients are served, and new ones are accepted once files can be opened again.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_free_file_handles_connected_clients_are_served() {
    let (process, mut log) = Process::start_logging(&["--port", "0"]).await;
    let mut witness = Witness::of(process).await;
    witness.process.can_open_files(false);
    let late = TcpStream::connect(witness.address()).await.unwrap();
    let line = line_with(&mut log, "cannot accept connections").await;
    assert!(line.contains("Too many open files"), "{line}");
    // The gateway waits between its attempts. Otherwise it would occupy a processor.
    let before = witness.process.processor_ticks();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ticks = witness.process.processor_ticks() - before;
    assert!(ticks < 5, "{ticks} hundredths of a second");
    for _ in 0..3 {
        witness.is_served().await;
    }
    witness.process.can_open_files(true);
    is_served(late).await;
    witness.is_unharmed(&[], LEFT_KB).await;
}

/// More clients than the limit of files allows: the gateway refuses them before the files run out.
#[tokio::test]
async fn a_crowd_beyond_the_limit_of_files_leaves_connected_clients_alone() {
    let mut witness = Witness::of(Process::start_with("ulimit -n 400;", &["--port", "0"]).await).await;
    let mut crowd = Vec::new();
    for _ in 0..600 {
        // Some are refused, some wait.
        crowd.extend(TcpStream::connect(witness.address()).await);
    }
    for _ in 0..3 {
        witness.is_served().await;
    }
    drop(crowd);
    witness.is_unharmed(&[], 4 * LEFT_KB).await;
}

/// 200 MB of address space: a flood of one client leaves enough memory for the others.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn with_little_memory_a_flood_disconnects_nobody_else() {
    /// The bound of PROTOCOL.md for one connection.
    const MOST_KB: u64 = 16 * 1024;

    let mut witness = Witness::of(Process::start_with("ulimit -v 200000;", &["--port", "0"]).await).await;
    let before_kb = witness.process.memory_kb("VmRSS:");
    for round in 0..4 {
        let (mut flood, _) = Client::connect(witness.address(), &format!("flood-{round}"), READ).await;
        let text = format!(
            r#"{{"type":"req","id":"1","method":"wake","params":[{}0]}}"#,
            "[0],".repeat(200_000)
        );
        let frame = frame(TEXT, text.as_bytes());
        let (mut reader, mut writer) = flood.stream().split();
        let write = async {
            for _ in 0..16 {
                // The gateway may have closed the connection.
                if writer.write_all(&frame).await.is_err() {
                    return;
                }
            }
            let _ = writer.shutdown().await;
        };
        let read = async {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(1..) = reader.read(&mut buffer).await {}
        };
        within("the flood", futures_util::future::join(write, read)).await;
        witness.is_served().await;
    }
    let more_kb = witness.process.memory_kb("VmHWM:") - before_kb;
    assert!(more_kb < MOST_KB, "{more_kb} kB");
    witness.is_unharmed(&["flood-"], 8 * LEFT_KB).await;
}
