//! Failures of commands. Each kind has its own exit code and first word, which scripts can rely on.

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Anything else. Exit code 1.
    #[error("failed: {0}")]
    Other(String),
    /// The arguments, the environment or the configuration file are wrong. Exit code 2.
    #[error("usage: {0}")]
    Usage(String),
    /// There is no response from that address. Exit code 3.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The gateway refuses. Exit code 4.
    #[error("refused: {0}")]
    Refused(String),
    /// It took too long. Exit code 5.
    #[error("timeout: {0}")]
    Timeout(String),
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Other(_) => 1,
            Self::Usage(_) => 2,
            Self::Connect(_) => 3,
            Self::Refused(_) => 4,
            Self::Timeout(_) => 5,
        }
    }
}
