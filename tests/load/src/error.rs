//! Why a measurement failed.

use std::io;
use std::path::PathBuf;

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// A system call failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A program could not be started.
    #[error("cannot start {}: {source}", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The report could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The gateway, or the bare server, did not do what a measurement needs.
    #[error("{0}")]
    Gateway(String),
    /// An attack was refused before it reached its aim.
    #[error("attack {0}")]
    Attack(String),
}
