//! Differences of a roster.

use alloc::format;

use super::*;

#[test]
fn each_difference_is_reported_once_in_one_list() {
    let mut mirror = mirror(
        r#"[{"instanceId":"a","host":"x","ts":1000},{"instanceId":"b","ts":1000},{"instanceId":"c","ts":1000}]"#,
        1_000,
    );
    assert_eq!(
        mirror.take_diff().unwrap().added,
        arcs(&["instance:a", "instance:b", "instance:c"])
    );
    assert_eq!(mirror.take_diff(), None);
    let next = r#"[{"instanceId":"d","ts":2000},{"instanceId":"b","ts":1500},{"instanceId":"a","host":"y","ts":1000}]"#;
    mirror.apply_list(list(next), 2_000);
    assert_eq!(
        mirror.take_diff(),
        Some(RosterDiff {
            added: arcs(&["instance:d"]),
            removed: arcs(&["instance:c"]),
            changed: arcs(&["instance:a"]),
            touched: arcs(&["instance:b"]),
            ..RosterDiff::default()
        })
    );
    mirror.apply_list(list(next), 2_500);
    assert_eq!(mirror.take_diff(), None, "the same list makes no difference");
}

#[test]
fn a_row_that_was_added_and_removed_between_two_diffs_is_not_reported() {
    let mut mirror = mirror("[]", 0);
    mirror.take_diff();
    mirror.apply_list(list(r#"[{"instanceId":"a","ts":1}]"#), 1);
    mirror.apply_list(Vec::new(), 2);
    assert_eq!(mirror.take_diff(), None);
}

#[test]
fn a_touch_with_an_unchanged_last_input_is_only_a_touch() {
    let mut mirror = mirror(r#"[{"instanceId":"a","lastInputSeconds":5,"ts":10000}]"#, 10_000);
    mirror.take_diff();
    mirror.apply_list(
        list(r#"[{"instanceId":"a","lastInputSeconds":30,"ts":35500}]"#),
        35_500,
    );
    assert_eq!(mirror.take_diff().unwrap().touched, arcs(&["instance:a"]));
    mirror.apply_list(
        list(r#"[{"instanceId":"a","lastInputSeconds":0,"ts":36000}]"#),
        36_000,
    );
    assert_eq!(mirror.take_diff().unwrap().changed, arcs(&["instance:a"]));
}

#[test]
fn online_since_and_last_activity_come_from_connected_rows() {
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
fn a_new_online_since_or_last_activity_is_a_change() {
    let mut mirror = mirror(
        r#"[{"instanceId":"a","ts":1000,"onlineSince":1000,"lastActivityAt":1000}]"#,
        50_000,
    );
    mirror.take_diff();
    let reported = |mirror: &mut Mirror, row: &str| {
        mirror.apply_list(list(row), 50_000);
        mirror.take_diff().unwrap().changed.len()
    };
    let later = r#"[{"instanceId":"a","ts":9000,"onlineSince":1000,"lastActivityAt":2500}]"#;
    assert_eq!(
        reported(&mut mirror, later),
        0,
        "the same activity, rounded differently"
    );
    let active = r#"[{"instanceId":"a","ts":9000,"onlineSince":1000,"lastActivityAt":9000}]"#;
    assert_eq!(reported(&mut mirror, active), 1);
    let back = r#"[{"instanceId":"a","ts":9000,"onlineSince":8000,"lastActivityAt":9000}]"#;
    assert_eq!(reported(&mut mirror, back), 1);
}

#[test]
fn rows_that_only_moved_are_reported_with_the_next_significant_change() {
    let row = |id: &str, ts: u64| format!(r#"{{"instanceId":"{id}","ts":{ts}}}"#);
    let mut mirror = mirror(&format!("[{},{}]", row("a", 500), row("b", 500)), 1_000);
    mirror.take_diff();
    mirror.apply_list(list(&format!("[{},{}]", row("b", 500), row("a", 500))), 1_100);
    assert_eq!(keys(&mirror), ["instance:b", "instance:a"]);
    assert_eq!(mirror.take_diff(), None);
    mirror.apply_list(
        list(&format!(
            "[{},{},{}]",
            row("c", 900),
            row("b", 500),
            row("a", 500)
        )),
        1_200,
    );
    let diff = mirror.take_diff().unwrap();
    assert_eq!(diff.added, ["instance:c".into()]);
    assert_eq!(diff.moved, ["instance:a".into(), "instance:b".into()]);
    assert_eq!(
        mirror.diff_json(&diff),
        concat!(
            r#"{"changed":["#,
            r#"{"key":"instance:c","place":0,"status":"Active","entry":{"instanceId":"c","ts":900}},"#,
            r#"{"key":"instance:a","place":2},"#,
            r#"{"key":"instance:b","place":1}],"removed":[]}"#
        )
    );
    assert_eq!(mirror.take_diff(), None);
}
