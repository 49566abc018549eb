//! SIGHUP reads the certificate again.
#![cfg(unix)]

use rustix::process::Signal;
use tokio::io::Lines;
use tokio::process::ChildStderr;

use super::tls::{pair, serve_with};
use super::*;
use crate::support::process::{line_with, signal};
use crate::support::raw_http;
use crate::support_tls::Authority;

/// A gateway with this configuration file, and the lines of its log.
fn logging(authority: &Authority, text: &str, key: &Path) -> (Child, Lines<BufReader<ChildStderr>>) {
    authority.write("gateway.toml", text);
    let config = format!("--config={}", authority.path("gateway.toml").display());
    let mut child = serve_with(&[config])
        .env("OPENCLAW_GATEWAY_TLS_KEY", key)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(child.stderr.take().unwrap()).lines();
    (child, log)
}

async fn has_landlock(log: &mut Lines<BufReader<ChildStderr>>) -> bool {
    !line_with(log, "listening").await.contains("sandbox=none")
}

#[tokio::test]
async fn a_hangup_reads_the_certificate_again_and_keeps_the_old_one_if_that_fails() {
    let authority = Authority::new();
    authority.issue(&["localhost"], |_| {});
    let [_, cert_path, _, key_path] = pair(&authority);
    // The file has the options, too.
    let text = format!("tls-cert = {cert_path:?}\nhsts = 60\nmetrics-bind = \"127.0.0.1:0\"\n");
    let (mut child, mut log) = logging(&authority, &text, Path::new(&key_path));
    let line = line_with(&mut log, "metrics are answered").await;
    let metrics = line.split_once("address=").unwrap().1.trim().parse().unwrap();
    let first = line_with(&mut log, "connections are encrypted").await;
    let private = std::fs::read_to_string(&key_path).unwrap();
    authority.write("key.pem", "nothing");
    for failures in 1..3 {
        signal(&child, Signal::HUP);
        let line = line_with(&mut log, "the old certificate stays").await;
        let count = format!("failures={failures}");
        for words in ["WARN", &count, "--tls-key: ", &key_path] {
            assert!(line.contains(words), "{words}: {line}");
        }
    }
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = raw_http(metrics, request).await;
    assert!(
        answer.contains("\npresence_reload_failures_total 2\n"),
        "{answer}"
    );
    authority.write("key.pem", &private);
    signal(&child, Signal::HUP);
    let line = line_with(&mut log, "the certificate is read").await;
    let fingerprint = line.split_once("fingerprint=").unwrap().1.trim();
    assert!(
        fingerprint.starts_with("sha256:") && first.contains(fingerprint),
        "{first} {line}"
    );
    child.kill().await.unwrap();
}

/// Also under Landlock, with which `serve` can open only files in the folders that hold the pair or a link to it.
#[tokio::test]
async fn a_renewed_certificate_behind_new_links_is_read() {
    use std::os::unix::fs::symlink;

    let authority = Authority::new();
    let issue = |folder: &str| {
        authority.issue(&["localhost"], |_| {});
        std::fs::create_dir_all(authority.path(folder)).unwrap();
        for name in ["cert.pem", "key.pem"] {
            std::fs::rename(authority.path(name), authority.path(folder).join(name)).unwrap();
        }
    };
    let relink = |target: &str, link: &str| {
        let _ = std::fs::remove_file(authority.path(link));
        symlink(target, authority.path(link)).unwrap();
    };
    // `live/cert.pem` is a link to a file elsewhere, and the key is behind a link to a folder.
    std::fs::create_dir_all(authority.path("live")).unwrap();
    issue("versions/1");
    std::fs::create_dir_all(authority.path("archive")).unwrap();
    std::fs::copy(
        authority.path("versions/1/cert.pem"),
        authority.path("archive/cert1.pem"),
    )
    .unwrap();
    relink("../archive/cert1.pem", "live/cert.pem");
    relink("versions/1", "current");
    let text = format!("tls-cert = {:?}\n", authority.path("live/cert.pem"));
    let (mut child, mut log) = logging(&authority, &text, &authority.path("current/key.pem"));
    if !has_landlock(&mut log).await {
        eprintln!("skipped in part: without Landlock, every file can be read");
    }
    let first = line_with(&mut log, "connections are encrypted").await;
    issue("versions/2");
    std::fs::copy(
        authority.path("versions/2/cert.pem"),
        authority.path("archive/cert2.pem"),
    )
    .unwrap();
    relink("../archive/cert2.pem", "live/cert.pem");
    relink("versions/2", "current");
    signal(&child, Signal::HUP);
    let line = line_with(&mut log, "SIGHUP: ").await;
    let fingerprint = line.split_once("fingerprint=").expect("it is read").1.trim();
    assert!(!first.contains(fingerprint), "{first} {line}");
    child.kill().await.unwrap();
}

/// Landlock allows the folder that existed at the start, and not a new one with its name.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_certificate_in_a_folder_that_is_new_needs_a_restart() {
    let authority = Authority::new();
    let issue = || {
        authority.issue(&["localhost"], |_| {});
        std::fs::create_dir(authority.path("pair")).unwrap();
        for name in ["cert.pem", "key.pem"] {
            std::fs::rename(authority.path(name), authority.path("pair").join(name)).unwrap();
        }
    };
    issue();
    let text = format!("tls-cert = {:?}\n", authority.path("pair/cert.pem"));
    let (mut child, mut log) = logging(&authority, &text, &authority.path("pair/key.pem"));
    let has_landlock = has_landlock(&mut log).await;
    if !has_landlock {
        eprintln!("skipped in part: without Landlock, a new folder can be read");
    }
    line_with(&mut log, "connections are encrypted").await;
    std::fs::rename(authority.path("pair"), authority.path("old")).unwrap();
    issue();
    signal(&child, Signal::HUP);
    let line = line_with(&mut log, "SIGHUP: ").await;
    let words = if has_landlock {
        "if this one is new, restart the gateway"
    } else {
        "the certificate is read"
    };
    assert!(line.contains(words), "{line}");
    child.kill().await.unwrap();
}
