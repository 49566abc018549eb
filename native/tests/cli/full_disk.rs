//! A full disk: a small file system of its own.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::Lines;
use tokio::process::ChildStderr;

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

/// A gateway with a small file system of its own.
struct Small {
    gateway: Child,
    log: Lines<BufReader<ChildStderr>>,
    address: SocketAddr,
    /// The small file system, for this process.
    disk: PathBuf,
}

/// A gateway with this option for a file of that name; none if this user cannot mount a file system.
async fn serve_on_small_disk(folder: &Path, option: &str, name: &str, more: &[&str]) -> Option<Small> {
    let may_mount = on_small_disk(folder, "true", &[]).output().await;
    if !may_mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this user cannot mount a file system");
        return None;
    }
    let file = folder.join(name);
    let arguments = [
        "serve",
        "--port",
        "0",
        "--token",
        support::TOKEN,
        option,
        file.to_str().unwrap(),
    ];
    let arguments = [&arguments, more].concat();
    let mut gateway = on_small_disk(folder, env!("CARGO_BIN_EXE_presence-gateway"), &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(gateway.stderr.take().unwrap()).lines();
    let mut greeting = BufReader::new(gateway.stdout.take().unwrap()).lines();
    let line = line_with(&mut greeting, "ws://").await;
    let (_, address) = line.split_once("ws://").unwrap();
    let address = address.split_whitespace().next().unwrap().parse().unwrap();
    let disk = PathBuf::from(format!("/proc/{}/root", gateway.id().unwrap()))
        .join(folder.strip_prefix("/").unwrap());
    Some(Small {
        gateway,
        log,
        address,
        disk,
    })
}

/// Fills the file system with a file, and returns its path.
fn fill(disk: &Path) -> PathBuf {
    let filler = disk.join("filler");
    let mut writer = std::fs::File::create(&filler).unwrap();
    while writer.write_all(&[0; 512]).is_ok() {}
    filler
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
    let Some(small) = serve_on_small_disk(folder.path(), "--history", "history.db", &[]).await else {
        return;
    };
    let Small {
        mut gateway,
        mut log,
        address,
        disk,
    } = small;
    within("the history", async {
        while !disk.join("history.db-wal").exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let filler = fill(&disk);

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

#[tokio::test]
async fn what_was_recorded_lately_survives_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--record-last", "10m"];
    let Some(mut small) = serve_on_small_disk(folder.path(), "--record", "recording", &more).await else {
        return;
    };
    let (client, _) = Client::connect(small.address, "studio", &["operator.read"]).await;
    let filler = fill(&small.disk);
    support::process::signal(&small.gateway, rustix::process::Signal::USR1);
    line_with(&mut small.log, "cannot be written, and stays in memory").await;
    std::fs::remove_file(&filler).unwrap();
    support::process::signal(&small.gateway, rustix::process::Signal::USR1);
    line_with(&mut small.log, "what was recorded lately is written").await;
    let recording = small.disk.join("recording");
    let output = run(program(&["replay", recording.to_str().unwrap(), "--json"])).await;
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["rows"].as_array().unwrap().len(), 2);
    drop(client);
    small.gateway.kill().await.unwrap();
}
