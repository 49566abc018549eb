//! The commands that keep running: `watch` and `beacon --every`.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::Stdio;

use presence_gateway::RunningGateway;
use rustix::process::Signal;
use serde_json::json;
use support::process::signal;
use support::{Client, TOKEN, config, config_with, row, start, within};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

const READ: &[&str] = &["operator.read"];

/// A program that runs until it is stopped.
struct Running {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_presence-gateway"))
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Interrupts it as Ctrl-C does, and waits for its exit code.
    async fn interrupt(mut self) -> Option<i32> {
        signal(&self.child, Signal::INT);
        within("the end", self.child.wait()).await.unwrap().code()
    }
}

/// Reads up to the line that has all of these words.
async fn line_with<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>, words: &[&str]) -> String {
    let mut seen = String::new();
    loop {
        let line = within(&format!("{words:?} after\n{seen}"), lines.next_line())
            .await
            .unwrap()
            .unwrap_or_else(|| panic!("it ended without {words:?}:\n{seen}"));
        if words.iter().all(|word| line.contains(word)) {
            return line;
        }
        seen.push_str(&line);
        seen.push('\n');
    }
}

/// A gateway at the port of an earlier one.
fn start_at(port: u16) -> RunningGateway {
    start(config_with(|config| config.port = port))
}

#[tokio::test]
async fn watch_follows_the_roster_over_a_restart() {
    let gateway = start(config());
    let (url, port) = (gateway.url(), gateway.address().port());
    let mut watch = Running::start(&["watch", "--url", &url, "--token", TOKEN]);
    let out = &mut watch.stdout;
    line_with(out, &[&url, " · live (gateway ", "protocol 4)", " · 1 instance"]).await;
    line_with(out, &["STATUS", "HOST", "AGE"]).await;
    line_with(out, &["Active", "gateway", "Self"]).await;

    let (client, _) = Client::connect(gateway.address(), "studio", READ).await;
    line_with(out, &["live", " · 2 instances"]).await;
    line_with(out, &["Active", "studio", "just now", "Connect"]).await;
    drop(client);
    line_with(out, &["live", " · 1 instance, 1 left"]).await;
    line_with(out, &["Left", "studio", "Disconnect"]).await;

    gateway.shutdown().await;
    line_with(out, &["retrying in ", " s · 1 instance, 1 left as last known"]).await;
    line_with(out, &["the gateway restarts"]).await;
    // Earlier rows are still shown.
    line_with(out, &["Left", "studio", "Disconnect"]).await;

    let gateway = start_at(port);
    line_with(out, &["live", " · 1 instance"]).await;
    assert_eq!(watch.interrupt().await, Some(0));
    gateway.shutdown().await;
}

#[tokio::test]
async fn watch_explains_duplicates_below_the_table() {
    let gateway = start(config());
    let (url, address) = (gateway.url(), gateway.address());
    let mut clients = Vec::new();
    for instance in ["tab-1", "tab-2"] {
        let (mut client, _) = Client::connect(address, instance, &["operator.admin"]).await;
        let beacon = json!({
            "text": "Node: kitchen", "instanceId": instance, "host": "kitchen", "ip": "192.0.2.7", "version": "1",
        });
        let answer = client.request("system-event", beacon).await;
        assert_eq!(answer["ok"], true, "{answer}");
        clients.push(client);
    }
    let mut watch = Running::start(&["watch", "--url", &url, "--token", TOKEN]);
    line_with(&mut watch.stdout, &["kitchen [1]"]).await;
    line_with(
        &mut watch.stdout,
        &["[1] info: One machine appears under more than one id."],
    )
    .await;
    assert_eq!(watch.interrupt().await, Some(0));
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_refusal_ends_the_commands_with_the_reason() {
    let gateway = start(config());
    let url = gateway.url();
    let beacon = ["beacon", "--every", "60s", "--instance-id", "x"];
    for command in [&["watch"][..], &beacon] {
        let mut running = Running::start(&[command, &["--url", &url, "--token", "wrong"]].concat());
        line_with(
            &mut running.stderr,
            &["presence-gateway: refused: ", "token mismatch"],
        )
        .await;
        let status = within("the end", running.child.wait()).await.unwrap();
        assert_eq!(status.code(), Some(4), "{command:?}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn beacons_continue_after_a_restart() {
    let gateway = start(config());
    let (url, port) = (gateway.url(), gateway.address().port());
    let (mut reader, _) = Client::connect(gateway.address(), "reader", READ).await;
    let mut beacon = Running::start(&[
        "beacon",
        "--every",
        "5s",
        "--instance-id",
        "my-id",
        "--host",
        "studio",
        "--mode",
        "kiosk",
        "--url",
        &url,
        "--token",
        TOKEN,
    ]);
    line_with(&mut beacon.stderr, &["presence-gateway: live: ", &url]).await;
    // Each beacon is a separate change, and states its reason.
    for reason in ["launch", "periodic"] {
        let event = reader.event_named("presence").await;
        let row = row(&event["payload"]["presence"], "my-id");
        assert_eq!(
            (&row["reason"], &row["host"], &row["mode"]),
            (&reason.into(), &"studio".into(), &"kiosk".into())
        );
    }
    drop(reader);

    gateway.shutdown().await;
    line_with(&mut beacon.stderr, &["presence-gateway: retrying in ", " s: "]).await;
    let gateway = start_at(port);
    let (mut reader, hello) = Client::connect(gateway.address(), "reader", READ).await;
    let mut list = hello["snapshot"]["presence"].clone();
    while !list
        .as_array()
        .unwrap()
        .iter()
        .any(|row| row["instanceId"] == "my-id")
    {
        list = reader.event_named("presence").await["payload"]["presence"].clone();
    }
    assert_eq!(row(&list, "my-id")["reason"], "connect");
    line_with(&mut beacon.stderr, &["presence-gateway: live: ", &url]).await;
    assert_eq!(beacon.interrupt().await, Some(0));
    gateway.shutdown().await;
}

#[tokio::test]
async fn too_many_or_too_few_beacons_are_wrong_usage() {
    for (every, why) in [
        ("4999ms", "4999ms is less than 5s"),
        ("1441m", "1441m is more than 24h"),
    ] {
        let mut running = Running::start(&["beacon", "--every", every, "--instance-id", "x"]);
        line_with(&mut running.stderr, &["usage: --every: ", why]).await;
        let status = within("the end", running.child.wait()).await.unwrap();
        assert_eq!(status.code(), Some(2), "{every}");
    }
}
