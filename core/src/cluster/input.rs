//! What the shell of a [`Cluster`](super::Cluster) hands in, and what it is to do.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Something the buckets said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterInput {
    /// A session begins: the name is claimed next, then both buckets are watched, and a snapshot of them follows. Hand this
    /// in before the claim, which shows the clock of the server: what is said after a suspension has waited.
    Joining,
    /// The snapshot is complete.
    Settled,
    /// The last batch is written.
    Written,
    /// The buckets cannot be reached.
    Left,
    /// A lease was written, or deleted (`None`).
    Lease {
        /// Its gateway.
        gateway: Box<str>,
        /// Its age, in ms, by the clock of the server.
        age_ms: u64,
        /// Its value.
        value: Option<Vec<u8>>,
    },
    /// A row changed.
    Row {
        /// Its gateway.
        gateway: Box<str>,
        /// Its number there.
        number: u64,
        /// Age of the change, in ms, by the clock of the server.
        age_ms: u64,
        /// The change.
        change: RowChange,
    },
}

/// What happened to a row in its bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// It was written.
    Put(Vec<u8>),
    /// Its gateway deleted it.
    Deleted,
    /// The server removed it for its age: a hint, because the server's clock may have been set.
    Expired,
}

/// What the shell has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterOutput {
    /// Write this and hand in [`ClusterInput::Written`], or [`ClusterInput::Left`] if that fails. There is one batch at a
    /// time.
    Write(ClusterBatch),
    /// End the session, and join again.
    Restart(Restart),
    /// Log this: it concerns another gateway of the fleet.
    Warn(String),
}

/// What to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterBatch {
    /// Rows, in any order. They are written before the lease.
    pub rows: Vec<RowWrite>,
    /// The value of this gateway's lease.
    pub lease: Option<String>,
}

/// A row to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowWrite {
    /// Its number, which is part of its key in the bucket.
    pub number: u64,
    /// Its value; `None` deletes it.
    pub value: Option<String>,
}

/// Why a session has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Restart {
    /// Another process renews the lease of this gateway.
    #[error("another gateway of the fleet has this name")]
    NameTaken,
    /// Rows are missing that their gateway wrote.
    #[error("rows are missing: reading all of them")]
    Resync,
    /// What the buckets said may have waited for long.
    #[error("this machine was suspended: reading all rows")]
    Suspended,
}
