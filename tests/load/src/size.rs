//! Sizes of the measurements.

use std::time::Duration;

/// Extent of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scale {
    /// The sizes of the project's targets
    #[default]
    Full,
    /// The same sizes, measured for a shorter time
    Quick,
    /// For a gateway that is slow
    Peer,
    /// For tests of the generator itself
    Tiny,
}

/// The figures of a scale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Starts.
    pub(crate) starts: usize,
    /// Connect storms.
    pub(crate) storms: usize,
    /// Rows of the roster, the gateway's own included.
    pub(crate) rows: usize,
    /// Pairs of one round of the gateway and one of the bare server.
    pub(crate) pairs: usize,
    /// Readers of a fan-out.
    pub(crate) readers: usize,
    /// Clients that connect at once.
    pub(crate) storm: usize,
    /// Clients that connect at once to a gateway with a larger cap.
    pub(crate) big_storm: usize,
    pub(crate) concurrency: usize,
    /// Connections that stay idle.
    pub(crate) idle: usize,
    /// Time that idle connections are watched: longer than the ping interval.
    pub(crate) idle_time: Duration,
    /// Connections that send beacons.
    pub(crate) beacons: usize,
    /// Duration of a load, and of one side of a pair of loads.
    pub(crate) load_time: Duration,
    pub(crate) pair_time: Duration,
    /// Connections that request the list.
    pub(crate) askers: usize,
    /// Duration of changes beside readers that have stopped reading.
    pub(crate) slow_time: Duration,
    /// Time without a byte after which our gateway drops a reader, in ms.
    pub(crate) stall_ms: u64,
    /// Runs of each attack, their duration, and the most sockets.
    pub(crate) hostile_runs: usize,
    pub(crate) hostile_time: Duration,
    pub(crate) hostile_sockets: usize,
    /// Numbers of connections of the curve.
    pub(crate) curve: &'static [usize],
    /// Connections of the largest measurement, and how many of them may be open from one address: an address has about
    /// 28,000 ports for them, and the system searches longer for a free one as they are used up.
    pub(crate) many: usize,
    pub(crate) per_address: usize,
}

impl Scale {
    pub(crate) fn size(self) -> Size {
        let full = Size {
            starts: 15,
            storms: 5,
            rows: 200,
            pairs: 11,
            readers: 1_000,
            storm: 200,
            big_storm: 1_000,
            concurrency: 32,
            idle: 10_000,
            idle_time: Duration::from_secs(32),
            beacons: 200,
            load_time: Duration::from_secs(4),
            pair_time: Duration::from_millis(700),
            askers: 16,
            slow_time: Duration::from_secs(75),
            stall_ms: 20_000,
            hostile_runs: 3,
            hostile_time: Duration::from_secs(6),
            hostile_sockets: 2_500,
            curve: &[100, 300, 1_000, 3_000, 10_000],
            many: 100_000,
            per_address: 5_000,
        };
        match self {
            Self::Full => full,
            Self::Quick => Size {
                starts: 5,
                storms: 3,
                pairs: 5,
                idle_time: Duration::from_secs(6),
                load_time: Duration::from_secs(2),
                pair_time: Duration::from_millis(300),
                slow_time: Duration::from_secs(12),
                stall_ms: 4_000,
                hostile_time: Duration::from_secs(3),
                curve: &[100, 1_000],
                many: 10_000,
                ..full
            },
            Self::Peer => Size {
                starts: 3,
                storms: 1,
                pairs: 5,
                idle: 500,
                idle_time: Duration::from_secs(10),
                pair_time: Duration::from_secs(1),
                slow_time: Duration::from_secs(90),
                hostile_runs: 1,
                curve: &[100],
                many: 500,
                ..full
            },
            Self::Tiny => Size {
                starts: 1,
                storms: 1,
                rows: 12,
                pairs: 2,
                readers: 6,
                storm: 6,
                big_storm: 6,
                concurrency: 3,
                idle: 6,
                idle_time: Duration::from_millis(100),
                beacons: 6,
                load_time: Duration::from_millis(100),
                pair_time: Duration::from_millis(50),
                askers: 2,
                slow_time: Duration::from_millis(500),
                stall_ms: 20_000,
                hostile_runs: 1,
                hostile_time: Duration::from_millis(300),
                hostile_sockets: 6,
                curve: &[2, 4],
                many: 6,
                per_address: 2,
            },
        }
    }
}
