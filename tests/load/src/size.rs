//! How much of everything.

use std::time::Duration;

/// How thorough a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scale {
    /// The sizes of the project's targets
    #[default]
    Full,
    /// The same sizes, measured for a shorter time
    Quick,
    /// For a gateway that is slow
    Peer,
    /// To see that it works
    Tiny,
}

/// The figures of a scale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// How often a start is repeated.
    pub(crate) starts: usize,
    /// How often everybody connects at once.
    pub(crate) storms: usize,
    /// Rows of the roster, the gateway's own included.
    pub(crate) rows: usize,
    /// Pairs of a gateway's round and a bare server's.
    pub(crate) pairs: usize,
    /// Readers of a fan-out.
    pub(crate) readers: usize,
    /// Clients that connect at once.
    pub(crate) storm: usize,
    /// The same, of those who are not held to the gateway's default cap.
    pub(crate) big_storm: usize,
    pub(crate) concurrency: usize,
    /// Connections that stay idle.
    pub(crate) idle: usize,
    /// How long they are watched: a ping falls into it.
    pub(crate) idle_time: Duration,
    /// Connections that send beacons.
    pub(crate) beacons: usize,
    /// How long a load lasts, and one side of a pair of loads.
    pub(crate) load_time: Duration,
    pub(crate) pair_time: Duration,
    /// Connections that ask for the list.
    pub(crate) askers: usize,
    /// How long changes go on beside readers that read nothing.
    pub(crate) slow_time: Duration,
    /// After what time without a byte our gateway drops them, in ms.
    pub(crate) stall_ms: u64,
    /// How often each attack is tried, for how long, and with how many sockets at most.
    pub(crate) hostile_runs: usize,
    pub(crate) hostile_time: Duration,
    pub(crate) hostile_sockets: usize,
    /// The points of the curve over connections.
    pub(crate) curve: &'static [usize],
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
            },
        }
    }
}
