//! Statuses, removals and ages.

use alloc::format;

use super::*;

#[test]
fn statuses_change_at_the_announced_times() {
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
        "a row that the gateway lists is never removed here"
    );
}

fn keyed(rows: usize, ts: u64) -> Mirror {
    let list = |item: &dyn Fn(usize) -> String| (0..rows).map(item).collect::<Vec<_>>().join(",");
    let entries = list(&|n| format!(r#"{{"instanceId":"{n}","ts":{ts}}}"#));
    let keys = list(&|n| format!(r#""{n}""#));
    let text = format!(r#"{{"presence":[{entries}],"keys":[{keys}],"version":1}}"#);
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_snapshot(snapshot_of(&text), ts);
    mirror
}

#[test]
fn a_delta_visits_only_the_rows_it_changes() {
    let mut mirror = keyed(2, 1_000);
    // Settling the row would correct this status.
    Arc::make_mut(mirror.rows.get_mut("instance:0").unwrap()).status = Status::Stale;
    let status = |mirror: &Mirror| mirror.row("instance:0").unwrap().status();
    let touch = r#"{"from":1,"to":2,"touched":[["1",1900]]}"#;
    assert_eq!(delta(&mut mirror, touch), DeltaOutcome::Applied);
    assert_eq!(status(&mirror), Status::Stale);
    let due_ms = mirror.next_change_ms().unwrap();
    mirror.settle(due_ms - 1);
    assert_eq!(status(&mirror), Status::Stale);
    mirror.settle(due_ms);
    assert_eq!(status(&mirror), Status::Idle);
}

#[test]
fn statuses_are_correct_after_every_settling_in_any_order() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut mirror = keyed(5, 1_000);
    let thresholds = MirrorConfig::default().thresholds;
    let mut now_ms = 1_000;
    for version in 1..3_000 {
        // The server's clock may be corrected, so time also steps back.
        now_ms = (now_ms + random.u64(0..100_000)).saturating_sub(random.u64(0..60_000));
        match random.u8(0..10) {
            0 => mirror.handle_offline(now_ms),
            1 => mirror = keyed(5, now_ms),
            _ => {
                let (key, ts) = (random.u8(0..5), now_ms.saturating_sub(random.u64(0..400_000)));
                let change = match random.u8(0..3) {
                    0 => format!(r#""touched":[["{key}",{ts}]]"#),
                    1 => format!(r#""removals":[{{"key":"{key}"}}]"#),
                    _ => {
                        format!(r#""upserts":[{{"key":"{key}","entry":{{"instanceId":"{key}","ts":{ts}}}}}]"#)
                    }
                };
                let text = format!(r#"{{"from":1,"to":{},{change}}}"#, version + 1);
                mirror.apply_delta(Delta::read(&text).unwrap(), now_ms);
            }
        }
        mirror.settle(now_ms);
        let life_ms = if mirror.is_offline() { 2 * TTL } else { u64::MAX };
        for row in mirror.rows() {
            assert_eq!(row.status(), thresholds.status(row.age_ms(now_ms)));
            assert!(row.age_ms(now_ms) <= life_ms);
        }
        let mut next = mirror.rows().into_iter().filter_map(|row| mirror.next_of(row));
        let due_ms = mirror.next_change_ms().unwrap_or(u64::MAX);
        assert!(due_ms > now_ms && next.all(|next_ms| due_ms <= next_ms));
    }
}

#[test]
fn offline_rows_are_removed_after_twice_the_ttl() {
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
fn the_list_is_requested_before_a_status_changes_and_after_the_ttl() {
    let mut mirror = mirror(r#"[{"instanceId":"a","ts":1000}]"#, 1_000);
    assert_eq!(mirror.next_request_ms(2_000), Some(119_001));
    // The answer has the same row: the next request is due before the following status change.
    mirror.apply_list(list(r#"[{"instanceId":"a","ts":1000}]"#), 119_050);
    assert_eq!(mirror.next_request_ms(2_000), Some(301_001));
    mirror.settle(121_001);
    assert_eq!(mirror.next_request_ms(2_000), Some(299_001));
    mirror.apply_list(list(r#"[{"instanceId":"a","ts":1000}]"#), 299_050);
    mirror.settle(301_001);
    // Gateways prune only on requests.
    assert_eq!(mirror.next_request_ms(2_000), Some(301_001));
    mirror.apply_list(list(r#"[{"instanceId":"a","ts":1000}]"#), 301_050);
    assert_eq!(mirror.next_request_ms(2_000), None);
    mirror.handle_offline(301_060);
    assert_eq!(mirror.next_request_ms(2_000), None);
}

#[test]
fn a_tick_keeps_the_gateway_fresh() {
    let mut mirror = mirror(
        r#"[{"mode":"gateway","reason":"self","ts":1000,"lastInputSeconds":1}]"#,
        1_000,
    );
    mirror.take_diff();
    mirror.touch_self(31_000, 31_000);
    assert_eq!(mirror.take_diff().unwrap().touched, arcs(&["self"]));
    assert_eq!(mirror.rows()[0].entry().integer("lastInputSeconds"), Some(31));
    mirror.touch_self(30_000, 31_000);
    assert_eq!(mirror.rows()[0].ts(), 31_000);
}
