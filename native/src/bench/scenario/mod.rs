//! What is measured.

mod beacons;
mod curve;
mod fanout;
mod hostile;
mod idle;
mod reconnect;
mod requests;
mod slow;
mod start;
mod storm;

use super::{Bench, BenchError};

/// One measurement.
pub(super) struct Scenario {
    /// What `--only` takes, and how the names of its figures begin.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) run: fn(&mut Bench) -> Result<(), BenchError>,
}

/// All of them.
pub(super) const ALL: &[Scenario] = &[
    start::SCENARIO,
    idle::SCENARIO,
    storm::SIGNED,
    storm::DELTAS,
    storm::FULL,
    fanout::FULL,
    fanout::DELTAS,
    beacons::SCENARIO,
    requests::SCENARIO,
    slow::SCENARIO,
    hostile::SCENARIO,
    reconnect::SCENARIO,
    curve::SCENARIO,
];
