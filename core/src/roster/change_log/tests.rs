//! The kept changes are bounded, and complete for delta clients.

use alloc::format;

use super::pending::max_removed;
use crate::PresenceEntry;
use crate::model::beacon::Beacon;
use crate::model::time::Now;
use crate::roster::{Holder, Roster, RosterConfig};

pub(super) const START: Now = Now {
    age_ms: 1_000,
    wall_ms: 1_800_000_000_000,
};

pub(super) fn roster() -> Roster {
    let config = RosterConfig {
        max_entries: 10,
        ..RosterConfig::default()
    };
    let mut roster = Roster::new(config, PresenceEntry::default(), START);
    roster.track_changes(true, START);
    roster
}

pub(super) fn report(roster: &mut Roster, ids: core::ops::Range<u32>) {
    for id in ids {
        let beacon = Beacon {
            instance_id: Some(format!("id-{id}").into()),
            ..Beacon::new("t")
        };
        roster.beacon(&beacon, Holder::Unlimited, START).unwrap();
    }
}

#[test]
fn rows_added_and_removed_between_deltas_are_left_out() {
    let mut roster = roster();
    report(&mut roster, 0..9);
    roster.encode_delta(1, START);
    report(&mut roster, 9..10_000);
    let pending = roster.log.pending.as_ref().unwrap();
    for rows in pending.queues() {
        assert!(rows.len() < roster.len(), "{}", rows.len());
    }
    let delta = roster.encode_delta(1, START);
    assert_eq!(delta.matches(r#""reason":"evicted""#).count(), 9, "{delta}");
    assert_eq!(delta.matches(r#""entry""#).count(), 9);
    assert!(delta.len() < 3_000, "{} bytes", delta.len());
}

/// Each snapshot makes its rows known to a client, and the number of snapshots is not bounded.
#[test]
fn removals_are_bounded_too() {
    let mut roster = roster();
    for round in 0..1_000 {
        report(&mut roster, round * 9..(round + 1) * 9);
        roster.encode_snapshot(START);
        assert!(roster.log.pending.as_ref().unwrap().removed.len() <= max_removed(roster.len()));
    }
    assert!(roster.is_beyond_deltas());
    roster.encode_delta(1, START);
    assert!(!roster.is_beyond_deltas());
}

#[test]
fn a_removed_row_that_a_snapshot_had_is_in_the_delta() {
    let mut roster = roster();
    report(&mut roster, 0..1);
    roster.encode_snapshot(START);
    report(&mut roster, 1..10);
    let delta = roster.encode_delta(1, START);
    assert!(
        delta.contains(r#""removals":[{"key":"id-0","reason":"evicted"}]"#),
        "{delta}"
    );
}
