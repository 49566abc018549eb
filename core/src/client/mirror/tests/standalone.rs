//! Rosters without a gateway.

use alloc::format;

use super::*;

#[test]
fn ttl_and_cap_apply_as_on_a_gateway() {
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
fn among_rows_with_equal_times_the_first_listed_is_evicted_first() {
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
fn the_cap_applies_after_deltas_too() {
    let mut alone = Mirror::standalone(MirrorConfig {
        max_rows: 2,
        ..MirrorConfig::standalone()
    });
    let snapshot = r#"{"presence":[{"ts":5},{"ts":4}],"keys":["a","b"],"version":1}"#;
    alone.apply_snapshot(snapshot_of(snapshot), 5);
    let change = r#"{"from":1,"to":2,"upserts":[{"key":"c","entry":{"ts":9}}]}"#;
    assert_eq!(delta(&mut alone, change), DeltaOutcome::Applied);
    assert_eq!(keys(&alone), ["row:c", "row:a"]);
}

#[test]
fn a_row_without_a_time_counts_as_received_now() {
    let mut alone = Mirror::standalone(MirrorConfig::standalone());
    alone.apply_list(list(r#"[{"instanceId":"a"}]"#), 5_000);
    assert_eq!(alone.rows()[0].ts(), 5_000);
}

#[test]
fn the_number_of_listed_rows_is_bounded() {
    let rows: Vec<String> = (0..MAX_ROWS + 5)
        .map(|n| format!(r#"{{"instanceId":"i{n}","ts":1}}"#))
        .collect();
    assert_eq!(mirror(&format!("[{}]", rows.join(",")), 1).len(), MAX_ROWS);
}

#[test]
fn placeholders_in_a_list_are_kept_unchanged() {
    let sent = r#"{"instanceId":"undefined","deviceId":"null","host":"(none)","ip":"ip-unknown","version":"n/a","ts":5}"#;
    let mut mirror = Mirror::standalone(MirrorConfig::standalone());
    mirror.apply_list(list(&format!("[{sent}]")), 5);
    assert_eq!(mirror.rows()[0].entry().as_str(), sent);
}
