//! For any operations in any order, a client's mirror equals the gateway's list (SPEC 2.1).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod follower;
mod house;

use std::ops::Range;

use proptest::prelude::*;

use crate::house::House;

/// An operation; numbers are taken modulo the count of objects.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A beacon: a new row or a changed one.
    Beacon {
        instance: u8,
        device: Option<u8>,
        text: u8,
        last_input: Option<u16>,
    },
    /// A client connects, or connects once more; with a verified device, and perhaps without an id.
    Join {
        instance: Option<u8>,
        device: Option<u8>,
    },
    /// One of them goes.
    Leave(u8),
    /// One of them answers no pings any more, or does again.
    Mute(u8),
    /// An unsolicited pong: a touch.
    Pong(u8),
    /// So many long texts that clients which do not read fall behind.
    Flood(u8),
    Pass(u32),
    WallStep(i32),
    /// A follower stops reading, or goes on.
    Pause(u8),
    /// The next frames to a follower are lost.
    Lose {
        follower: u8,
        frames: u8,
    },
    /// A follower's socket fails.
    Break(u8),
}

fn event() -> impl Strategy<Value = Event> {
    let pass: [(u32, Range<u32>); 3] = [(4, 0..60), (4, 60..5_000), (2, 5_000..90_000)];
    prop_oneof![
        10 => (0..14u8, proptest::option::of(0..4u8), any::<u8>(), proptest::option::of(0..5_000u16))
            .prop_map(|(instance, device, text, last_input)| Event::Beacon { instance, device, text, last_input }),
        4 => (proptest::option::of(0..8u8), proptest::option::of(0..3u8))
            .prop_map(|(instance, device)| Event::Join { instance, device }),
        3 => any::<u8>().prop_map(Event::Leave),
        1 => any::<u8>().prop_map(Event::Mute),
        2 => any::<u8>().prop_map(Event::Pong),
        1 => (0..14u8).prop_map(Event::Flood),
        8 => proptest::strategy::Union::new_weighted(pass.map(|(weight, range)| (weight, range.boxed())).to_vec())
            .prop_map(Event::Pass),
        1 => (-10_000_000..10_000_000i32).prop_map(Event::WallStep),
        2 => any::<u8>().prop_map(Event::Pause),
        2 => (any::<u8>(), 1..4u8).prop_map(|(follower, frames)| Event::Lose { follower, frames }),
        1 => any::<u8>().prop_map(Event::Break),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 160,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// After every event, each delta follower that has the gateway's version has its rows and its digest;
    /// at the end, once nothing is withheld any more, every follower has.
    #[test]
    fn every_mirror_equals_the_roster(
        events in proptest::collection::vec(event(), 1..120),
        max_entries in 3..14usize,
        window_ms in prop_oneof![Just(0u64), Just(50)],
    ) {
        let mut house = House::new(max_entries, window_ms);
        for event in &events {
            house.happen(event);
            house.check_those_with_the_version();
        }
        house.come_to_rest();
        house.check_all();
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A digest would mend a wrong delta by a resync, so there must be none where nothing is lost.
    #[test]
    fn without_losses_deltas_are_enough(
        mut events in proptest::collection::vec(event(), 1..120),
        max_entries in 3..14usize,
    ) {
        events.retain(|event| !matches!(event, Event::Pause(_) | Event::Lose { .. }));
        let mut house = House::new(max_entries, 50);
        for event in &events {
            house.happen(event);
            house.check_those_with_the_version();
        }
        house.come_to_rest();
        house.check_all();
        prop_assert_eq!(house.seen().resyncs, 0);
    }
}

/// The property above produces deltas of every kind, snapshots for clients that fell behind, and resyncs. Without this
/// test it could pass without any of them.
#[test]
fn the_events_reach_every_kind_of_frame() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = follower::Seen::default();
    for _ in 0..60 {
        let events = proptest::collection::vec(event(), 120)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let mut house = House::new(8, 50);
        events.iter().for_each(|event| house.happen(event));
        house.come_to_rest();
        seen.add(&house.seen());
    }
    let follower::Seen {
        upserts,
        removals,
        touches,
        lone_touches,
        snapshots,
        resyncs,
        lists,
        connects,
    } = seen;
    for count in [
        upserts,
        removals,
        touches,
        lone_touches,
        snapshots,
        resyncs,
        lists,
        connects,
    ] {
        assert!(count >= 10, "{seen:?}");
    }
}
