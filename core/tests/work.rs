//! The work depends on the changes, not on the number of rows, by counts instead of times (SPEC 5, 2.1).
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::sync::Arc;

use presence_core::model::beacon::Beacon;
use presence_core::model::{ClientInfo, Role};
use presence_core::roster::{Holder, Roster, RosterConfig, Work};
use presence_core::server::{ConnId, Handshake, Hub, HubConfig, LeaveCause};
use presence_core::wire::{Access, Call, Limits, Request};
use presence_core::{Now, PresenceEntry};

const START: Now = Now {
    age_ms: 1_000,
    wall_ms: 1_800_000_000_000,
};

fn beacon(number: u32, text: &str) -> Beacon {
    Beacon {
        instance_id: Some(format!("i-{number}").into()),
        ..Beacon::new(text)
    }
}

/// A roster of 200 rows, listed once.
fn full() -> Roster {
    let config = RosterConfig::default();
    let mut roster = Roster::new(config, PresenceEntry::default(), START);
    for number in 1..200 {
        roster
            .beacon(&beacon(number, "one"), Holder::Unlimited, START)
            .unwrap();
    }
    assert_eq!(roster.len(), 200);
    roster.encode_list(START);
    roster
}

/// The work of a roster in `act`.
fn work(roster: &mut Roster, act: impl FnOnce(&mut Roster)) -> Work {
    let before = roster.work();
    act(roster);
    let after = roster.work();
    Work {
        rows_encoded: after.rows_encoded - before.rows_encoded,
        rows_digested: after.rows_digested - before.rows_digested,
    }
}

#[test]
fn a_list_after_one_change_encodes_one_row_and_the_gateways_own() {
    let mut roster = full();
    let later = START.after(5);
    let done = work(&mut roster, |roster| {
        roster
            .beacon(&beacon(7, "two"), Holder::Unlimited, later)
            .unwrap();
        assert!(roster.encode_list(later).contains("two"));
    });
    // The gateway's own row shows the moment of the list.
    assert_eq!((done.rows_encoded, done.rows_digested), (2, 0));
    let again = work(&mut roster, |roster| drop(roster.encode_list(later)));
    assert_eq!(again.rows_encoded, 0, "an unchanged list is shared");
}

#[test]
fn a_delta_encodes_and_digests_what_changed() {
    let mut roster = full();
    let started = work(&mut roster, |roster| roster.track_changes(true, START));
    assert_eq!(started.rows_digested, 200);
    let later = START.after(5);
    let done = work(&mut roster, |roster| {
        for text in ["two", "three", "four"] {
            roster.beacon(&beacon(7, text), Holder::Unlimited, later).unwrap();
        }
        let delta = roster.encode_delta(200, later);
        assert!(delta.contains("four") && !delta.contains("three"), "{delta}");
    });
    assert_eq!((done.rows_encoded, done.rows_digested), (1, 1));
    let shifted = Now {
        wall_ms: later.wall_ms + 60_000,
        ..later
    };
    let shift = work(&mut roster, |roster| {
        assert_eq!(
            roster.encode_delta(203, shifted).matches(r#""entry""#).count(),
            200
        );
    });
    assert_eq!(shift.rows_digested, 0, "no digest has a ts in it");
}

#[test]
fn nothing_is_digested_without_delta_clients() {
    let config = HubConfig {
        limits: Limits::default(),
        ttl_ms: 300_000,
        max_entries: 200,
        ephemeral_modes: Vec::new(),
        hash_seed: 1,
        server_version: "1".into(),
        boot_id: "b".into(),
        self_entry: PresenceEntry::default(),
        auth_mode: "none",
    };
    let mut hub = Hub::new(config, START);
    let plain = join(&mut hub, 1, &[], START);
    let mut now = START;
    let mut beacons = |hub: &mut Hub, conn: ConnId| {
        let before = hub.work().rows_digested;
        for n in 0..10 {
            now = now.after(100);
            let beacon = Beacon {
                instance_id: Some("i-1".into()),
                ..Beacon::new(&format!("text {n}"))
            };
            let request = Request {
                id: "1".into(),
                access: Access::Operator,
                call: Ok(Call::SystemEvent(beacon.into())),
            };
            hub.call(conn, &request, now);
            while hub.poll_output().is_some() {}
        }
        hub.work().rows_digested - before
    };
    assert_eq!(beacons(&mut hub, plain), 0);
    assert_eq!(hub.work().rows_digested, 0);

    let follower = join(&mut hub, 2, &["presence-delta"], START.after(1_000));
    assert_eq!(beacons(&mut hub, plain), 10, "one row a delta");

    hub.leave(follower, LeaveCause::PeerClosed, START.after(2_000));
    assert_eq!(beacons(&mut hub, plain), 0, "the last one is gone");
}

fn join(hub: &mut Hub, number: u32, caps: &[&str], now: Now) -> ConnId {
    let handshake = Handshake {
        request_id: "1".into(),
        conn_id: format!("c-{number}").into(),
        protocol: 4,
        role: Role::Operator,
        scopes: ["operator.read".into()].into(),
        client: Arc::new(ClientInfo {
            id: "test".into(),
            version: "1".into(),
            platform: "linux".into(),
            mode: "ui".into(),
            instance_id: Some(format!("i-{number}").into()),
            ..ClientInfo::default()
        }),
        device_id: None,
        caps: caps.iter().map(|&cap| cap.into()).collect(),
        commands: Vec::new(),
        remote_ip: None,
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    };
    let conn = hub.join(handshake, now);
    while hub.poll_output().is_some() {}
    conn
}
