//! A history whose disk is full, on a small file system of its own.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::*;
use crate::support::process::line_with;
use crate::support::raw_http;

/// Mounts a file system of 256 KiB over the folder `$0`, visible to this process only, and runs the command after it.
const SMALL_DISK: &str = "mount -t tmpfs -o size=256k none \"$0\" && exec \"$@\"";

fn on_small_disk(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK])
        .arg(folder)
        .arg(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn readiness(address: SocketAddr, words: &str) {
    let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    within(words, async {
        while !raw_http(address, request).await.contains(words) {}
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_is_logged_once_and_the_gateway_continues() {
    let folder = tempfile::tempdir().unwrap();
    let may_mount = on_small_disk(folder.path(), "true", &[]).output().await;
    if !may_mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user cannot mount a file system");
        return;
    }
    let file = folder.path().join("history.db");
    let arguments = [
        "serve",
        "--port",
        "0",
        "--token",
        support::TOKEN,
        "--history",
        file.to_str().unwrap(),
    ];
    let mut gateway = on_small_disk(folder.path(), env!("CARGO_BIN_EXE_presence-gateway"), &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(gateway.stderr.take().unwrap()).lines();
    let mut greeting = BufReader::new(gateway.stdout.take().unwrap()).lines();
    let line = line_with(&mut greeting, "ws://").await;
    let (_, address) = line.split_once("ws://").unwrap();
    let address: SocketAddr = address.split_whitespace().next().unwrap().parse().unwrap();
    // The path for that process.
    let disk = PathBuf::from(format!("/proc/{}/root", gateway.id().unwrap()))
        .join(folder.path().strip_prefix("/").unwrap());
    within("the history", async {
        while !disk.join("history.db-wal").exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let filler = disk.join("filler");
    let mut writer = std::fs::File::create(&filler).unwrap();
    while writer.write_all(&[0; 512]).is_ok() {}

    let mut clients = Vec::new();
    for number in 0..3 {
        let name = format!("tab-{number}");
        let (mut client, _) = Client::connect(address, &name, &["operator.read"]).await;
        readiness(address, "its disk is full").await;
        let list = client.request("system-presence", Value::Null).await;
        assert_eq!(row(&list["payload"], &name)["reason"], "connect");
        clients.push(client);
    }
    std::fs::remove_file(&filler).unwrap();
    drop(writer);
    readiness(address, r#""status":"ready""#).await;
    let line = line_with(&mut log, "its disk is full").await;
    assert!(line.contains("WARN"), "{line}");
    // The next line about it is the last.
    loop {
        let line = line_with(&mut log, "history").await;
        assert!(!line.contains("its disk is full"), "{line}");
        if line.contains("is written again") {
            assert!(line.contains("lost=0"), "{line}");
            break;
        }
    }
    let url = format!("ws://{address}");
    let output = run(program(&[&client("history", &url)[..], &["--json"]].concat())).await;
    for number in 0..3 {
        assert!(
            output.stdout.contains(&format!("\"tab-{number}\"")),
            "{}",
            output.stdout
        );
    }
    gateway.kill().await.unwrap();
}
