//! `serve --history` and `history`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::json;

use super::*;

/// Rounds of the kills; `HISTORY_KILLS=20` for the full test.
const ROUNDS: u64 = 4;

pub(super) async fn keeping(folder: &Path, more: &[&str]) -> (Child, SocketAddr, PathBuf) {
    let file = folder.join("history.db");
    let arguments = [
        "--port",
        "0",
        "--token",
        support::TOKEN,
        "--history",
        file.to_str().unwrap(),
    ];
    let (gateway, url) = serve(&[&arguments, more].concat()).await;
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    (gateway, address.parse().unwrap(), file)
}

pub(super) async fn stop(mut gateway: Child) {
    support::process::signal(&gateway, Signal::TERM);
    within("the end", gateway.wait()).await.unwrap();
}

/// Returns the output of `history FILE --json`, once the gateway created the history.
pub(super) async fn read(file: &Path, more: &[&str]) -> Value {
    let read = async {
        loop {
            let output = run(program(
                &[&["history", file.to_str().unwrap(), "--json"], more].concat(),
            ))
            .await;
            if output.code == 1 && output.stderr.contains("it is no history yet") {
                continue;
            }
            assert_eq!((output.code, &*output.stderr), (0, ""));
            return serde_json::from_str(&output.stdout).unwrap();
        }
    };
    within("the history", read).await
}

/// Waits until a session of that key satisfies `is_wanted`.
pub(super) async fn session(file: &Path, key: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let found = async {
        loop {
            let page = read(file, &["--instance", key]).await;
            let sessions = page["sessions"].as_array().unwrap();
            if let Some(found) = sessions.iter().find(|session| is_wanted(session)) {
                return found.clone();
            }
        }
    };
    within("the session", found).await
}

#[tokio::test]
async fn a_history_lists_who_was_connected_and_when() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, address, file) = keeping(folder.path(), &[]).await;
    let (client, _) = Client::connect(address, "studio-9", &["operator.read"]).await;
    let live = session(&file, "studio-9", |session| session["to"].is_null()).await;
    assert_eq!((&live["connected"], live["why"].is_null()), (&json!(true), true));
    drop(client);
    let closed = session(&file, "studio-9", |session| session["to"].is_u64()).await;
    assert_eq!(
        (&closed["from"], &closed["why"]),
        (&live["from"], &json!("closed"))
    );
    let (_second, _) = Client::connect(address, "tab-2", &["operator.read"]).await;
    session(&file, "tab-2", |session| session["to"].is_null()).await;
    stop(gateway).await;
    let page = read(&file, &[]).await;
    for session in page["sessions"].as_array().unwrap() {
        assert!(session["to"].is_u64(), "{page}");
        let why = if session["key"] == "studio-9" {
            "closed"
        } else {
            "stopped"
        };
        assert_eq!(session["why"], why, "{page}");
    }
    assert_eq!(page["instances"]["studio-9"]["instanceId"], "studio-9");
    assert!(page["instances"]["studio-9"].get("ts").is_none());

    let table = run(program(&["history", file.to_str().unwrap()])).await;
    assert!(
        table.stdout.starts_with("HOST") && table.stdout.lines().count() == 4,
        "{}",
        table.stdout
    );
    let csv = run(program(&[
        "history",
        file.to_str().unwrap(),
        "--csv",
        "--limit",
        "1",
    ]))
    .await;
    let lines: Vec<&str> = csv.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", csv.stdout);
    assert!(
        lines[1].starts_with("tab-2,") && lines[1].ends_with(",true,stopped"),
        "{}",
        csv.stdout
    );
    let none = run(program(&["history", file.to_str().unwrap(), "--since", "0s"])).await;
    assert_eq!(none.stdout, "No sessions.\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    assert!(!text.contains(support::TOKEN));
}

#[tokio::test]
async fn a_gateway_answers_from_its_history() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, address, file) = keeping(folder.path(), &[]).await;
    let (mut reader, hello) = Client::connect(address, "reader", &["operator.read"]).await;
    let methods = hello["features"]["methods"].as_array().unwrap();
    assert!(methods.contains(&json!("presence.history")), "{hello}");
    drop(Client::connect(address, "tab-2", &["operator.read"]).await);
    session(&file, "tab-2", |session| session["to"].is_u64()).await;
    let page = reader
        .request("presence.history", json!({ "instance": "TAB-2" }))
        .await;
    let sessions = page["payload"]["sessions"].as_array().unwrap();
    assert_eq!(
        (sessions.len(), &sessions[0]["why"]),
        (1, &json!("closed")),
        "{page}"
    );
    let first = reader.request("presence.history", json!({ "limit": 1 })).await;
    let cursor = &first["payload"]["next"];
    let second = reader
        .request("presence.history", json!({ "limit": 1, "cursor": cursor }))
        .await;
    assert_ne!(first["payload"]["sessions"], second["payload"]["sessions"]);
    let wrong = reader
        .request("presence.history", json!({ "since": "yesterday" }))
        .await;
    assert_eq!(wrong["error"]["code"], "INVALID_REQUEST");
    let greedy = reader.request("presence.history", json!({ "limit": 501 })).await;
    assert_eq!(
        greedy["error"]["message"],
        "invalid presence.history params: at /limit: must be <= 500"
    );
    let (mut writer, _) = Client::connect(address, "writer", &["operator.pairing"]).await;
    let refused = writer.request("presence.history", json!({})).await;
    assert_eq!(refused["ok"], false, "{refused}");

    let url = format!("ws://{address}");
    let table = run(program(
        &[&*client("history", &url), &["--instance", "tab-2"]].concat(),
    ))
    .await;
    assert!(
        table.stdout.lines().count() == 2 && table.stdout.contains("closed"),
        "{table:?}",
        table = table.stdout
    );
    let list = run(program(&client("list", &url))).await;
    assert!(!list.stdout.contains("GONE"), "{}", list.stdout);
    drop(Client::connect(address, "tab-3", &["operator.read"]).await);
    session(&file, "tab-3", |session| session["to"].is_u64()).await;
    // Rows that left are listed for a while; the history of another run has clients that no list has.
    stop(gateway).await;
    let (gateway, address, _) = keeping(folder.path(), &[]).await;
    let url = format!("ws://{address}");
    let seen = run(program(&[&*client("list", &url), &["--seen"]].concat())).await;
    let line = seen.stdout.lines().find(|line| line.contains("tab-3"));
    assert!(
        line.is_some_and(|line| line.contains("closed")),
        "{} {}",
        seen.stdout,
        seen.stderr
    );
    stop(gateway).await;

    let (gateway, url) = serve(&["--port", "0", "--token", support::TOKEN]).await;
    let off = run(program(&client("history", &url))).await;
    assert_eq!(off.code, 1);
    assert!(
        off.stderr.contains("the gateway writes no history"),
        "{}",
        off.stderr
    );
    stop(gateway).await;
}

#[tokio::test]
async fn a_history_that_cannot_be_written_is_named_and_the_gateway_serves() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    std::fs::write(
        &file,
        "not a database, but long enough to look like one ".repeat(100),
    )
    .unwrap();
    let before = std::fs::read(&file).unwrap();
    let (gateway, address, _) = keeping(folder.path(), &[]).await;
    let (mut client, _) = Client::connect(address, "studio-9", &["operator.read"]).await;
    let list = client.request("system-presence", json!({})).await;
    assert_eq!(list["payload"].as_array().unwrap().len(), 2);
    let ready = within("the degraded state", async {
        loop {
            let ready = get(address, "/readyz").await;
            if ready.contains("degraded") {
                return ready;
            }
        }
    })
    .await;
    assert!(
        ready.contains("not an SQLite database") && ready.contains(r#""ready":true"#),
        "{ready}"
    );
    stop(gateway).await;
    assert_eq!(std::fs::read(&file).unwrap(), before);

    let missing = run(program(&[
        "serve",
        "--port",
        "0",
        "--history",
        "/no/such/folder/history.db",
    ]))
    .await;
    assert_eq!(missing.code, 1);
    assert!(
        missing.stderr.contains("--history: cannot use /no/such/folder"),
        "{}",
        missing.stderr
    );
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_lock_of_another_program_loses_no_session() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, address, file) = keeping(folder.path(), &[]).await;
    session(&file, "self", |session| session["to"].is_null()).await;
    let other = rusqlite::Connection::open(&file).unwrap();
    within("the lock", async {
        while other.execute_batch("BEGIN IMMEDIATE").is_err() {}
    })
    .await;
    drop(Client::connect(address, "tab-1", &["operator.read"]).await);
    let (_stays, _) = Client::connect(address, "tab-2", &["operator.read"]).await;
    let answer = |words: &'static str| async move {
        loop {
            let ready = get(address, "/readyz").await;
            if ready.contains(words) {
                return;
            }
        }
    };
    within("the degraded state", answer("holds a lock")).await;
    other.execute_batch("COMMIT").unwrap();
    within("the end of the degraded state", answer(r#""status":"ready""#)).await;
    let gone = session(&file, "tab-1", |session| session["to"].is_u64()).await;
    assert_eq!(gone["why"], "closed");
    session(&file, "tab-2", |session| session["to"].is_null()).await;
    stop(gateway).await;
}

/// The sessions of a page by key and start.
fn names(page: &Value) -> BTreeSet<(String, u64)> {
    let sessions = page["sessions"].as_array().unwrap();
    let name = |session: &Value| {
        let key = session["key"].as_str().unwrap().to_owned();
        (key, session["from"].as_u64().unwrap())
    };
    sessions.iter().map(name).collect()
}

#[tokio::test]
async fn kills_lose_no_session_that_was_committed() {
    let rounds = std::env::var("HISTORY_KILLS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut committed = BTreeSet::new();
    for round in 0..rounds {
        let (mut gateway, address, file) = keeping(folder.path(), &[]).await;
        let load = tokio::spawn(async move {
            for number in 0.. {
                let id = format!("client-{round}-{number}");
                // Until the gateway is killed.
                let Ok(client) = tokio::time::timeout(
                    std::time::Duration::from_secs(1),
                    Client::connect(address, &id, &["operator.read"]),
                )
                .await
                else {
                    return;
                };
                if number % 3 > 0 {
                    drop(client);
                }
            }
        });
        // The history is read several times while it is written.
        let page = within("sessions of this round", async {
            loop {
                let page = read(&file, &["--limit", "100000"]).await;
                let of_round = format!("client-{round}-");
                let fresh = names(&page)
                    .iter()
                    .filter(|(key, _)| key.starts_with(&of_round))
                    .count();
                if fresh > 5 {
                    return page;
                }
            }
        })
        .await;
        gateway.kill().await.unwrap();
        load.abort();
        committed.extend(names(&page));
        let after = read(&file, &["--limit", "100000"]).await;
        let missing: Vec<_> = committed.difference(&names(&after)).cloned().collect();
        assert!(missing.is_empty(), "round {round}: {missing:?}");
    }
    let (gateway, _, file) = keeping(folder.path(), &[]).await;
    stop(gateway).await;
    let page = read(&file, &["--limit", "100000"]).await;
    let sessions = page["sessions"].as_array().unwrap();
    assert!(sessions.iter().all(|session| session["to"].is_u64()), "{page}");
    let crashed = |session: &&Value| session["key"] == "SELF" && session["why"] == "crashed";
    assert_eq!(sessions.iter().filter(crashed).count() as u64, rounds);
}

#[tokio::test]
async fn a_history_moved_during_writing_keeps_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, address, file) = keeping(folder.path(), &[]).await;
    let (early, _) = Client::connect(address, "early", &["operator.read"]).await;
    session(&file, "early", |_| true).await;
    let moved = folder.path().join("moved.db");
    std::fs::rename(&file, &moved).unwrap();
    let (mut late, _) = Client::connect(address, "late", &["operator.read"]).await;
    within("the new file", async {
        while !file.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // Clients that are still connected are in both.
    session(&file, "late", |_| true).await;
    session(&file, "early", |session| session["to"].is_null()).await;
    session(&moved, "early", |_| true).await;
    let own = json!({ "instance": "late" });
    let page = late.request("presence.history", own).await;
    assert_eq!(page["payload"]["sessions"].as_array().unwrap().len(), 1, "{page}");
    drop(early);
    session(&file, "early", |session| session["why"] == "closed").await;
    let refused = late.request("presence.history", json!({ "cursor": "x" })).await;
    assert_eq!(
        refused["error"]["message"],
        "invalid presence.history params: at /cursor: must be the `next` of a page"
    );
    stop(gateway).await;
    // No file of the moved history is left under the old name.
    assert!(!read(&moved, &[]).await["sessions"].as_array().unwrap().is_empty());
    let sessions = read(&file, &[]).await["sessions"].as_array().unwrap().len();
    assert_eq!(sessions, 3);
}

#[cfg(unix)]
#[tokio::test]
async fn a_device_is_no_history() {
    let output = run(program(&["history", "/dev/null"])).await;
    let stderr = &*output.stderr;
    assert_eq!(output.code, 1, "{stderr}");
    assert!(stderr.contains("it is not a regular file"), "{stderr}");
}
