//! The service manager: readiness, its watchdog, and sockets that it opens.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::UnixDatagram;

use super::*;

async fn notification(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 512];
    let len = within("the service manager's message", manager.recv(&mut buffer))
        .await
        .unwrap();
    String::from_utf8_lossy(&buffer[..len]).trim().to_owned()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_manager_is_notified_of_the_start_of_life_and_of_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let mut child = program(&["serve", "--port", "0"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "100000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(notification(&manager).await, "READY=1");
    for _ in 0..3 {
        assert_eq!(notification(&manager).await, "WATCHDOG=1");
    }
    let id = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    while notification(&manager).await != "STOPPING=1" {}
    assert!(within("the end", child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn without_a_watchdog_none_is_fed_and_a_manager_that_is_gone_is_no_obstacle() {
    let mut gateway = program(&["serve", "--port", "0"]);
    gateway.env("NOTIFY_SOCKET", "/nonexistent/notify");
    let (mut child, url) = started(gateway).await;
    let list = run(program(&["list", "--url", &url])).await;
    assert_eq!(list.code, 0, "{}", list.stderr);
    child.kill().await.unwrap();
}

/// `serve` with these arguments, and a socket that listens as its third open file after stdin to stderr.
fn activated(socket: impl Into<OwnedFd>, arguments: &str) -> Command {
    activated_as("LISTEN_FDS=1 LISTEN_PID=$$", socket, arguments)
}

/// The same with other variables.
fn activated_as(variables: &str, socket: impl Into<OwnedFd>, arguments: &str) -> Command {
    let gateway = env!("CARGO_BIN_EXE_presence-gateway");
    let script = format!("exec 3<&0 0</dev/null; export {variables}; exec '{gateway}' serve {arguments}");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]).env_clear().kill_on_drop(true);
    command.stdin(Stdio::from(socket.into()));
    command
}

fn listener(address: &str) -> (std::net::TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn the_sockets_of_the_manager_are_used() {
    let (socket, address) = listener("127.0.0.1:0");
    // The connection waits in the socket's queue until the gateway accepts it.
    let early = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut child, url) = started(activated(socket, "")).await;
    assert!(url.starts_with(&format!("http://{address}/#token=")), "{url}");
    let list = run(program(&["list", "--url", &url])).await;
    assert_eq!(list.code, 0, "{}", list.stderr);
    let (mut read, mut write) = early.into_split();
    write
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    within("the answer", read.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    child.kill().await.unwrap();
}

#[tokio::test]
async fn sockets_that_do_not_fit_stop_the_start() {
    let everywhere = || listener("0.0.0.0:0").0.into();
    let local = || listener("127.0.0.1:0").0.into();
    let (datagrams, _other) = std::os::unix::net::UnixDatagram::pair().unwrap();
    let bound = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    rustix::net::bind(&bound, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let cases: [(OwnedFd, &str, i32, &str); 5] = [
        (
            everywhere(),
            "",
            2,
            "refusing to listen beyond this machine without a secret",
        ),
        (
            local(),
            "--port 18789",
            2,
            "usage: --port has no meaning with the socket",
        ),
        (
            local(),
            "--bind lan",
            2,
            "usage: --bind has no meaning with the socket",
        ),
        (
            datagrams.into(),
            "",
            1,
            "failed: socket 0 of the service manager is not a TCP socket",
        ),
        (bound, "", 1, "it is bound, but does not listen"),
    ];
    for (socket, arguments, code, words) in cases {
        let refused = run(activated(socket, arguments)).await;
        assert_eq!(refused.code, code, "{arguments}: {}", refused.stderr);
        assert!(refused.stderr.contains(words), "{arguments}: {}", refused.stderr);
    }
    let refused = run(activated_as("LISTEN_FDS=one LISTEN_PID=$$", local(), "")).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .contains("LISTEN_FDS: `one` is not a number of sockets"),
        "{}",
        refused.stderr
    );
}
