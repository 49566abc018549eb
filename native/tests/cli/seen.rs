//! `list --seen`: the clients that are gone.

use super::history::{keeping, read, session, stop};
use super::*;

/// Adds 600 clients that were here for a second each, and one that was here for 20 days and left after all of them.
const CLIENTS: &str = r#"
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 600)
INSERT INTO instances (key, facts) SELECT 'short-' || n, '{}' FROM numbers;
INSERT INTO sessions (instance, from_ms, to_ms, seen_ms, connected, why)
SELECT id, begin_ms, begin_ms + 1000, begin_ms + 1000, 1, 'closed'
FROM (SELECT id, (unixepoch() - 7200 + id) * 1000 AS begin_ms FROM instances WHERE key LIKE 'short-%');

INSERT INTO instances (key, facts) VALUES ('long', '{"host":"studio"}');
INSERT INTO sessions (instance, from_ms, to_ms, seen_ms, connected, why)
SELECT id, (unixepoch() - 20 * 86400) * 1000, (unixepoch() - 60) * 1000, (unixepoch() - 60) * 1000, 1, 'closed'
FROM instances WHERE key = 'long';
"#;

#[tokio::test]
async fn all_clients_that_are_gone_are_listed_once_the_latest_first() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, _, file) = keeping(folder.path(), &[]).await;
    read(&file, &[]).await;
    stop(gateway).await;
    let history = rusqlite::Connection::open(&file).unwrap();
    history.execute_batch(CLIENTS).unwrap();
    drop(history);

    let (gateway, address, _) = keeping(folder.path(), &[]).await;
    // It is still listed, as Left.
    drop(Client::connect(address, "left", &["operator.read"]).await);
    session(&file, "left", |session| session["to"].is_u64()).await;
    let url = format!("ws://{address}");
    let seen = run(program(&[&*client("list", &url), &["--seen"]].concat())).await;
    assert_eq!((seen.code, &*seen.stderr), (0, ""));
    let (rows, gone) = seen.stdout.split_once("\n\n").unwrap();
    assert!(rows.contains("Left"), "{rows}");
    let lines: Vec<Vec<&str>> = gone
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[1].first(), Some(&"studio"), "{gone}");
    let keys: Vec<&str> = lines[1..]
        .iter()
        .filter_map(|words| words.last().copied())
        .collect();
    let short = (1..=600).rev().map(|n| format!("short-{n}"));
    let wanted: Vec<String> = std::iter::once("long".to_owned()).chain(short).collect();
    assert_eq!(keys, wanted);
    stop(gateway).await;
}
