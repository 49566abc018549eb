//! Changes with their causes.

use super::answers::Lab;
use super::*;

fn taken(replay: &mut Replay) -> Vec<(u64, String, &'static str, String)> {
    let (changes, left_out) = replay.take_changes();
    assert_eq!(left_out, 0);
    changes
        .into_iter()
        .map(|change| {
            let after_ms = change.now.age_ms - START.age_ms;
            (after_ms, change.key.into(), change.what, change.text.into())
        })
        .collect()
}

/// Time, key and word of each.
fn brief(replay: &mut Replay) -> Vec<(u64, String, &'static str)> {
    taken(replay)
        .into_iter()
        .map(|(at, key, what, _)| (at, key, what))
        .collect()
}

#[test]
fn a_row_is_followed_from_its_join_to_its_end() {
    let mut lab = Lab::new();
    assert_eq!(taken(&mut lab.replay), []);
    let before = lab.join(Some("before"));
    lab.replay.note_changes();
    let key: String = redactor().name("mac-1").into();
    lab.pass(1_000);
    let conn = lab.join(Some("Mac-1"));
    lab.pass(1_000);
    lab.call(conn, &beacon("Mac-1", 3));
    lab.pass(1_000);
    lab.call(conn, &beacon("Mac-1", 4));
    lab.pass(1_000);
    lab.call(conn, &beacon("Mac-1", 50));
    lab.pass(1_000);
    lab.leave(conn);
    let changes = taken(&mut lab.replay);
    let brief: Vec<_> = changes
        .iter()
        .map(|(at, key, what, _)| (*at, &**key, *what))
        .collect();
    assert_eq!(
        brief,
        [
            (1_000, &*key, "joined"),
            (2_000, &*key, "changed"),
            (4_000, &*key, "changed"),
            (5_000, &*key, "left"),
            (5_000, &*key, "changed"),
        ]
    );
    let name = redactor().name("SecretStudio");
    let ip = redactor().ip("203.0.113.77");
    assert_eq!(
        changes[0].3,
        alloc::format!("The client \"test\" of \"{name}\" connected from {ip} as operator.")
    );
    assert_eq!(
        changes[2].3,
        alloc::format!(
            "A beacon of the client \"test\" of \"{name}\" changed lastInputSeconds from 4 to 50."
        )
    );
    assert!(
        changes[1]
            .3
            .contains("changed reason from \"connect\" to \"periodic\""),
        "{}",
        changes[1].3
    );
    assert_eq!(
        changes[4].3,
        "The gateway changed reason from \"periodic\" to \"disconnect\"."
    );
    lab.leave(before);
    taken(&mut lab.replay);
    lab.pass(config().ttl_ms + 10_000);
    let changes = taken(&mut lab.replay);
    assert_eq!(
        changes
            .iter()
            .map(|(at, _, what, text)| (*at, *what, &**text))
            .collect::<Vec<_>>(),
        [(305_001, "expired", "The row was older than the TTL and went."); 2]
    );
}

#[test]
fn rows_of_others_renames_refusals_and_evictions_have_their_causes() {
    let mut lab = Lab::new();
    let redactor = redactor();
    let conn = lab.join(Some("Mac-1"));
    lab.replay.note_changes();
    lab.call(conn, &beacon("other", 0));
    let other: String = redactor.name("other").into();
    let changes = taken(&mut lab.replay);
    assert_eq!((&*changes[0].1, changes[0].2), (&*other, "added"));
    assert!(changes[0].3.ends_with("made the row."), "{changes:?}");
    assert_eq!(changes.len(), 1);

    // A row without an instanceId is taken over by a write that has one.
    let by_host = |id: Option<&str>| {
        let params = json!({ "text": "x", "deviceId": "d-1", "instanceId": id });
        let frame = json!({ "type": "req", "id": "9", "method": "system-event", "params": params });
        Request::parse(&frame.to_string().replace(",\"instanceId\":null", "")).unwrap()
    };
    lab.call(conn, &by_host(None));
    taken(&mut lab.replay);
    lab.call(conn, &by_host(Some("named")));
    let named: String = redactor.name("named").into();
    let changes = brief(&mut lab.replay);
    assert_eq!(changes, [(0, named.clone(), "renamed"), (0, named, "changed")]);

    for n in 0..220 {
        lab.pass(1);
        lab.join(Some(&alloc::format!("id-{n}")));
    }
    let changes = taken(&mut lab.replay);
    let evicted: Vec<_> = changes.iter().filter(|change| change.2 == "evicted").collect();
    // 200 rows: self, the first three, and these.
    assert_eq!(evicted.len(), 220 + 4 - 200);
    assert_eq!(evicted[0].1, other);
    assert_eq!(changes.iter().filter(|change| change.2 == "joined").count(), 220);
}

#[test]
fn silence_is_a_cause() {
    let mut lab = Lab::new();
    lab.join(Some("Mac-1"));
    lab.replay.note_changes();
    lab.pass(120_000);
    let changes = taken(&mut lab.replay);
    assert_eq!(
        changes.iter().map(|change| change.2).collect::<Vec<_>>(),
        ["left", "changed"]
    );
    assert!(
        changes[0].3.ends_with("the gateway closed it for silence."),
        "{changes:?}"
    );
}

#[test]
fn many_rows_removed_at_once_are_all_dropped() {
    let mut lab = Lab::new();
    lab.replay.note_changes();
    let conns: Vec<_> = (0..150)
        .map(|n| lab.join(Some(&alloc::format!("id-{n}"))))
        .collect();
    conns.into_iter().for_each(|conn| lab.leave(conn));
    lab.pass(config().ttl_ms + 1);
    taken(&mut lab.replay);
    let last = lab.join(Some("id-7"));
    lab.leave(last);
    let whats: Vec<_> = brief(&mut lab.replay)
        .into_iter()
        .map(|(_, _, what)| what)
        .collect();
    assert_eq!(whats, ["joined", "left", "changed"]);
}

#[test]
fn the_newest_changes_are_kept() {
    let mut lab = Lab::new();
    lab.replay.note_changes();
    for n in 0..4_000 {
        lab.now = lab.now.after(1);
        let conn = lab.join(Some("a"));
        lab.leave(conn);
        assert!(n < 4_000);
    }
    let (changes, left_out) = lab.replay.take_changes();
    assert_eq!(changes.len(), MAX_CHANGES);
    assert!(left_out > 0);
    assert_eq!(changes.last().unwrap().what, "changed");
}
