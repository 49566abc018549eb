//! This gateway as one of a fleet that shares its rosters through two buckets of keys and values (SPEC 7.1).
//!
//! Each gateway writes its own lease and rows, and reads those of all others: no key has two writers, so no write has
//! to be compared, locked or retried. The bucket is not the source of truth: each gateway has its own connections, and
//! writes their rows again whenever the bucket may lack them.
//!
//! [`Cluster`] is a state machine beside a [`Hub`](crate::server::Hub): the shell hands in [`ClusterInput`] and carries
//! out [`ClusterOutput`]. Values hold ages and counters, never times of a wall clock.
//!
//! | part | contents |
//! |---|---|
//! | `own` | the rows of this gateway as they were written, and pending writes |
//! | `peer` | the rows of one other gateway, as they were read |
//! | `machine` | the state machine |
//! | `wire` | the values as JSON |

mod input;
mod machine;
mod own;
mod peer;
#[cfg(test)]
mod tests;
mod wire;

use alloc::string::String;

pub use self::input::{ClusterBatch, ClusterInput, ClusterOutput, Restart, RowChange, RowWrite};
pub use self::machine::{Cluster, ClusterConfig};

use self::wire::LeaseValue;

/// Version of the buckets' contents.
pub const FORMAT: u64 = 1;
/// Time after the last renewal of its lease at which a gateway counts as gone, in ms.
pub const LEASE_MS: u64 = 15_000;
/// Interval of renewals, in ms.
pub const HEARTBEAT_MS: u64 = 5_000;
/// Time without a renewal after which another process can take a name over, in ms.
pub const TAKEOVER_MS: u64 = HEARTBEAT_MS + HEARTBEAT_MS / 2;
/// How long a row stays in its bucket without being written again, in ms.
pub const ROW_AGE_MS: u64 = 3_600_000;
/// Most warnings about other gateways that a [`Cluster`] returns.
pub const MAX_WARNINGS: usize = 64;
/// Interval at which unchanged rows are written again, in ms.
const REWRITE_MS: u64 = ROW_AGE_MS / 3;
/// Shortest time between two batches, in ms.
const WINDOW_MS: u64 = 20;
/// Most rows of a batch.
const MAX_BATCH: usize = 256;
/// Most rows that a gateway writes, and reads of another one.
const MAX_ROWS: usize = 10_000;
/// Shortest time between two snapshots that are read because rows are missing, in ms.
const RESYNC_MS: u64 = 60_000;

/// The lease with which a process claims its name; it holds no rows.
#[must_use]
pub fn claim(boot_id: &str) -> String {
    let lease = LeaseValue {
        format: FORMAT,
        boot: boot_id.into(),
        incarnation: 0,
        stamp: 0,
        rows: alloc::vec::Vec::new(),
    };
    lease.to_json()
}

/// Whether the lease was written by the process with that id.
#[must_use]
pub fn is_claimed_by(lease: &[u8], boot_id: &str) -> bool {
    wire::read_lease(lease).is_ok_and(|lease| *lease.boot == *boot_id)
}
