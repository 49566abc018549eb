//! `serve --tokens`, and SIGHUP for it.
#![cfg(unix)]

use std::fs;

use rustix::process::Signal;

use super::*;
use crate::support::process::{line_with, signal};

const READER: &str = "[reader]\ntoken = \"for reading\"\nscopes = [\"operator.read\"]\n";

#[tokio::test]
async fn a_hangup_replaces_the_tokens_and_keeps_the_old_ones_if_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let file = path.to_str().unwrap();
    fs::write(&path, READER).unwrap();
    let mut child = program(&["serve", "--port", "0", "--token", "main", "--tokens", file])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut greeting = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = line_with(&mut greeting, "ws://").await;
    let (_, url) = line.split_once("ws://").unwrap();
    let url = format!("ws://{}", url.split_whitespace().next().unwrap());
    let list = |secret: &'static str| {
        let command = program(&["list", "--url", &url, "--token", secret]);
        run(command)
    };
    assert_eq!(list("for reading").await.code, 0);
    let accepted = line_with(&mut log, "accepted").await;
    assert!(accepted.contains("token=\"reader\""), "{accepted}");
    assert!(!accepted.contains("for reading"), "{accepted}");

    fs::write(&path, "[reader]\ntoken = \"for reading\"\nscope = []\n").unwrap();
    signal(&child, Signal::HUP);
    let line = line_with(&mut log, "the old tokens stay").await;
    for words in ["WARN", "failures=1", file, "line 3: unknown field `scope`"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert_eq!(list("for reading").await.code, 0);

    fs::write(&path, READER.replace("for reading", "another")).unwrap();
    signal(&child, Signal::HUP);
    line_with(&mut log, "the named tokens are read").await;
    assert_eq!(list("for reading").await.code, 4);
    assert_eq!(list("another").await.code, 0);

    // A secret that was refused is accepted once it is a token's.
    fs::write(&path, READER).unwrap();
    signal(&child, Signal::HUP);
    line_with(&mut log, "the named tokens are read").await;
    assert_eq!(list("for reading").await.code, 0);
    assert_eq!(list("another").await.code, 4);
    assert_eq!(list("main").await.code, 0);
    child.kill().await.unwrap();
}

#[tokio::test]
async fn tokens_that_are_wrong_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let file = path.to_str().unwrap();
    fs::write(&path, READER).unwrap();
    let refused = run(program(&["serve", "--auth", "none", "--tokens", file])).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .contains("--tokens: clients need no secret: remove --auth none"),
        "{}",
        refused.stderr
    );

    fs::write(&path, format!("{READER}expires = 1\n")).unwrap();
    let refused = run(program(&["serve", "--tokens", file])).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("line 4: "), "{}", refused.stderr);
    assert!(!refused.stderr.contains("for reading"), "{}", refused.stderr);

    // Named tokens suffice as secrets for listening beyond this machine.
    fs::write(&path, READER).unwrap();
    let mut gateway = program(&["serve", "--bind", "0.0.0.0", "--port", "0", "--tokens", file]);
    let (mut child, url) = started({
        gateway.stderr(Stdio::null());
        gateway
    })
    .await;
    assert!(!url.contains("token"), "{url}");
    child.kill().await.unwrap();
}

#[tokio::test]
async fn tables_of_the_configuration_file_are_tokens_and_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("presence.toml");
    let file = path.to_str().unwrap();
    let tables = format!(
        "token = \"main\"\nport = 0\n{}",
        READER.replace("[reader]", "[tokens.reader]")
    );
    fs::write(&path, &tables).unwrap();
    let mut child = program(&["serve", "--config", file])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut greeting = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = line_with(&mut greeting, "ws://").await;
    let (_, url) = line.split_once("ws://").unwrap();
    let url = format!("ws://{}", url.split_whitespace().next().unwrap());
    let list = |secret: &'static str| run(program(&["list", "--url", &url, "--token", secret]));
    assert_eq!(list("for reading").await.code, 0);

    fs::write(&path, tables.replace("scopes", "scope")).unwrap();
    signal(&child, Signal::HUP);
    let line = line_with(&mut log, "the old tokens stay").await;
    for words in ["--config: ", file, "line 5: unknown field `scope`"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert_eq!(list("for reading").await.code, 0);

    fs::write(&path, tables.replace("for reading", "another")).unwrap();
    signal(&child, Signal::HUP);
    line_with(&mut log, "the named tokens are read").await;
    assert_eq!(list("for reading").await.code, 4);
    assert_eq!(list("another").await.code, 0);
    assert_eq!(list("main").await.code, 0);
    child.kill().await.unwrap();

    // An error stops the start; the file of an option is used in place of the tables.
    fs::write(&path, format!("{tables}expires = 1\n")).unwrap();
    let refused = run(program(&["serve", "--config", file])).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("--config: ") && refused.stderr.contains("line 6: "),
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains("for reading"), "{}", refused.stderr);
    let other = folder.path().join("tokens.toml");
    fs::write(&other, READER).unwrap();
    let (mut child, _) = serve(&["serve", "--config", file, "--tokens", other.to_str().unwrap()]).await;
    child.kill().await.unwrap();
}

/// Landlock allows the folder that existed at the start, and not a new one with its name.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn tokens_in_a_folder_that_is_new_need_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let current = folder.path().join("current");
    let path = current.join("tokens.toml");
    let write = || {
        fs::create_dir(&current).unwrap();
        fs::write(&path, READER).unwrap();
    };
    write();
    let mut child = program(&["serve", "--port", "0", "--tokens", path.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let has_landlock = !line_with(&mut log, "listening").await.contains("sandbox=none");
    fs::rename(&current, folder.path().join("old")).unwrap();
    write();
    signal(&child, Signal::HUP);
    let line = line_with(&mut log, "SIGHUP: ").await;
    let words = if has_landlock {
        "if this one is new, restart the gateway); the old tokens stay"
    } else {
        "the named tokens are read"
    };
    assert!(line.contains(words), "{line}");
    child.kill().await.unwrap();
}
