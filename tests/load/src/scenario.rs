//! The measurements.

mod beacons;
mod curve;
mod fanout;
mod hostile;
mod idle;
mod many;
mod observe;
mod reconnect;
mod requests;
mod scrape;
mod slow;
mod start;
mod storm;

use crate::bench::Bench;
use crate::error::BenchError;

/// One measurement.
pub(crate) struct Scenario {
    /// Value for `--only`, and prefix of the names of its figures.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) run: fn(&mut Bench) -> Result<(), BenchError>,
}

/// All measurements.
pub(crate) const ALL: &[Scenario] = &[
    start::SCENARIO,
    idle::PLAIN,
    idle::ENCRYPTED,
    storm::SIGNED,
    storm::DELTAS,
    storm::FULL,
    fanout::FULL,
    fanout::DELTAS,
    fanout::ENCRYPTED,
    beacons::SCENARIO,
    requests::SCENARIO,
    scrape::SCENARIO,
    slow::SCENARIO,
    hostile::SCENARIO,
    reconnect::SCENARIO,
    observe::SCENARIO,
    curve::SCENARIO,
    many::SCENARIO,
];
