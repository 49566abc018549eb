//! Readers of deltas over plain HTTP.

use super::*;
use crate::wire::method::DELTA_CAP;

fn reader(name: &str) -> Handshake {
    Handshake {
        caps: vec![DELTA_CAP.into()],
        ..handshake(name, BEACON_MODE, &["operator.read"])
    }
}

/// The names of the events for the connection, and the versions they lead to.
fn events(hub: &mut Hub, conn: ConnId) -> Vec<(String, u64)> {
    let event = |text: String| {
        let event = json(&text);
        let version = event["stateVersion"]["presence"].as_u64();
        (event["event"].as_str().unwrap().to_string(), version.unwrap())
    };
    frames(hub, conn).into_iter().map(event).collect()
}

#[test]
fn a_stream_begins_with_the_snapshot_and_continues_with_deltas() {
    let mut hub = hub();
    let conn = hub.subscribe(reader("a"), None, START);
    assert_eq!(events(&mut hub, conn), [("presence.snapshot".to_string(), 1)]);
    hub.join(handshake("b", "ui", &[]), START);
    let now = START.after(100);
    hub.handle_timeout(now);
    assert_eq!(events(&mut hub, conn), [("presence.delta".to_string(), 2)]);
    assert_eq!(hub.rows(), 2, "a stream is no row");
    hub.shutdown("stop", now);
    let sent = frames(&mut hub, conn);
    assert!(
        sent[0].contains("shutdown") && sent[1] == "service restart",
        "{sent:?}"
    );
    let late = hub.subscribe(reader("late"), None, now);
    assert_eq!(frames(&mut hub, late), ["service restart"]);
}

#[test]
fn a_returning_reader_gets_the_missed_deltas_or_the_snapshot() {
    let mut hub = hub();
    let witness = hub.subscribe(reader("witness"), None, START);
    frames(&mut hub, witness);
    let mut now = START;
    for name in ["b", "c", "d"] {
        now = now.after(100);
        hub.join(handshake(name, "ui", &[]), now);
        assert_eq!(events(&mut hub, witness).len(), 1);
    }
    let delta = |version| ("presence.delta".to_string(), version);
    for (id, wanted) in [
        ("boot-4", vec![]),
        ("boot-2", vec![delta(3), delta(4)]),
        ("boot-9", vec![("presence.snapshot".to_string(), 4)]),
        ("other-4", vec![("presence.snapshot".to_string(), 4)]),
        ("boot-x", vec![("presence.snapshot".to_string(), 4)]),
        ("", vec![("presence.snapshot".to_string(), 4)]),
    ] {
        let conn = hub.subscribe(reader("back"), Some(id), now);
        assert_eq!(events(&mut hub, conn), wanted, "{id}");
        hub.leave(conn, LeaveCause::PeerClosed, now);
    }
    // All later changes are deltas for it, too.
    let conn = hub.subscribe(reader("back"), Some("boot-3"), now);
    assert_eq!(events(&mut hub, conn), [delta(4)]);
    now = now.after(100);
    hub.join(handshake("e", "ui", &[]), now);
    assert_eq!(events(&mut hub, conn), [delta(5)]);
    // Without readers no deltas are kept.
    hub.leave(witness, LeaveCause::PeerClosed, now);
    hub.leave(conn, LeaveCause::PeerClosed, now);
    let conn = hub.subscribe(reader("back"), Some("boot-4"), now);
    assert_eq!(events(&mut hub, conn), [("presence.snapshot".to_string(), 5)]);
}

#[test]
fn a_returning_reader_that_may_have_missed_touches_gets_the_snapshot() {
    let mut hub = hub();
    let row = hub.join(handshake("b", "ui", &[]), START);
    let witness = hub.subscribe(reader("witness"), None, START);
    let back = |hub: &mut Hub, id: &str, now: Now| {
        let conn = hub.subscribe(reader("back"), Some(id), now);
        let sent = events(hub, conn);
        hub.leave(conn, LeaveCause::PeerClosed, now);
        sent
    };
    let snapshot = |version| vec![("presence.snapshot".to_string(), version)];
    for age_ms in [25_000, 50_000] {
        assert_eq!(back(&mut hub, "boot-2", START.after(age_ms)), []);
        for conn in [row, witness] {
            hub.pong(conn, START.after(age_ms));
        }
    }
    frames(&mut hub, witness);
    let now = START.after(60_000);
    hub.handle_timeout(now);
    let sent = frames(&mut hub, witness).concat();
    assert!(sent.contains(r#""from":2,"to":2"#), "{sent}");
    assert_eq!(back(&mut hub, "boot-2", now), snapshot(2));
    // The next delta lacks the touches that were sent before.
    hub.join(handshake("c", "ui", &[]), now);
    assert_eq!(back(&mut hub, "boot-2", now), snapshot(3));
    assert_eq!(back(&mut hub, "boot-3", now), []);
    // Without readers nothing notes which rows are touched.
    hub.leave(witness, LeaveCause::PeerClosed, now);
    assert_eq!(back(&mut hub, "boot-3", now), snapshot(3));
}
