//! No row outlives its last proof of life by more than TTL + 1 s, whatever the clocks, the timers and
//! the clients do; after a suspension a row with a live connection has one pong window + 1 s (SPEC 1.5).
//!
//! Seeded schedules drive the hub on a virtual clock: `SEED=7 cargo test --test guarantee` replays one.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod world;

use presence_conformance::seed::for_each_seed;

use world::World;

#[test]
fn no_row_outlives_its_last_proof_of_life() {
    for_each_seed(60, |rng| {
        let mut world = World::new(rng);
        world.run(1_500);
        assert!(
            world.expired > 0 && world.dropped > 0,
            "nothing expired: the schedule is too kind"
        );
    });
}
