//! Errors of a session, with their texts.

use std::time::Duration;

use async_nats::ConnectErrorKind;
use presence_core::cluster::Restart;

use crate::log::escaped;

/// Most bytes of a server's words in the log.
const MAX_WORDS_BYTES: usize = 512;
/// Interval of retries after a problem that the operator has to solve.
const SETTLED_RETRY: Duration = Duration::from_secs(10);
/// Longest interval of retries while the server is away.
const MAX_RETRY: Duration = Duration::from_millis(500);
/// The first interval.
const MIN_RETRY: Duration = Duration::from_millis(50);

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("cannot connect to {servers}: {error}")]
    Connect { servers: String, error: String },
    #[error("{0} refuses the credentials: set the user and password in --cluster, or --cluster-creds")]
    Credentials(String),
    #[error("the connection to {0} is lost")]
    Lost(String),
    #[error("{0} has no JetStream: start nats-server with -js, or enable it for the account")]
    NoJetStream(String),
    #[error("bucket {0} does not answer: its servers are electing a leader, or are overloaded")]
    Silent(&'static str),
    #[error("bucket {bucket}: {why}")]
    Bucket { bucket: &'static str, why: String },
    #[error(
        "bucket {bucket} was made by another version or by hand ({what}): delete it with `nats kv del {bucket}` while no gateway uses it"
    )]
    OtherBucket { bucket: &'static str, what: String },
    #[error("another gateway of the fleet is called '{0}': give each gateway a --cluster-name of its own")]
    NameTaken(Box<str>),
    #[error("{0}")]
    Restart(Restart),
    #[error("the gateway stops")]
    Stopped,
}

impl Problem {
    pub(super) fn connect(servers: String, error: &async_nats::ConnectError) -> Self {
        match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                Self::Credentials(servers)
            }
            _ => Self::Connect {
                servers,
                error: escaped(&error.to_string(), MAX_WORDS_BYTES),
            },
        }
    }

    pub(super) fn bucket(bucket: &'static str, error: &dyn std::error::Error) -> Self {
        let mut why = error.to_string();
        if let Some(source) = error.source() {
            why = format!("{why} ({source})");
        }
        Self::Bucket {
            bucket,
            why: escaped(&why, MAX_WORDS_BYTES),
        }
    }

    /// How long to wait before the next session, after `failures` failed sessions in a row.
    pub(super) fn retry(&self, failures: u32) -> Duration {
        match self {
            Self::Credentials(_) | Self::NoJetStream(_) | Self::OtherBucket { .. } | Self::NameTaken(_) => {
                SETTLED_RETRY
            }
            // Several in a row would be a loop.
            Self::Restart(_) if failures == 0 => Duration::ZERO,
            // It was waited for.
            Self::Silent(_) => MIN_RETRY,
            _ => MAX_RETRY.min(MIN_RETRY.saturating_mul(1 << failures.min(8))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_immediate_only_after_a_steady_session() {
        let retry = |failures| Problem::Restart(Restart::Resync).retry(failures);
        assert_eq!(retry(0), Duration::ZERO);
        assert_eq!(retry(1), Duration::from_millis(100));
        assert_eq!(retry(40), MAX_RETRY);
    }

    #[test]
    fn words_of_a_server_cannot_break_a_line() {
        let error = std::io::Error::other("x\n2026 INFO accepted \u{1b}[2J\u{202e}");
        let line = Problem::bucket("rows", &error).to_string();
        assert_eq!(line, r"bucket rows: x\n2026 INFO accepted \u{1b}[2J\u{202e}");
    }
}
