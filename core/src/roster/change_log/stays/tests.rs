//! The events for followers are bounded, and correct when a device takes a row over.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Follower, MAX_WAITING_EVENTS, RowChanges, RowEvent, StayEnd};
use crate::model::beacon::Beacon;
use crate::model::time::Now;
use crate::model::{ClientInfo, Role};
use crate::roster::change_log::tests::{START, report, roster};
use crate::roster::visits::Visits;
use crate::roster::{ConnectWrite, Holder, Roster, RowId};

/// The connection `conn` of the id `mac-1`.
fn connect(roster: &mut Roster, conn: u64, device_id: Option<&str>, now: Now) -> RowId {
    let client = ClientInfo {
        id: "app".into(),
        version: "1".into(),
        platform: "macos".into(),
        mode: "ui".into(),
        instance_id: Some("mac-1".into()),
        ..ClientInfo::default()
    };
    let write = ConnectWrite {
        conn,
        seat: 0,
        conn_id: &format!("c{conn}"),
        client: &Arc::new(client),
        role: Role::Operator,
        scopes: &[].into(),
        device_id,
        remote_ip: None,
        user: None,
    };
    roster.connect(&write, now)
}

/// `+key` for a join, `-key why` for a leave.
fn words(visits: &mut Visits, changes: RowChanges, now: Now) -> Vec<String> {
    let visits = visits.apply(changes, now).into_iter();
    let word = visits.map(|visit| match visit.left {
        None => format!("+{}", visit.key),
        Some(left) => format!("-{} {}", visit.key, left.why.as_str()),
    });
    word.collect()
}

#[test]
fn events_that_a_follower_does_not_take_are_bounded_and_counted() {
    let mut roster = roster();
    roster.start_following(Follower::History);
    roster.take_row_changes(Follower::History, START);
    // Of each row beyond the ninth an older one is evicted, which is an event.
    let rows = u32::try_from(MAX_WAITING_EVENTS).unwrap() + 9;
    report(&mut roster, 0..rows);
    let changes = roster.take_row_changes(Follower::History, START);
    assert_eq!((changes.events.len(), changes.lost), (MAX_WAITING_EVENTS, 0));

    report(&mut roster, rows..2 * rows);
    let changes = roster.take_row_changes(Follower::History, START);
    assert_eq!(changes.lost, MAX_WAITING_EVENTS as u64);
    assert!(changes.events.len() < MAX_WAITING_EVENTS && changes.is_whole);
    assert_eq!(changes.rows.len(), roster.len());
}

#[test]
fn a_stay_ends_when_a_device_takes_the_row_over() {
    let mut roster = roster();
    for follower in [Follower::History, Follower::Webhook] {
        roster.start_following(follower);
    }
    connect(&mut roster, 1, None, START);
    let mut visits = Visits::new(0, 10);
    roster.take_row_changes(Follower::History, START);
    let joined = roster.take_row_changes(Follower::Webhook, START);
    assert_eq!(words(&mut visits, joined, START), ["+mac-1"]);

    let now = START.after(5_000);
    connect(&mut roster, 2, Some("device"), now);
    let changes = roster.take_row_changes(Follower::History, now);
    let [
        RowEvent::Ended {
            key,
            stay,
            at_ms,
            why,
            ..
        },
    ] = &changes.events[..]
    else {
        panic!("{changes:?}");
    };
    assert_eq!((&**key, *why), ("mac-1", StayEnd::Replaced));
    assert_eq!((stay.unwrap().id, *at_ms), (START.age_ms, now.wall_ms));
    let changes = roster.take_row_changes(Follower::Webhook, now);
    assert_eq!(
        words(&mut visits, changes, now),
        ["-mac-1 replaced", "+mac-1", "+CONN:c1"]
    );

    // Further connections of the device share its row.
    connect(&mut roster, 3, Some("device"), now);
    assert_eq!(roster.take_row_changes(Follower::History, now).events, []);
}

#[test]
fn a_row_with_a_connection_is_here_whatever_its_beacons_state() {
    let mut roster = roster();
    roster.start_following(Follower::Webhook);
    let row = connect(&mut roster, 1, None, START);
    let mut visits = Visits::new(0, 10);
    let mut words = |roster: &mut Roster| {
        let changes = roster.take_row_changes(Follower::Webhook, START);
        words(&mut visits, changes, START)
    };
    assert_eq!(words(&mut roster), ["+mac-1"]);
    let leaves = Beacon {
        instance_id: Some("mac-1".into()),
        reason: Some("disconnect".into()),
        ..Beacon::new("t")
    };
    roster.beacon(&leaves, Holder::Unlimited, START).unwrap();
    assert_eq!(words(&mut roster), [""; 0]);
    roster.disconnect(row, 1, true, START);
    assert_eq!(words(&mut roster), ["-mac-1 closed"]);
}
