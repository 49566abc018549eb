//! Statuses, removals and ages.

use super::*;

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
    assert_eq!(mirror.rows()[0].entry().integer("lastInputSeconds"), Some(31));
    mirror.touch_self(30_000, 31_000);
    assert_eq!(mirror.rows()[0].ts(), 31_000);
}
