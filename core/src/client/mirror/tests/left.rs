//! Rows that left (PROTOCOL.md 1.7).

use super::*;

const LEFT: &str = r#"[{"instanceId":"a","reason":"disconnect","ts":1000}]"#;

fn status(mirror: &Mirror) -> Status {
    mirror.row("instance:a").unwrap().status()
}

#[test]
fn age_and_offline_change_only_the_age_text() {
    let mut mirror = mirror(LEFT, 1_000);
    mirror.take_diff();
    assert_eq!(status(&mirror), Status::Left);
    assert_eq!(mirror.next_change_ms(), None);
    mirror.settle(1_000_000_000);
    assert_eq!(mirror.take_diff(), None);
    assert_eq!(status(&mirror), Status::Left);

    mirror.apply_list(list(LEFT), 2_000);
    mirror.handle_offline(2_000);
    mirror.settle(1_000 + 2 * TTL);
    assert_eq!(status(&mirror), Status::Left);
    assert_eq!(
        mirror.next_change_ms(),
        Some(1_001 + 2 * TTL),
        "only its removal is due"
    );
    mirror.settle(1_001 + 2 * TTL);
    assert!(mirror.is_empty());
}

#[test]
fn the_list_is_requested_at_the_expiry_of_a_left_row_but_not_for_its_status() {
    let mirror = mirror(LEFT, 1_000);
    assert_eq!(mirror.next_request_ms(2_000), Some(1_001 + TTL));
}

#[test]
fn leaving_and_returning_are_one_change_each() {
    let mut mirror = mirror(r#"[{"instanceId":"a","reason":"connect","ts":1000}]"#, 1_000);
    mirror.take_diff();
    for (list_text, expected, next_change_ms) in [
        (LEFT, Status::Left, None),
        (
            r#"[{"instanceId":"a","reason":"connect","ts":2000}]"#,
            Status::Active,
            Some(122_001),
        ),
    ] {
        mirror.apply_list(list(list_text), 2_000);
        let diff = mirror.take_diff().unwrap();
        assert_eq!((diff.changed, diff.status), (arcs(&["instance:a"]), Vec::new()));
        assert_eq!(status(&mirror), expected);
        assert_eq!(mirror.next_change_ms(), next_change_ms);
    }
}

#[test]
fn a_left_row_that_returns_has_the_status_of_its_age() {
    let mut mirror = mirror(LEFT, 1_000);
    mirror.settle(200_000);
    mirror.apply_list(
        list(r#"[{"instanceId":"a","reason":"periodic","ts":1000}]"#),
        200_000,
    );
    assert_eq!(status(&mirror), Status::Idle);
    assert_eq!(mirror.next_change_ms(), Some(301_001));
}

#[test]
fn a_live_row_does_not_take_the_reason_of_a_closed_one() {
    let live_and_closed = r#"[
        {"instanceId":"a","reason":"disconnect","host":"x","ts":30},
        {"instanceId":"a","ts":20}
    ]"#;
    let mirror = mirror(live_and_closed, 1_000);
    let row = mirror.row("instance:a").unwrap();
    assert_eq!(row.status(), Status::Active);
    assert_eq!(mirror.view(row, 1_000).reason_label, None);
    assert_eq!(
        row.entry().to_string(),
        r#"{"instanceId":"a","ts":30,"host":"x"}"#
    );
}

#[test]
fn rows_that_left_are_counted() {
    let mirror = mirror(
        r#"[
            {"mode":"gateway","reason":"self","ts":9},
            {"instanceId":"a","reason":"disconnect","ts":8},
            {"instanceId":"a","reason":"disconnect","ts":7},
            {"instanceId":"b","reason":"disconnect","ts":6},
            {"instanceId":"c","reason":"disconnect","ts":5},
            {"instanceId":"c","reason":"connect","ts":4}
        ]"#,
        10,
    );
    assert_eq!((mirror.len(), mirror.left_len()), (4, 2));
    let view = mirror.view(mirror.row("instance:b").unwrap(), 10);
    assert_eq!(view.status, Status::Left);
}
