//! The `curl` lines of docs/http.md are run.

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use presence_gateway::{AuthMode, Secret};
use support::{TOKEN, config_with, raw_http, row, start};

#[test]
fn the_lines_of_the_documentation_work() {
    let documentation = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/http.md");
    let text = std::fs::read_to_string(documentation).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(lines.len() >= 5, "{lines:?}");
    if Command::new("curl").arg("--version").output().is_err() {
        return eprintln!("skipped: there is no curl");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let gateway = runtime.block_on(async {
        start(config_with(|config| {
            config.auth = AuthMode::Token(Secret::new(TOKEN).unwrap());
        }))
    });
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", gateway.address());
    let (at, lines_of) = (
        folder.path().to_owned(),
        lines.iter().map(|line| (*line).to_owned()),
    );
    let lines: Vec<String> = lines_of.collect();
    let shell = std::thread::spawn(move || {
        for line in &lines {
            let mut command = Command::new("/bin/sh");
            command
                .args(["-c", &format!("exec {line}")])
                .env("GATEWAY", &url)
                .env("TOKEN", TOKEN)
                .env("LAST", "0-0")
                .current_dir(&at);
            if line.contains("/stream") {
                let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
                let events = BufReader::new(child.stdout.take().unwrap());
                let mut names = events.lines().map(Result::unwrap);
                assert!(names.any(|line| line == "event: presence.snapshot"), "{line}");
                child.kill().unwrap();
                child.wait().unwrap();
                continue;
            }
            let output = command.output().unwrap();
            assert!(output.status.success(), "{line}: {output:?}");
        }
    });
    runtime.block_on(async {
        while !shell.is_finished() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let list = format!(
            "GET /api/presence HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        );
        let answer = raw_http(gateway.address(), &list).await;
        let rows = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(row(&rows, "nas-backup")["host"], "nas", "{rows}");
        gateway.shutdown().await;
    });
    shell.join().unwrap();
    assert!(folder.path().join("presence.json").exists());
}
