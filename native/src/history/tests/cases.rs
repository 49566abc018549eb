//! Single cases of the tracker and of the database.

use std::collections::BTreeSet;
use std::path::Path;

use presence_core::roster::{RowChanges, RowEvent, RowState, Stay, StayEnd};
use presence_core::wire::history::HistoryQuery;

use super::super::op::{Op, Session};
use super::super::page::PastSession;
use super::super::query::Reader;
use super::super::store::{SCHEMA_VERSION, Store, StoreError};
use super::super::tracker::{LOST, STATED, STOPPED, Tracker};
use super::read_all;

fn state(key: &str, stay: Option<u64>, seen_ms: u64) -> RowState {
    RowState {
        key: key.to_owned(),
        entry: format!(r#"{{"host":"{key}","ts":{seen_ms}}}"#).into(),
        stay: stay.map(|id| Stay {
            id,
            since_ms: 1_000 + id,
        }),
        has_left: false,
        seen_ms,
    }
}

fn changes(rows: Vec<RowState>, is_whole: bool) -> RowChanges {
    RowChanges {
        rows,
        is_whole,
        ..RowChanges::default()
    }
}

/// The state that these ops leave, as `key from to seen why`.
fn written(ops: &[Op]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    Store::open(&path, "crashed").unwrap().write(ops).unwrap();
    let sessions = read_all(&path, 100);
    let line = |session: &PastSession| {
        let to = session.to.map_or_else(|| "-".to_owned(), |to| to.to_string());
        let why = session.why.as_deref().unwrap_or("-");
        format!(
            "{} {} {to} {} {why} {:?}",
            session.key, session.from, session.seen, session.silences
        )
    };
    sessions.iter().map(line).collect()
}

#[test]
fn silences_of_beacons_are_kept_from_two_minutes_on() {
    let mut tracker = Tracker::default();
    let mut ops = Vec::new();
    for seen_ms in [10_000, 130_000, 251_000] {
        ops.extend(tracker.apply(changes(vec![state("a", None, seen_ms)], false), seen_ms));
    }
    ops.extend(tracker.end(300_000));
    assert_eq!(
        written(&ops),
        ["a 10000 300000 251000 stopped [(130000, 251000)]"]
    );
}

#[test]
fn lost_sessions_end_at_the_last_proof_of_life() {
    let mut tracker = Tracker::default();
    let mut ops = tracker.apply(
        changes(vec![state("a", Some(1), 2_000), state("b", Some(2), 2_000)], true),
        40_000,
    );
    // `a` connected again; `b` is gone without an event.
    ops.extend(tracker.apply(changes(vec![state("a", Some(90_000), 95_000)], true), 95_000));
    assert_eq!(
        written(&ops),
        [
            "a 91000 - 95000 - []",
            "b 1002 40000 40000 lost []",
            "a 1001 40000 40000 lost []"
        ]
    );
    assert_eq!((LOST, STATED, STOPPED), ("lost", "stated", "stopped"));
}

/// A client that only sends beacons leaves by a beacon too, and may return.
#[test]
fn a_session_that_a_beacon_ends_is_stated() {
    for is_whole in [false, true] {
        let mut tracker = Tracker::default();
        let mut ops = tracker.apply(changes(vec![state("a", None, 2_000)], true), 2_000);
        let mut left = state("a", None, 150_000);
        left.has_left = true;
        // The second time is a change of another member.
        for _ in 0..2 {
            ops.extend(tracker.apply(changes(vec![left.clone()], is_whole), 150_100));
        }
        ops.extend(tracker.apply(changes(vec![state("a", None, 160_000)], false), 160_000));
        let end = if is_whole {
            "a 2000 2000 2000 lost []"
        } else {
            "a 2000 150000 150000 stated [(2000, 150000)]"
        };
        assert_eq!(written(&ops), ["a 160000 - 160000 - []", end]);
    }
}

#[test]
fn a_session_follows_its_row_to_another_key() {
    let mut tracker = Tracker::default();
    let mut ops = tracker.apply(changes(vec![state("host", Some(1), 2_000)], true), 2_000);
    let renamed = RowEvent::Renamed {
        from: "host".into(),
        to: "id".into(),
    };
    let ended = RowEvent::Ended {
        key: "id".into(),
        stay: None,
        seen_ms: 4_000,
        at_ms: 5_000,
        why: StayEnd::Silent,
        entry: None,
    };
    let events = vec![renamed, ended];
    let changes = RowChanges {
        events,
        ..RowChanges::default()
    };
    ops.extend(tracker.apply(changes, 5_000));
    assert_eq!(written(&ops), ["id 1001 5000 4000 silent []"]);
}

fn open(key: &str, from_ms: u64) -> Op {
    Op::Open {
        session: Session::new(key, from_ms),
        seen_ms: from_ms,
        is_connected: true,
    }
}

fn close(key: &str, from_ms: u64, to_ms: u64) -> Op {
    Op::Close {
        session: Session::new(key, from_ms),
        to_ms,
        seen_ms: to_ms,
        why: "closed",
    }
}

#[test]
fn sessions_of_a_process_that_crashed_end_at_their_last_proof_of_life() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let mut store = Store::open(&path, "crashed").unwrap();
    store
        .write(&[open("a", 1_000), Op::Alive { at_ms: 31_000 }])
        .unwrap();
    drop(store);
    Store::open(&path, "crashed").unwrap();
    let sessions = read_all(&path, 10);
    assert_eq!(
        (sessions[0].to, sessions[0].why.as_deref()),
        (Some(31_000), Some("crashed"))
    );
    // The same session again goes on.
    Store::open(&path, "crashed")
        .unwrap()
        .write(&[open("a", 1_000)])
        .unwrap();
    assert_eq!((read_all(&path, 10).len(), read_all(&path, 10)[0].to), (1, None));
}

#[test]
fn old_sessions_and_those_beyond_the_bytes_are_deleted_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let mut store = Store::open(&path, "crashed").unwrap();
    let facts = "x".repeat(2_000);
    let ops: Vec<Op> = (0..3_000_u64)
        .flat_map(|n| {
            let key = format!("client-{n}");
            let facts = format!(r#"{{"text":"{facts}"}}"#);
            [open(&key, n), close(&key, n, n + 10), Op::Facts { key, facts }]
        })
        .collect();
    store.write(&ops).unwrap();
    store.write(&[open("still", 1)]).unwrap();
    let bytes = |path: &Path| std::fs::metadata(path).unwrap().len();
    while store.prune(1_010, u64::MAX).unwrap() {}
    let sessions = read_all(&path, 500);
    assert_eq!(sessions.len(), 2_001);
    assert!(
        sessions
            .iter()
            .all(|session| session.key == "still" || session.from >= 1_000)
    );
    while store.prune(0, 1 << 20).unwrap() {}
    // Free pages are given back, some at a time.
    for _ in 0..10 {
        store.prune(0, 1 << 20).unwrap();
    }
    drop(store);
    assert!(bytes(&path) <= 1 << 20, "{}", bytes(&path));
    let sessions = read_all(&path, 500);
    assert!(sessions.len() > 50 && sessions.iter().any(|session| session.key == "still"));
    assert_eq!(sessions[0].from, 2_999);
}

#[test]
fn files_that_are_no_history_are_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(
        path("text"),
        "no database, but long enough to look like one ".repeat(100),
    )
    .unwrap();
    rusqlite::Connection::open(path("other"))
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    drop(Store::open(&path("newer"), "crashed").unwrap());
    let next = SCHEMA_VERSION + 1;
    let newer = rusqlite::Connection::open(path("newer")).unwrap();
    newer
        .execute_batch(&format!("PRAGMA user_version = {next}"))
        .unwrap();
    drop(newer);
    for (name, words) in [
        ("text", "not an SQLite database"),
        ("other", "not a history"),
        ("newer", "of version 2"),
    ] {
        let before = std::fs::read(path(name)).unwrap();
        let error = Store::open(&path(name), "crashed").unwrap_err();
        assert!(
            error.to_string().contains(words) && !error.is_transient(),
            "{name}: {error}"
        );
        assert!(Reader::open(&path(name)).is_err(), "{name}");
        assert_eq!(std::fs::read(path(name)).unwrap(), before, "{name}");
    }
    // A lock may be given up.
    let mut store = Store::open(&path("locked"), "crashed").unwrap();
    let other = rusqlite::Connection::open(path("locked")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.write(&[open("a", 1)]).unwrap_err();
    assert!(
        error.is_transient() && error.to_string().contains("lock"),
        "{error}"
    );
    other.execute_batch("COMMIT").unwrap();
    store.write(&[open("a", 1)]).unwrap();
    std::fs::write(path("empty"), "").unwrap();
    assert!(matches!(Reader::open(&path("empty")), Err(StoreError::Empty)));
}

#[test]
fn a_page_is_of_an_instance_of_a_time_or_of_the_latest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let facts = r#"{"host":"Küche","instanceId":"Tab-1"}"#;
    let ops = [
        open("tab-1", 100),
        close("tab-1", 100, 200),
        open("tab-1", 300),
        open("mac", 150),
        close("mac", 150, 250),
        Op::Facts {
            key: "tab-1".into(),
            facts: facts.into(),
        },
    ];
    Store::open(&path, "crashed").unwrap().write(&ops).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    let mut froms = |query: HistoryQuery| -> Vec<u64> {
        let page = reader.page(&query, None).unwrap();
        let keys: BTreeSet<&String> = page.sessions.iter().map(|session| &session.key).collect();
        assert_eq!(keys, page.instances.keys().collect());
        page.sessions.iter().map(|session| session.from).collect()
    };
    let all = HistoryQuery::default;
    assert_eq!(froms(all()), [300, 150, 100]);
    for word in ["TAB-1", "küche", "KÜCHE", " tab-1 "] {
        let instance = Some(word.into());
        assert_eq!(froms(HistoryQuery { instance, ..all() }), [300, 100], "{word}");
    }
    assert_eq!(
        froms(HistoryQuery {
            since_ms: 201,
            ..all()
        }),
        [300, 150]
    );
    assert_eq!(
        froms(HistoryQuery {
            until_ms: 150,
            ..all()
        }),
        [100]
    );
    assert_eq!(
        froms(HistoryQuery {
            is_latest: true,
            ..all()
        }),
        [300, 150]
    );
    for cursor in ["", "x-y", "1"] {
        let cursor = Some(cursor.into());
        assert_eq!(froms(HistoryQuery { cursor, ..all() }), [300, 150, 100]);
    }
}
