//! Keyed snapshots and deltas.

use alloc::format;

use super::*;
use crate::digest::Digest;

fn keyed() -> Mirror {
    let snapshot = r#"{
        "presence": [{"mode":"gateway","reason":"self","ts":1000},{"instanceId":"A","ts":900},{"host":"x","ts":800}],
        "keys": ["SELF","a","CONN:c1"], "version": 7
    }"#;
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_snapshot(snapshot_of(snapshot), 1_000);
    mirror.take_diff();
    mirror
}

#[test]
fn a_delta_upserts_removes_and_touches() {
    let mut mirror = keyed();
    let outcome = delta(
        &mut mirror,
        r#"{"from":7,"to":9,
            "upserts":[{"key":"a","entry":{"instanceId":"A","host":"new","ts":1900}},
                       {"key":"b","entry":{"instanceId":"b","ts":1950}}],
            "removals":[{"key":"CONN:c1","reason":"expired"},{"key":"unknown","reason":"evicted"}],
            "touched":[["SELF",2000],["unknown",5]]}"#,
    );
    assert_eq!(outcome, DeltaOutcome::Applied);
    assert_eq!(mirror.version(), Some(9));
    assert_eq!(keys(&mirror), ["self", "instance:b", "instance:a"]);
    assert_eq!(
        mirror.take_diff(),
        Some(RosterDiff {
            added: arcs(&["instance:b"]),
            removed: arcs(&["row:CONN:c1"]),
            changed: arcs(&["instance:a"]),
            touched: arcs(&["self"]),
            ..RosterDiff::default()
        })
    );
}

#[test]
fn versions_decide_whether_a_delta_is_applied_old_or_a_gap() {
    let mut mirror = keyed();
    let empty = |from: u64, to: u64| {
        format!(r#"{{"from":{from},"to":{to},"upserts":[],"removals":[],"touched":[]}}"#)
    };
    assert_eq!(delta(&mut mirror, &empty(5, 7)), DeltaOutcome::Old);
    assert_eq!(delta(&mut mirror, &empty(8, 9)), DeltaOutcome::Gap);
    assert_eq!(delta(&mut mirror, &empty(6, 8)), DeltaOutcome::Applied);
    assert_eq!(mirror.version(), Some(8));
    assert_eq!(delta(&mut mirror, "{}"), DeltaOutcome::Gap);
    assert_eq!(
        delta(&mut mirror, r#"{"from":8,"to":9,"upserts":[{"key":"a"}]}"#),
        DeltaOutcome::Gap
    );
    let mut unkeyed = self::mirror("[]", 0);
    assert_eq!(delta(&mut unkeyed, &empty(1, 2)), DeltaOutcome::Gap);
}

#[test]
fn a_delta_with_only_touches_changes_only_times() {
    let mut mirror = keyed();
    assert_eq!(
        delta(&mut mirror, r#"{"from":7,"to":7,"touched":[["a",1999]]}"#),
        DeltaOutcome::Applied
    );
    assert_eq!(mirror.row("instance:a").unwrap().ts(), 1_999);
    assert_eq!(mirror.take_diff().unwrap().touched, arcs(&["instance:a"]));
}

#[test]
fn a_row_may_change_its_instance_under_one_key() {
    let mut mirror = keyed();
    let outcome = delta(
        &mut mirror,
        r#"{"from":7,"to":8,"upserts":[{"key":"CONN:c1","entry":{"host":"x","instanceId":"a","ts":800}}]}"#,
    );
    assert_eq!(outcome, DeltaOutcome::Applied);
    assert_eq!(keys(&mirror), ["self", "instance:a"]);
    assert_eq!(mirror.row("instance:a").unwrap().raw().count(), 2);
}

#[test]
fn the_digest_follows_every_change() {
    use crate::PresenceEntry;
    use crate::digest::of_entry;
    let row = |host: &str| PresenceEntry {
        host: Some(host.into()),
        ts: 5,
        ..PresenceEntry::default()
    };
    let digest = |rows: &[(&str, PresenceEntry)]| {
        let mut digest = Digest::default();
        rows.iter()
            .for_each(|(key, entry)| digest.add(of_entry(key, entry)));
        digest.to_hex()
    };
    let json = |entry: &PresenceEntry| serde_json::to_string(entry).unwrap();
    let (one, two, three) = (row("one"), row("two"), row("three"));
    let snapshot = format!(
        r#"{{"presence":[{},{}],"keys":["a","b"],"version":1}}"#,
        json(&one),
        json(&two)
    );
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_snapshot(snapshot_of(&snapshot), 10);
    assert!(mirror.digest().to_hex() == digest(&[("b", two.clone()), ("a", one)]));
    let change = format!(
        r#"{{"from":1,"to":2,"upserts":[{{"key":"b","entry":{0}}},{{"key":"c","entry":{0}}}],"removals":[{{"key":"a"}}],
            "touched":[["c",9]]}}"#,
        json(&three)
    );
    assert_eq!(delta(&mut mirror, &change), DeltaOutcome::Applied);
    assert!(mirror.digest().to_hex() == digest(&[("b", three.clone()), ("c", three)]));
    assert!(mirror.digest().to_hex() != digest(&[("b", two)]));
}

#[test]
fn a_snapshot_with_missing_or_mismatched_members_is_invalid() {
    for text in [
        "{}",
        r#"{"presence":[{"ts":1}],"keys":[],"version":1}"#,
        r#"{"presence":[5],"keys":["a"],"version":1}"#,
        r#"{"presence":[{"ts":1}],"keys":["a"]}"#,
    ] {
        assert_eq!(Snapshot::read(text), None, "{text}");
    }
}

#[test]
fn the_digest_is_computed_even_if_the_list_states_none() {
    let entry = r#"{"host":"a","ts":1}"#;
    let snapshot = |rest: &str| {
        snapshot_of(&format!(
            r#"{{"presence":[{entry}],"keys":["k"],"version":1{rest}}}"#
        ))
    };
    let row = crate::digest::of_raw("k", &list(&format!("[{entry}]"))[0]);
    let mut expected = Digest::default();
    expected.add(row);
    let stated = format!(r#","digest":"{}""#, expected.to_hex());
    for rest in [
        "",
        r#","digest":"0123456789abcdef""#,
        r#","digest":null"#,
        &stated,
    ] {
        let mut mirror = Mirror::new(MirrorConfig::default());
        mirror.apply_snapshot(snapshot(rest), 1_000);
        assert!(mirror.digest() == expected, "{rest}");
        let off = r#"{"from":1,"to":2,"digest":"0000000000000001"}"#;
        let is_compared = delta(&mut mirror, off) == DeltaOutcome::Gap;
        assert_eq!(is_compared, rest == stated);
    }
}

#[test]
fn a_delta_merges_each_row_once() {
    let entries = |ts: u64| (0..500).map(move |n| format!(r#"{{"instanceId":"a","n":{n},"ts":{ts}}}"#));
    let join = |items: Vec<String>| items.join(",");
    let keys = join((0..500).map(|n| format!(r#""k{n}""#)).collect());
    let rows = join(entries(1_000).collect());
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_snapshot(
        snapshot_of(&format!(r#"{{"presence":[{rows}],"keys":[{keys}],"version":1}}"#)),
        1_000,
    );
    let touched = join((0..500).map(|n| format!(r#"["k{n}",1500]"#)).collect());
    let upserts = join(
        (0..)
            .zip(entries(1_400))
            .map(|(n, entry)| format!(r#"{{"key":"k{n}","entry":{entry}}}"#))
            .collect(),
    );
    let removals = join((100..400).map(|n| format!(r#"{{"key":"k{n}"}}"#)).collect());
    for (version, change, left) in [
        (1, format!(r#""touched":[{touched}]"#), 500),
        (2, format!(r#""upserts":[{upserts}],"touched":[{touched}]"#), 500),
        (3, format!(r#""removals":[{removals}]"#), 200),
        (
            4,
            r#""upserts":[{"key":"k1","entry":{"instanceId":"a","ts":1900}}]"#.into(),
            200,
        ),
    ] {
        let merges = mirror.merges;
        let text = format!(r#"{{"from":{version},"to":{},{change}}}"#, version + 1);
        assert_eq!(delta(&mut mirror, &text), DeltaOutcome::Applied);
        assert!(mirror.merges - merges <= 1, "{change:.20}");
        assert_eq!(mirror.row("instance:a").unwrap().raw().count(), left);
    }
    assert_eq!(mirror.row("instance:a").unwrap().ts(), 1_900);
}

#[test]
fn a_repeated_key_in_a_snapshot_counts_once() {
    let text =
        r#"{"presence":[{"instanceId":"a","ts":1},{"instanceId":"b","ts":2}],"keys":["k","k"],"version":1}"#;
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_snapshot(snapshot_of(text), 1_000);
    assert_eq!(keys(&mirror), ["instance:a"]);
    let gone = r#"{"from":1,"to":2,"removals":[{"key":"k"}]}"#;
    assert_eq!(delta(&mut mirror, gone), DeltaOutcome::Applied);
    assert!(mirror.is_empty());
}

#[test]
fn deltas_apply_after_a_keyed_snapshot_replaces_a_plain_list() {
    let rows = r#"[{"instanceId":"a","host":"x","ts":900},{"instanceId":"a","ip":"y","ts":800}]"#;
    let mut mirror = mirror(rows, 1_000);
    mirror.apply_snapshot(
        snapshot_of(&format!(
            r#"{{"presence":{rows},"keys":["k1","k2"],"version":1}}"#
        )),
        1_000,
    );
    let removal = r#"{"from":1,"to":2,"removals":[{"key":"k1"}]}"#;
    assert_eq!(delta(&mut mirror, removal), DeltaOutcome::Applied);
    let row = mirror.row("instance:a").unwrap();
    assert_eq!(row.raw().count(), 1);
    assert_eq!(row.entry().str("ip"), Some("y"));
}
