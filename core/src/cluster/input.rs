//! The inputs and outputs of a [`Cluster`](super::Cluster).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// An input from the session with the buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterInput {
    /// A session begins: the name is claimed next, then both buckets are watched, and a snapshot of them follows. Hand
    /// this in before the claim, which shows the server's clock: inputs after a suspension of the machine may be
    /// delayed.
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

/// A change of a row in its bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// It was written.
    Put(Vec<u8>),
    /// Its gateway deleted it.
    Deleted,
    /// It expired on the server. This is only a hint, because the server's clock may have been set.
    Expired,
}

/// An action for the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterOutput {
    /// Write this and hand in [`ClusterInput::Written`], or [`ClusterInput::Left`] if that fails. There is one batch at
    /// a time.
    Write(ClusterBatch),
    /// End the session, and join again.
    Restart(Restart),
    /// Log this: it concerns another gateway of the fleet.
    Warn(String),
}

/// Values to write.
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
    /// Inputs may have been delayed for long.
    #[error("this machine was suspended: reading all rows")]
    Suspended,
}
