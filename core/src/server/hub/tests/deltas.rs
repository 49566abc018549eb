//! Frames for delta clients.

use alloc::format;

use super::*;

/// 199 rows that expire together: their removals would be larger than the remaining list.
#[test]
fn a_delta_that_is_larger_than_the_snapshot_is_replaced_by_it() {
    let mut hub = hub();
    let mut asks = handshake("d", "cli", &["operator.admin"]);
    asks.caps = vec!["presence-delta".into()];
    let reader = hub.join(asks, START);
    for n in 0..199 {
        let params = json!({ "text": "t", "instanceId": format!("an id that is long enough to count {n}") });
        assert_eq!(call(&mut hub, reader, "system-event", params, START)["ok"], true);
    }
    hub.handle_timeout(START.after(50));
    frames(&mut hub, reader);
    for at in 1..=12 {
        hub.handle_timeout(START.after(25_000 * at));
        hub.pong(reader, START.after(25_000 * at));
        frames(&mut hub, reader);
    }
    hub.handle_timeout(START.after(300_001));
    let sent = frames(&mut hub, reader);
    let events: Vec<Value> = sent
        .iter()
        .filter(|text| text.starts_with('{'))
        .map(|text| json(text))
        .collect();
    let event = events.iter().find(|event| event["event"] != "tick").unwrap();
    assert_eq!(event["event"], "presence.snapshot");
    assert_eq!(event["payload"]["keys"], json!(["SELF"]));
    assert_eq!(event["payload"]["version"], event["stateVersion"]["presence"]);
}

/// Rows are added, changed, removed and replaced, a few at a time and all at once.
#[test]
fn no_delta_is_larger_than_the_snapshot() {
    let mut hub = hub_of(6);
    let mut reader = handshake("reader", "cli", &["operator.read", "operator.admin"]);
    reader.caps = vec!["presence-delta".into()];
    let reader = hub.join(reader, START);
    frames(&mut hub, reader);
    let mut now = START;
    let (mut deltas, mut snapshots) = (0, 0);
    for round in 0..400_u64 {
        for number in 0..=round % 7 {
            let params = json!({
                "text": "t".repeat((round * 37 % 300 + 1) as usize),
                "instanceId": format!("id-{}", (round * 5 + number) % 23),
            });
            call(&mut hub, reader, "system-event", params, now);
        }
        now = now.after(60);
        if round % 29 == 0 {
            now.wall_ms += 3_600_000;
        }
        hub.handle_timeout(now);
        hub.pong(reader, now);
        for frame in frames(&mut hub, reader) {
            let event = json(&frame);
            if event["event"] == "presence.snapshot" {
                snapshots += 1;
            }
            if event["event"] == "presence.delta" {
                deltas += 1;
                let snapshot = call(&mut hub, reader, "presence.snapshot", json!({}), now);
                let bytes = |name: &str, frame: &Value| name.len() + frame["payload"].to_string().len();
                let most = bytes("presence.snapshot", &snapshot);
                assert!(bytes("presence.delta", &event) <= most, "{most} bytes: {event}");
            }
        }
        hub.handle_sent(now);
    }
    assert!(
        deltas > 50 && snapshots > 20,
        "{deltas} deltas, {snapshots} snapshots"
    );
}
