//! The entries of the buckets, with their ages.

use async_nats::jetstream::kv::{Entry, Operation};
use presence_core::cluster::{ClusterInput, RowChange};
use tokio::time::Instant;

use super::buckets::LEASES;

/// Ages of the entries of the snapshot. Later entries are new.
pub(super) struct Ages {
    pub(super) clock: ServerClock,
    /// The last revisions before the watches began; 0: the bucket was empty.
    pub(super) last_lease: u64,
    pub(super) last_row: u64,
}

impl Ages {
    pub(super) fn last(&self, bucket: &str) -> u64 {
        if bucket == LEASES {
            self.last_lease
        } else {
            self.last_row
        }
    }

    pub(super) fn of(&self, entry: &Entry, bucket: &str) -> u64 {
        if entry.revision > self.last(bucket) {
            return 0;
        }
        self.clock.age_ms(entry)
    }
}

/// The clock of the server, from the claim of the name.
pub(super) struct ServerClock {
    pub(super) claimed_ns: i128,
    pub(super) at: Instant,
}

impl ServerClock {
    fn age_ms(&self, entry: &Entry) -> u64 {
        let now_ns = self.claimed_ns + i128::try_from(self.at.elapsed().as_nanos()).unwrap_or(0);
        let age_ns = now_ns - entry.created.unix_timestamp_nanos();
        u64::try_from(age_ns / 1_000_000).unwrap_or(0)
    }
}

/// The input for an entry; `None` for keys of other programs.
pub(super) fn input(entry: Entry, age_ms: u64, is_lease: bool) -> Option<ClusterInput> {
    if is_lease {
        // A lease that expired on the server expires here by its age, too.
        let value = match entry.operation {
            Operation::Put => Some(entry.value.to_vec()),
            Operation::Delete => None,
            Operation::Purge => return None,
        };
        return Some(ClusterInput::Lease {
            gateway: entry.key.into(),
            age_ms,
            value,
        });
    }
    let (gateway, number) = entry.key.split_once('.')?;
    let change = match entry.operation {
        Operation::Put => RowChange::Put(entry.value.to_vec()),
        Operation::Delete => RowChange::Deleted,
        Operation::Purge => RowChange::Expired,
    };
    Some(ClusterInput::Row {
        gateway: gateway.into(),
        number: number.parse().ok()?,
        age_ms,
        change,
    })
}
