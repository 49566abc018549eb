//! A roster in ten lines: two beacons of one machine are one row, and the row expires.

use presence_core::roster::{BeaconError, Holder, Roster, RosterConfig};
use presence_core::{Beacon, Now, PresenceEntry};

fn main() -> Result<(), BeaconError> {
    let now = Now {
        age_ms: 0,
        wall_ms: 1_700_000_000_000,
    };
    let mut roster = Roster::new(RosterConfig::default(), PresenceEntry::default(), now);
    for id in ["Mac-1", " mac-1 "] {
        let mut beacon = Beacon::new("hello");
        beacon.instance_id = Some(id.into());
        roster.beacon(&beacon, Holder::Unlimited, now)?;
    }
    println!("now: {}", roster.encode_list(now));
    println!("in 5 min: {}", roster.encode_list(now.after(300_001)));
    Ok(())
}
