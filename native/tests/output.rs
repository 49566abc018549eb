//! Output that is not read: the program continues, and ends normally.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::fs::OpenOptions;
use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::path::Path;
use std::process::Stdio;
#[cfg(target_os = "linux")]
use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::time::Duration;

#[cfg(target_os = "linux")]
use presence_gateway::{Keep, RecordTo};
use rustix::process::Signal;
#[cfg(target_os = "linux")]
use serde_json::json;
#[cfg(target_os = "linux")]
use support::config_with;
use support::process::signal;
use support::{Client, config, connect_params, raw_http, serves_a_client, start, within};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// More lines than a pipe and the queue behind it hold.
const MANY: usize = 3_000;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence-gateway"));
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// A gateway that logs a line for every request that ends too soon.
fn serve() -> Command {
    program(&[
        "serve",
        "--port",
        "0",
        "--bind",
        "127.0.0.1",
        "--token",
        support::TOKEN,
        "--log-level",
        "debug",
    ])
}

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

/// The first address in the lines.
async fn address(lines: impl AsyncRead + Unpin) -> SocketAddr {
    let mut lines = BufReader::new(lines).lines();
    loop {
        let line = within("an address", lines.next_line())
            .await
            .unwrap()
            .expect("the gateway ended");
        if let Some((_, rest)) = line.split_once("127.0.0.1:") {
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            return SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        }
    }
}

/// Ends before the request is whole: a line at debug. Lines about refusals are bounded per second.
async fn half_a_request(address: SocketAddr) {
    within("half a request", async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HT").await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    })
    .await;
}

async fn provoke_lines(address: SocketAddr) {
    for _ in 0..MANY {
        half_a_request(address).await;
    }
    let mut client = Client::open(address, "").await;
    client.event().await;
    let mut params = connect_params("a", &["operator.read"]);
    params["auth"]["token"] = "wrong".into();
    assert_eq!(client.request("connect", params).await["ok"], false);
}

async fn answers(address: SocketAddr) {
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = raw_http(address, request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    serves_a_client(address, "b").await;
}

async fn stops(mut child: Child) {
    signal(&child, Signal::TERM);
    let status = within("the end", child.wait()).await.unwrap();
    assert!(status.success(), "{status}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_log_on_a_full_disk_does_not_end_the_gateway() {
    let mut child = serve().stdout(Stdio::piped()).stderr(full()).spawn().unwrap();
    let address = address(child.stdout.as_mut().unwrap()).await;
    provoke_lines(address).await;
    answers(address).await;
    stops(child).await;
}

/// The command with its home, its working folder and its temporary folder on a disk without a free byte. `None` where
/// tests may mount none.
#[cfg(target_os = "linux")]
async fn on_a_full_disk(command: Command, folder: &Path) -> Option<Command> {
    const IN_ITS_OWN_MOUNTS: [&str; 4] = ["--map-root-user", "--mount", "/bin/sh", "-c"];
    const MOUNT: &str = "mount -t tmpfs -o size=16k none \"$0\"";
    const FILL: &str = "cat /dev/zero 2>/dev/null >\"$0/filled\"";

    let mut probe = Command::new("unshare");
    probe.args(IN_ITS_OWN_MOUNTS).arg(MOUNT).arg(folder);
    let output = within("a mount", probe.output()).await;
    if !output.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this process may not mount a file system");
        return None;
    }
    let mut full = Command::new("unshare");
    full.args(IN_ITS_OWN_MOUNTS)
        .arg(format!("{MOUNT} && {{ {FILL}; cd \"$0\" && exec \"$@\"; }}"))
        .arg(folder)
        .arg(command.as_std().get_program())
        .args(command.as_std().get_args())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Some(full)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_full_disk_the_gateway_serves_and_beacons_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut gateway) = on_a_full_disk(serve(), folder.path()).await else {
        return;
    };
    let mut child = gateway.stdout(Stdio::piped()).stderr(full()).spawn().unwrap();
    let address = address(child.stdout.as_mut().unwrap()).await;
    provoke_lines(address).await;
    answers(address).await;

    let url = format!("ws://{address}");
    let beacon = program(&["beacon", "--url", &url, "--token", support::TOKEN]);
    let mut beacon = on_a_full_disk(beacon, folder.path()).await.unwrap();
    let output = within("the beacon", beacon.output()).await.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("the instance id cannot be kept") && text.contains("No space left on device"),
        "{text}"
    );
    stops(child).await;
}

/// The recording ends, and the gateway does not.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_recording_on_a_full_disk_delays_nobody() {
    let full = || {
        let mut options = OpenOptions::new();
        Arc::new(options.read(true).write(true).open("/dev/full").unwrap())
    };
    let gateway = start(config_with(|config| {
        config.record = Some(RecordTo {
            file: full(),
            older: full(),
            max_bytes: 1024 * 1024,
            keep: Keep::Inputs { max_age: None },
        });
    }));
    let (mut client, _) = Client::connect(gateway.address(), "writer", &["operator.read"]).await;
    let write = async |client: &mut Client, n: usize| {
        let beacon = json!({ "text": format!("t{n}"), "instanceId": "writer" });
        assert_eq!(client.request("system-event", beacon).await["ok"], true);
    };
    // More than the buffer of the file holds.
    for n in 0..1_000 {
        write(&mut client, n).await;
    }
    // Until the thread has written and ended.
    tokio::time::sleep(Duration::from_millis(100)).await;
    for n in 0..10 {
        write(&mut client, n).await;
    }
    serves_a_client(gateway.address(), "b").await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_log_whose_reader_is_gone_does_not_end_the_gateway() {
    let mut child = serve()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let address = address(child.stdout.as_mut().unwrap()).await;
    provoke_lines(address).await;
    answers(address).await;
    stops(child).await;
}

#[tokio::test]
async fn an_unread_log_delays_nobody_and_counts_lost_lines() {
    let mut child = serve()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let address = address(child.stdout.as_mut().unwrap()).await;
    provoke_lines(address).await;
    answers(address).await;

    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut kept = 0;
    let lost = loop {
        let line = within("a line", lines.next_line())
            .await
            .unwrap()
            .expect("the log ended");
        match line.split_once("stderr did not take them lost=") {
            Some((_, lost)) => break lost.trim().parse::<usize>().unwrap(),
            None => kept += 1,
        }
    };
    assert!(lost > 0 && kept + lost > MANY, "{kept} and {lost}");
    // The pipe is no longer read, and soon full again.
    provoke_lines(address).await;
    stops(child).await;
}

/// The longest lines that a client can cause: every text at its bound, of characters that every format escapes.
#[tokio::test]
async fn the_longest_refusals_are_written_in_every_format() {
    for format in ["text", "json"] {
        let mut child = serve()
            .args(["--log-format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let address = address(child.stdout.as_mut().unwrap()).await;
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let backslashes = "\\".repeat(200);
        // The first is refused for its token, the second for its origin.
        for headers in [
            format!("User-Agent: {backslashes}\r\nX-Forwarded-For: 192.0.2.1\r\n"),
            format!("User-Agent: {backslashes}\r\nOrigin: {backslashes}\r\n"),
        ] {
            let mut client = Client::open_with_host(address, &"h".repeat(200), &headers).await;
            client.event().await;
            let mut params = connect_params("a", &["operator.read"]);
            params["auth"]["token"] = "wrong".into();
            params["role"] = "\u{1f}".repeat(128).into();
            for name in ["id", "version", "mode"] {
                params["client"][name] = "\u{1f}".repeat(128).into();
            }
            assert_eq!(client.request("connect", params).await["ok"], false);
            loop {
                let line = within("a line", lines.next_line())
                    .await
                    .unwrap()
                    .expect("the log ended");
                assert!(!line.contains("lost") && !line.contains("dropped"), "{line}");
                if line.contains("refused") {
                    break;
                }
            }
        }
        stops(child).await;
    }
}

#[tokio::test]
async fn a_gateway_whose_output_nobody_reads_serves() {
    let mut silent = vec![serve()];
    silent[0].stdout(Stdio::piped());
    if cfg!(target_os = "linux") {
        silent.push(serve());
        silent[1].stdout(full());
    }
    for mut command in silent {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut log = child.stderr.take().unwrap();
        answers(address(&mut log).await).await;
        stops(child).await;
    }
}

#[tokio::test]
async fn a_command_whose_output_nobody_reads_keeps_its_exit_code() {
    let gateway = start(config());
    let url = gateway.url();
    let list = ["list", "--url", &url, "--token", support::TOKEN];
    let mut child = program(&list).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(within("list", child.wait()).await.unwrap().code(), Some(0));

    if cfg!(target_os = "linux") {
        let mut child = program(&list).stdout(full()).stderr(full()).spawn().unwrap();
        assert_eq!(within("list", child.wait()).await.unwrap().code(), Some(1));
    }

    let nowhere = [
        "beacon",
        "--url",
        "ws://127.0.0.1:1",
        "--token",
        "x",
        "--instance-id",
        "x",
    ];
    let mut child = program(&nowhere).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(within("beacon", child.wait()).await.unwrap().code(), Some(3));
    gateway.shutdown().await;
}
