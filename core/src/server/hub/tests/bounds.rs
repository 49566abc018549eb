//! The cap, and counts of evictions.

use alloc::format;

use super::*;
use crate::roster::history::MAX_ROW_EVENTS;
use crate::server::{BEACON_MODE, MIN_VISITOR};

#[test]
fn a_cap_below_two_holds_one_row_beside_self() {
    for max_entries in [0, 1, 2] {
        let mut hub = hub_of(max_entries);
        let a = hub.join(handshake("a", "ui", &["operator.read"]), START);
        let b = hub.join(handshake("b", "ui", &["operator.read"]), START);
        assert_eq!(hub.rows(), 2);
        let own = call(
            &mut hub,
            a,
            "system-event",
            json!({ "text": "hi", "instanceId": "a" }),
            START,
        );
        assert_eq!(own["ok"], true);
        assert_eq!(hub.list(START)[1].instance_id.as_deref(), Some("a"));
        hub.pong(b, START);
        assert_eq!(hub.list(START)[1].instance_id.as_deref(), Some("a"));
    }
}

#[test]
fn evictions_are_counted_by_kind() {
    let mut hub = hub_of(3);
    let a = hub.join(handshake("a", "ui", &[]), START);
    hub.join(handshake("b", "ui", &[]), START);
    hub.join(handshake("c", "ui", &[]), START);
    assert_eq!((hub.evictions().live, hub.evictions().total()), (1, 1));
    hub.leave(a, LeaveCause::PeerClosed, START);
    let clerk = hub.join(handshake("clerk", "cli", &["operator.write"]), START);
    let b = ConnId { slot: 1, serial: 2 };
    hub.leave(b, LeaveCause::PeerClosed, START);
    for name in ["x", "y"] {
        let params = json!({ "text": "t", "instanceId": name });
        assert_eq!(call(&mut hub, clerk, "system-event", params, START)["ok"], true);
    }
    let expected = Evictions {
        closed: 1,
        live: 1,
        over_quota: 1,
    };
    assert_eq!(hub.evictions(), expected);
}

#[test]
fn http_beacons_of_one_address_share_a_quota_and_leave_no_trace() {
    let mut hub = hub_of(20);
    let mut beacon = |visitor: u64, name: &str| {
        let mut visit = handshake("http", BEACON_MODE, &["operator.write"]);
        visit.visitor = Some(MIN_VISITOR + visitor);
        let request = request("system-event", json!({ "text": "t", "instanceId": name }));
        let (_, answer) = hub.visit(visit, &request, START);
        assert_eq!(answer, Ok(()));
    };
    beacon(1, "other");
    for number in 0..30 {
        beacon(2, &format!("job-{number}"));
    }
    let list = hub.list(START);
    let listed: Vec<_> = list
        .iter()
        .skip(1)
        .filter_map(|row| row.instance_id.as_deref())
        .collect();
    assert_eq!(listed, ["other", "job-28", "job-29"]);
    assert_eq!(hub.evictions().over_quota, 28);
    assert_eq!(hub.journal.ended().count(), 0);
}

#[test]
fn http_beacons_with_placeholders_count_as_without_ids() {
    let mut hub = hub_of(20);
    let mut visits = 0;
    let mut beacon = |text: &str| {
        visits += 1;
        let mut visit = handshake("http", BEACON_MODE, &["operator.write"]);
        visit.visitor = Some(MIN_VISITOR);
        visit.conn_id = format!("visit-{visits}").into();
        let request = request("system-event", json!({ "text": text, "instanceId": "undefined" }));
        let (_, answer) = hub.visit(visit, &request, START);
        assert_eq!(answer, Ok(()));
    };
    for _ in 0..30 {
        beacon("job");
    }
    for number in 0..30 {
        beacon(&format!("job {number}"));
    }
    let list = hub.list(START);
    let texts: Vec<_> = list
        .iter()
        .skip(1)
        .filter_map(|row| row.text.as_deref())
        .collect();
    assert_eq!(texts, ["job 28", "job 29"]);
}

/// Each of them is a connection of its own, so the limit of one event per connection does not bound them.
#[test]
fn refused_http_beacons_do_not_displace_events_of_rows() {
    let mut hub = hub_of(20);
    let refused = hub.join(handshake("refused", "ui", &["operator.admin"]), START);
    let about_self = json!({ "text": "t", "instanceId": "Self-1" });
    let answer = call(&mut hub, refused, "system-event", about_self.clone(), START);
    assert_eq!(answer["ok"], false);
    for number in 0..MAX_ROW_EVENTS {
        let mut visit = handshake("http", BEACON_MODE, &["operator.write"]);
        visit.visitor = Some(MIN_VISITOR);
        visit.conn_id = format!("visit-{number}").into();
        let (_, answer) = hub.visit(visit, &request("system-event", about_self.clone()), START);
        assert!(answer.is_err());
    }
    let explained = call(
        &mut hub,
        refused,
        "presence.explain",
        json!({ "row": "refused" }),
        START,
    );
    let events = explained["payload"]["row"]["events"].as_array().unwrap();
    assert!(
        events.iter().any(|event| event["what"] == "refused"),
        "{events:?}"
    );
}
