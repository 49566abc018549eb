//! The program as used by people and scripts.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod beacon;
mod doctor;
mod explain;
#[cfg(all(target_os = "linux", feature = "history"))]
mod full_disk;
#[cfg(all(unix, feature = "history"))]
mod history;
#[cfg(unix)]
mod install;
mod list;
mod observe;
#[cfg(unix)]
mod one_writer;
mod recording;
mod reload;
mod replay;
mod ring;
#[cfg(all(unix, feature = "cluster", feature = "history", feature = "webhook"))]
mod secrets;
#[cfg(all(unix, feature = "history"))]
mod seen;
mod serve;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tls.rs"]
mod support_tls;
#[cfg(unix)]
mod systemd;
mod tls;
#[cfg(unix)]
mod tmux;
mod tokens;
#[cfg(all(unix, feature = "webhook"))]
mod webhook;

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use support::{Client, config, row, start, start_manual, within};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

struct Output {
    code: i32,
    stdout: String,
    stderr: String,
}

/// The program without the developer's environment.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence-gateway"));
    command
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(mut command: Command) -> Output {
    let output = within("the program", command.output()).await.unwrap();
    Output {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A gateway process and the URL it printed.
async fn serve(arguments: &[&str]) -> (Child, String) {
    started(program(arguments)).await
}

/// The process of this command for a gateway, and the URL it printed.
async fn started(mut gateway: Command) -> (Child, String) {
    let mut child = gateway
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = loop {
        let line = within("the URL", lines.next_line())
            .await
            .unwrap()
            .expect("the gateway ended");
        if let Some((_, url)) = line.split_once("open ") {
            break url.trim().to_owned();
        }
    };
    (child, url)
}

fn client<'a>(command: &'a str, url: &'a str) -> Vec<&'a str> {
    vec![command, "--url", url, "--token", support::TOKEN]
}
