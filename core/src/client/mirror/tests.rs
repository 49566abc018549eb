use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::model::json::Json;

mod left;

const TTL: u64 = DEFAULT_TTL_MS;

fn list(text: &str) -> Vec<RawEntry> {
    RawEntry::parse_list(text).unwrap()
}

/// A mirror of a gateway that listed `text` at `now_ms`.
fn mirror(text: &str, now_ms: u64) -> Mirror {
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_list(list(text), now_ms);
    mirror
}

fn merged(text: &str) -> Vec<String> {
    mirror(text, 1_000)
        .rows()
        .iter()
        .map(|row| row.entry().to_string())
        .collect()
}

fn keys(mirror: &Mirror) -> Vec<&str> {
    mirror.rows().iter().map(|row| row.key()).collect()
}

fn boxed(keys: &[&str]) -> Vec<Box<str>> {
    keys.iter().map(|&key| key.into()).collect()
}

// ---- one row per instance -----------------------------------------------------------------------

#[test]
fn the_freshest_row_speaks_first_and_the_others_fill_in() {
    let rows = merged(
        r#"[
            {"instanceId":"I-1","host":"new","mood":{"z":1,"a":2},"reason":"connect","ts":30},
            {"instanceId":"i-1 ","host":"old","ip":"10.0.0.1","reason":"periodic","ts":20},
            {"instanceId":"i-1","version":"9","ip":"10.0.0.2","reason":"launch","ts":10}
        ]"#,
    );
    assert_eq!(
        rows,
        [concat!(
            r#"{"instanceId":"I-1","host":"new","mood":{"z":1,"a":2},"reason":"connect","ts":30,"#,
            r#""ip":"10.0.0.1","version":"9"}"#
        )]
    );
}

#[test]
fn a_disconnect_row_only_fills_what_is_missing_beside_a_live_one() {
    let rows = merged(
        r#"[
            {"instanceId":"a","host":"gone","ip":"10.0.0.1","reason":"disconnect","roles":["node"],"ts":30},
            {"instanceId":"a","host":"live","reason":"connect","roles":["operator"],"ts":20}
        ]"#,
    );
    let expected =
        r#"{"instanceId":"a","host":"live","reason":"connect","roles":["operator"],"ts":30,"ip":"10.0.0.1"}"#;
    assert_eq!(rows, [expected]);
}

#[test]
fn roles_and_scopes_are_the_union_of_the_live_rows() {
    let text = r#"[
        {"instanceId":"a","reason":"connect","roles":["operator"],"scopes":["r","w"],"ts":30},
        {"instanceId":"a","reason":"connect","roles":["node","operator"],"ts":20},
        {"instanceId":"a","reason":"disconnect","roles":["worker"],"scopes":["x"],"ts":40}
    ]"#;
    let mirror = mirror(text, 1_000);
    let entry = mirror.rows()[0].entry();
    assert_eq!(
        entry.get("roles").unwrap().strings().collect::<Vec<_>>(),
        ["node", "operator"]
    );
    assert_eq!(
        entry.get("scopes").unwrap().strings().collect::<Vec<_>>(),
        ["r", "w"]
    );
    assert_eq!(mirror.rows()[0].ts(), 40);
}

#[test]
fn of_closed_connections_alone_the_last_one_speaks() {
    let rows = merged(
        r#"[
            {"instanceId":"a","host":"x","reason":"disconnect","roles":["operator"],"ts":30},
            {"instanceId":"a","host":"y","ip":"10.0.0.1","reason":"disconnect","roles":["node"],"ts":20}
        ]"#,
    );
    let expected =
        r#"{"instanceId":"a","host":"x","reason":"disconnect","roles":["operator"],"ts":30,"ip":"10.0.0.1"}"#;
    assert_eq!(rows, [expected]);
}

#[test]
fn of_rows_with_one_time_the_earlier_in_the_list_wins() {
    let rows = merged(r#"[{"instanceId":"a","host":"x","ts":5},{"instanceId":"a","host":"y","ts":5}]"#);
    assert_eq!(rows, [r#"{"instanceId":"a","host":"x","ts":5}"#]);
}

#[test]
fn rows_are_grouped_by_instance_else_device_else_alone() {
    let mirror = mirror(
        r#"[
            {"instanceId":"d1","deviceId":"D1","host":"a","ts":9},
            {"deviceId":" d1","host":"b","ts":8},
            {"instanceId":"x","deviceId":"d1","host":"c","ts":7},
            {"instanceId":"y","deviceId":"d1","host":"d","ts":6},
            {"host":"Lone","ts":5},
            {"host":"lone","ts":4},
            {"ip":"10.0.0.9","ts":3},
            {"text":"Hello","ts":2},
            {"ts":1}
        ]"#,
        10,
    );
    assert_eq!(
        keys(&mirror),
        [
            "device:d1",
            "instance:x",
            "instance:y",
            "row:lone#1",
            "row:lone#2",
            "row:10.0.0.9#1",
            "row:hello#1",
            "row:#1",
        ]
    );
}

#[test]
fn the_gateway_stands_first_and_cannot_be_joined() {
    let mirror = mirror(
        r#"[
            {"mode":"gateway","reason":"self","instanceId":"g","ts":5},
            {"instanceId":"a","ts":9},
            {"mode":"gateway","reason":"self","instanceId":"g","host":"liar","ts":4}
        ]"#,
        10,
    );
    assert_eq!(keys(&mirror), ["self", "instance:a", "instance:g"]);
    assert!(mirror.rows()[0].is_self() && !mirror.rows()[2].is_self());
    assert_eq!(mirror.rows()[0].entry().str("host"), None);
}

#[test]
fn the_last_input_keeps_its_moment() {
    let rows = merged(
        r#"[
            {"instanceId":"a","reason":"connect","ts":90000},
            {"instanceId":"a","lastInputSeconds":3.7,"ts":20500},
            {"instanceId":"a","lastInputSeconds":50,"ts":10000},
            {"instanceId":"b","lastInputSeconds":2592000,"ts":5},
            {"instanceId":"c","lastInputSeconds":-4,"ts":4.5}
        ]"#,
    );
    assert_eq!(
        rows,
        [
            r#"{"instanceId":"a","reason":"connect","ts":90000,"lastInputSeconds":72}"#,
            r#"{"instanceId":"b","ts":5}"#,
            r#"{"instanceId":"c","lastInputSeconds":0,"ts":4}"#,
        ]
    );
}

#[test]
fn raw_rows_stay_reachable_as_they_came() {
    let raw = r#"{"z":null,"instanceId":"a","lastInputSeconds":2592000,"ts":4.5}"#;
    let mirror = mirror(&format!("[{raw}]"), 10);
    let row = mirror.row("instance:a").unwrap();
    assert_eq!(
        mirror.raw(row).map(ToString::to_string).collect::<Vec<_>>(),
        [raw]
    );
}

// ---- ageing ---------------------------------------------------------------------------------------

#[test]
fn statuses_change_when_they_are_said_to() {
    let mut mirror = mirror(
        r#"[{"instanceId":"a","ts":1000},{"instanceId":"b","ts":500}]"#,
        1_000,
    );
    mirror.take_diff();
    let mut seen = Vec::new();
    while let Some(at) = mirror.next_change_ms() {
        mirror.settle(at - 1);
        assert_eq!(mirror.take_diff(), None, "nothing changes before {at}");
        mirror.settle(at);
        let diff = mirror.take_diff().unwrap();
        seen.push((
            at,
            diff.status.join(","),
            mirror.row(&diff.status[0]).unwrap().status(),
        ));
    }
    assert_eq!(
        seen,
        [
            (120_501, "instance:b".into(), Status::Idle),
            (121_001, "instance:a".into(), Status::Idle),
            (300_501, "instance:b".into(), Status::Stale),
            (301_001, "instance:a".into(), Status::Stale),
        ]
    );
    mirror.settle(1_000_000_000);
    assert_eq!(
        mirror.len(),
        2,
        "what the gateway still lists is never removed here"
    );
}

#[test]
fn offline_rows_go_after_twice_the_ttl() {
    let text = r#"[{"mode":"gateway","reason":"self","ts":1000},{"instanceId":"a","ts":900}]"#;
    let mut mirror = mirror(text, 1_000);
    mirror.take_diff();
    mirror.handle_offline(2_000);
    assert!(mirror.is_offline());
    assert_eq!(
        mirror.take_diff(),
        Some(RosterDiff {
            offline: Some(true),
            ..RosterDiff::default()
        })
    );
    mirror.settle(900 + 2 * TTL);
    assert_eq!(mirror.len(), 2);
    assert_eq!(mirror.next_change_ms(), Some(901 + 2 * TTL));
    mirror.settle(901 + 2 * TTL);
    assert_eq!(keys(&mirror), ["self"]);
    mirror.settle(1_001 + 2 * TTL);
    assert!(mirror.is_empty());
    assert_eq!(mirror.next_change_ms(), None);
    mirror.take_diff();
    mirror.apply_list(list(text), 3 * TTL);
    assert!(!mirror.is_offline());
    assert_eq!(mirror.take_diff().unwrap().offline, Some(false));
}

#[test]
fn asks_before_a_status_changes_and_once_a_row_is_past_the_ttl() {
    let mut mirror = mirror(r#"[{"instanceId":"a","ts":1000}]"#, 1_000);
    assert_eq!(mirror.next_ask_ms(2_000), Some(119_001));
    // The answer says the same: nothing more to ask until the status after next.
    mirror.apply_list(list(r#"[{"instanceId":"a","ts":1000}]"#), 119_050);
    assert_eq!(mirror.next_ask_ms(2_000), Some(301_001));
    mirror.settle(121_001);
    assert_eq!(mirror.next_ask_ms(2_000), Some(299_001));
    mirror.apply_list(list(r#"[{"instanceId":"a","ts":1000}]"#), 299_050);
    mirror.settle(301_001);
    // Gateways prune only when they are asked.
    assert_eq!(mirror.next_ask_ms(2_000), Some(301_001));
    mirror.apply_list(list(r#"[{"instanceId":"a","ts":1000}]"#), 301_050);
    assert_eq!(mirror.next_ask_ms(2_000), None);
    mirror.handle_offline(301_060);
    assert_eq!(mirror.next_ask_ms(2_000), None);
}

#[test]
fn age_texts_change_by_the_minute_then_by_the_hour() {
    let mut mirror = mirror(r#"[{"instanceId":"a","ts":1000}]"#, 1_000);
    assert_eq!(mirror.next_text_change_ms(1_000), Some(61_000));
    assert_eq!(mirror.next_text_change_ms(61_000), Some(121_000));
    mirror.settle(121_001);
    mirror.settle(400_000);
    assert_eq!(mirror.next_text_change_ms(3_601_000), Some(7_201_000));
}

#[test]
fn a_tick_keeps_the_gateway_fresh() {
    let mut mirror = mirror(
        r#"[{"mode":"gateway","reason":"self","ts":1000,"lastInputSeconds":1}]"#,
        1_000,
    );
    mirror.take_diff();
    mirror.touch_self(31_000, 31_000);
    assert_eq!(mirror.take_diff().unwrap().touched, boxed(&["self"]));
    assert_eq!(
        mirror.rows()[0]
            .entry()
            .get("lastInputSeconds")
            .and_then(Json::as_u64),
        Some(31)
    );
    mirror.touch_self(30_000, 31_000);
    assert_eq!(mirror.rows()[0].ts(), 31_000);
}

// ---- without a gateway ----------------------------------------------------------------------------

#[test]
fn alone_it_applies_ttl_and_cap_as_a_gateway_does() {
    let mut alone = Mirror::standalone(MirrorConfig {
        max_rows: 3,
        ..MirrorConfig::standalone()
    });
    alone.apply_list(
        list(
            r#"[
                {"mode":"gateway","reason":"self","ts":100},
                {"instanceId":"a","ts":900},
                {"instanceId":"b","ts":800},
                {"instanceId":"c","ts":700},
                {"instanceId":"d","ts":700}
            ]"#,
        ),
        1_000,
    );
    assert_eq!(keys(&alone), ["self", "instance:a", "instance:b"]);
    assert!(!alone.is_offline());
    alone.settle(800 + TTL);
    assert_eq!(alone.len(), 3);
    alone.settle(801 + TTL);
    assert_eq!(keys(&alone), ["self", "instance:a"]);
    alone.settle(10 * TTL);
    assert_eq!(keys(&alone), ["self"]);
}

#[test]
fn of_rows_as_fresh_the_first_listed_is_evicted_first() {
    let mut alone = Mirror::standalone(MirrorConfig {
        max_rows: 2,
        ..MirrorConfig::standalone()
    });
    alone.apply_list(
        list(r#"[{"instanceId":"a","ts":5},{"instanceId":"b","ts":5},{"instanceId":"c","ts":5}]"#),
        5,
    );
    assert_eq!(keys(&alone), ["instance:b", "instance:c"]);
}

#[test]
fn a_row_that_left_is_evicted_before_an_older_one() {
    let mut alone = Mirror::standalone(MirrorConfig {
        max_rows: 2,
        ..MirrorConfig::standalone()
    });
    let rows = r#"[{"instanceId":"a","reason":"disconnect","ts":9},{"instanceId":"b","ts":7},{"instanceId":"c","ts":5}]"#;
    alone.apply_list(list(rows), 9);
    assert_eq!(keys(&alone), ["instance:b", "instance:c"]);
}

#[test]
fn deltas_keep_to_the_cap_too() {
    let mut alone = Mirror::standalone(MirrorConfig {
        max_rows: 2,
        ..MirrorConfig::standalone()
    });
    let snapshot = r#"{"presence":[{"ts":5},{"ts":4}],"keys":["a","b"],"version":1}"#;
    assert!(alone.apply_keyed(&Json::parse(snapshot).unwrap(), 5));
    let change = r#"{"from":1,"to":2,"upserts":[{"key":"c","entry":{"ts":9}}]}"#;
    assert_eq!(
        alone.apply_delta(&Json::parse(change).unwrap(), 9),
        DeltaOutcome::Applied
    );
    assert_eq!(keys(&alone), ["row:c", "row:a"]);
}

#[test]
fn a_row_without_a_time_counts_as_just_heard_of() {
    let mut alone = Mirror::standalone(MirrorConfig::standalone());
    alone.apply_list(list(r#"[{"instanceId":"a"}]"#), 5_000);
    assert_eq!(alone.rows()[0].ts(), 5_000);
}

#[test]
fn what_a_gateway_lists_is_bounded() {
    let rows: Vec<String> = (0..MAX_ROWS + 5)
        .map(|n| format!(r#"{{"instanceId":"i{n}","ts":1}}"#))
        .collect();
    assert_eq!(mirror(&format!("[{}]", rows.join(",")), 1).len(), MAX_ROWS);
}

// ---- differences ----------------------------------------------------------------------------------

#[test]
fn each_difference_is_told_once_in_its_own_list() {
    let mut mirror = mirror(
        r#"[{"instanceId":"a","host":"x","ts":1000},{"instanceId":"b","ts":1000},{"instanceId":"c","ts":1000}]"#,
        1_000,
    );
    assert_eq!(
        mirror.take_diff().unwrap().added,
        boxed(&["instance:a", "instance:b", "instance:c"])
    );
    assert_eq!(mirror.take_diff(), None);
    let next = r#"[{"instanceId":"d","ts":2000},{"instanceId":"b","ts":1500},{"instanceId":"a","host":"y","ts":1000}]"#;
    mirror.apply_list(list(next), 2_000);
    assert_eq!(
        mirror.take_diff(),
        Some(RosterDiff {
            added: boxed(&["instance:d"]),
            removed: boxed(&["instance:c"]),
            changed: boxed(&["instance:a"]),
            touched: boxed(&["instance:b"]),
            ..RosterDiff::default()
        })
    );
    mirror.apply_list(list(next), 2_500);
    assert_eq!(mirror.take_diff(), None, "the same list is no difference");
}

#[test]
fn what_came_and_went_between_two_questions_is_not_told() {
    let mut mirror = mirror("[]", 0);
    mirror.take_diff();
    mirror.apply_list(list(r#"[{"instanceId":"a","ts":1}]"#), 1);
    mirror.apply_list(Vec::new(), 2);
    assert!(mirror.has_diff());
    assert_eq!(mirror.take_diff(), None);
}

#[test]
fn a_touch_moves_the_last_input_along_and_says_nothing_new() {
    let mut mirror = mirror(r#"[{"instanceId":"a","lastInputSeconds":5,"ts":10000}]"#, 10_000);
    mirror.take_diff();
    mirror.apply_list(
        list(r#"[{"instanceId":"a","lastInputSeconds":30,"ts":35500}]"#),
        35_500,
    );
    assert_eq!(mirror.take_diff().unwrap().touched, boxed(&["instance:a"]));
    mirror.apply_list(
        list(r#"[{"instanceId":"a","lastInputSeconds":0,"ts":36000}]"#),
        36_000,
    );
    assert_eq!(mirror.take_diff().unwrap().changed, boxed(&["instance:a"]));
}

#[test]
fn a_stay_and_an_activity_are_of_the_connected_rows() {
    let grouped = mirror(
        r#"[
            {"instanceId":"a","reason":"connect","ts":30,"onlineSince":25,"lastActivityAt":7},
            {"instanceId":"a","ts":20,"onlineSince":15,"lastActivityAt":9},
            {"instanceId":"a","reason":"disconnect","ts":40,"onlineSince":5,"lastActivityAt":39},
            {"instanceId":"b","reason":"connect","ts":10},
            {"instanceId":"b","reason":"disconnect","ts":12,"onlineSince":5,"lastActivityAt":6}
        ]"#,
        50,
    );
    let entries: Vec<String> = grouped.rows().iter().map(|row| row.entry().to_string()).collect();
    assert_eq!(
        entries,
        [
            r#"{"instanceId":"a","reason":"connect","ts":40,"onlineSince":15,"lastActivityAt":9}"#,
            r#"{"instanceId":"b","reason":"connect","ts":12}"#,
        ]
    );
}

#[test]
fn a_new_stay_or_activity_is_a_change() {
    let mut mirror = mirror(
        r#"[{"instanceId":"a","ts":1000,"onlineSince":1000,"lastActivityAt":1000}]"#,
        50_000,
    );
    mirror.take_diff();
    let told = |mirror: &mut Mirror, row: &str| {
        mirror.apply_list(list(row), 50_000);
        mirror.take_diff().unwrap().changed.len()
    };
    let later = r#"[{"instanceId":"a","ts":9000,"onlineSince":1000,"lastActivityAt":2500}]"#;
    assert_eq!(
        told(&mut mirror, later),
        0,
        "one report in whole seconds, counted again"
    );
    let active = r#"[{"instanceId":"a","ts":9000,"onlineSince":1000,"lastActivityAt":9000}]"#;
    assert_eq!(told(&mut mirror, active), 1);
    let back = r#"[{"instanceId":"a","ts":9000,"onlineSince":8000,"lastActivityAt":9000}]"#;
    assert_eq!(told(&mut mirror, back), 1);
}

// ---- views ----------------------------------------------------------------------------------------

#[test]
fn a_view_has_what_there_is_to_show() {
    let mirror = mirror(
        r#"[{"instanceId":"a","reason":"periodic","lastInputSeconds":5,"ts":10000}]"#,
        10_000,
    );
    let row = mirror.rows()[0];
    assert_eq!(
        mirror.view(row, 75_000).to_json(),
        concat!(
            r#"{"key":"instance:a","status":"active","isSelf":false,"ageMs":65000,"ageText":"1 minute ago","#,
            r#""reasonLabel":"Heartbeat","lastInputMs":70000,"#,
            r#""entry":{"instanceId":"a","reason":"periodic","lastInputSeconds":5,"ts":10000}}"#
        )
    );
}

// ---- deltas ---------------------------------------------------------------------------------------

fn keyed() -> Mirror {
    let snapshot = r#"{
        "presence": [{"mode":"gateway","reason":"self","ts":1000},{"instanceId":"A","ts":900},{"host":"x","ts":800}],
        "keys": ["SELF","a","CONN:c1"], "version": 7
    }"#;
    let mut mirror = Mirror::new(MirrorConfig::default());
    assert!(mirror.apply_keyed(&Json::parse(snapshot).unwrap(), 1_000));
    mirror.take_diff();
    mirror
}

fn delta(mirror: &mut Mirror, text: &str) -> DeltaOutcome {
    mirror.apply_delta(&Json::parse(text).unwrap(), 2_000)
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
            added: boxed(&["instance:b"]),
            removed: boxed(&["row:CONN:c1"]),
            changed: boxed(&["instance:a"]),
            touched: boxed(&["self"]),
            ..RosterDiff::default()
        })
    );
}

#[test]
fn versions_decide_what_a_delta_is_worth() {
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
fn touches_alone_move_times_only() {
    let mut mirror = keyed();
    assert_eq!(
        delta(&mut mirror, r#"{"from":7,"to":7,"touched":[["a",1999]]}"#),
        DeltaOutcome::Applied
    );
    assert_eq!(mirror.row("instance:a").unwrap().ts(), 1_999);
    assert_eq!(mirror.take_diff().unwrap().touched, boxed(&["instance:a"]));
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
    assert_eq!(mirror.raw(mirror.row("instance:a").unwrap()).count(), 2);
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
    mirror.apply_keyed(&Json::parse(&snapshot).unwrap(), 10);
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
fn a_snapshot_whose_keys_do_not_fit_is_none() {
    let mut mirror = keyed();
    for text in [
        "{}",
        r#"{"presence":[{"ts":1}],"keys":[],"version":1}"#,
        r#"{"presence":[5],"keys":["a"],"version":1}"#,
        r#"{"presence":[{"ts":1}],"keys":["a"]}"#,
    ] {
        assert!(!mirror.apply_keyed(&Json::parse(text).unwrap(), 10), "{text}");
    }
    assert_eq!((mirror.len(), mirror.version()), (3, Some(7)));
}

#[test]
fn rows_stand_in_the_order_of_their_keys() {
    let keys = [
        "",
        "a",
        "b",
        "instance:",
        "instance:a",
        "instance:aé",
        "instance:b",
        "instance:instance-0001",
        "é",
    ];
    for a in keys {
        for b in keys {
            assert_eq!(write::compare(a, b), a.cmp(b), "{a:?} {b:?}");
        }
    }
}

#[test]
fn a_list_that_states_no_digest_has_one_all_the_same() {
    let entry = r#"{"host":"a","ts":1}"#;
    let snapshot = |rest: &str| {
        Json::parse(&format!(
            r#"{{"presence":[{entry}],"keys":["k"],"version":1{rest}}}"#
        ))
        .unwrap()
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
        assert!(mirror.apply_keyed(&snapshot(rest), 1_000));
        assert!(mirror.digest() == expected, "{rest}");
        assert_eq!(mirror.compares_digests, rest == stated);
    }
}

#[test]
fn numbers_that_are_odd_are_put_right_in_a_row_that_is_alone() {
    let one = |text: &str| merged(&format!("[{text}]")).remove(0);
    // As they are.
    for text in [
        r#"{"ts":5,"lastInputSeconds":3}"#,
        r#"{"lastInputSeconds":0,"ts":9007199254740991}"#,
        r#"{"ts":0}"#,
    ] {
        assert_eq!(one(text), text);
    }
    for (text, shown) in [
        (r#"{"ts":5.9}"#, r#"{"ts":5}"#),
        (
            r#"{"ts":-5,"lastInputSeconds":1e1}"#,
            r#"{"ts":0,"lastInputSeconds":10}"#,
        ),
        (r#"{"ts":9007199254740993}"#, r#"{"ts":9007199254740991}"#),
        (r#"{"ts":"5"}"#, r#"{"ts":1000}"#),
        (r#"{"host":"a"}"#, r#"{"host":"a","ts":1000}"#),
        (r#"{"ts":5,"lastInputSeconds":"3"}"#, r#"{"ts":5}"#),
        (r#"{"ts":5,"lastInputSeconds":null}"#, r#"{"ts":5}"#),
        (r#"{"ts":5,"lastInputSeconds":2592000}"#, r#"{"ts":5}"#),
    ] {
        assert_eq!(one(text), shown);
    }
}

/// Rows are keyed without making the keys that findings compare; the rule is the same.
#[test]
fn rows_have_the_keys_that_entries_say() {
    let ids = [
        "",
        " ",
        "a",
        " A\t",
        "\u{e9}",
        "\u{c9} ",
        "\u{212a}",
        "k",
        "\u{3a3}a\u{3a3}",
        "\u{130}",
        "i\u{307}",
    ];
    for instance in ids {
        for device in ids {
            let entries = list(
                &serde_json::json!([{ "instanceId": instance, "deviceId": device, "ts": 1 }]).to_string(),
            );
            let expected = match (entries[0].instance_key(), entries[0].device_key()) {
                (Some(key), _) => format!("instance:{}", key.as_str()),
                (None, Some(key)) => format!("device:{}", key.as_str()),
                (None, None) => "row:#1".to_string(),
            };
            let mut mirror = Mirror::new(MirrorConfig::default());
            mirror.apply_list(entries, 1_000);
            assert!(
                mirror.row(&expected).is_some(),
                "{instance:?} {device:?}: no {expected}"
            );
        }
    }
}
