//! The task that sends events one after the other, and tries again.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};

use super::event::Event;
use crate::metrics::Metrics;

/// Most attempts for one event.
const MAX_ATTEMPTS: u32 = 8;
/// The wait after the first failure in a row, which doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server has the event.
    Delivered,
    /// The server will never take it.
    Refused(StatusCode),
    /// The server may take it later.
    Failed(StatusCode),
    /// No answer in time.
    Timeout,
    /// No connection, or it ended.
    Unreachable(String),
}

impl Outcome {
    /// What a status means.
    pub(super) fn of(status: StatusCode) -> Self {
        match status {
            status if status.is_success() => Self::Delivered,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Self::Failed(status),
            status if status.is_server_error() => Self::Failed(status),
            status => Self::Refused(status),
        }
    }

    /// Its index in the labels of the metric.
    fn index(&self) -> usize {
        match self {
            Self::Delivered => 0,
            Self::Refused(_) => 1,
            Self::Failed(_) => 2,
            Self::Timeout => 3,
            Self::Unreachable(_) => 4,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered => f.write_str("delivered"),
            Self::Refused(status) if status.is_redirection() => {
                write!(f, "it answered {status}, and redirects are not followed")
            }
            Self::Refused(status) | Self::Failed(status) => write!(f, "it answered {status}"),
            Self::Timeout => f.write_str("it did not answer in time"),
            Self::Unreachable(why) => write!(f, "no connection: {why}"),
        }
    }
}

/// Sends one request.
pub(crate) trait Post {
    async fn post(&mut self, event: &Event) -> Outcome;
}

/// Sends the events one after the other until the queue is closed and empty. Once the gateway stops, each is tried once.
pub(crate) async fn deliver(
    mut client: impl Post,
    mut events: mpsc::Receiver<Event>,
    mut stopping: watch::Receiver<bool>,
    url: String,
    metrics: Option<Arc<Metrics>>,
) {
    let mut state = Deliveries {
        failures: 0,
        lost: 0,
        url,
        metrics,
    };
    while let Some(event) = events.recv().await {
        for attempt in 1..=MAX_ATTEMPTS {
            if state.failures > 0 && !is_over(&stopping) {
                tokio::select! {
                    () = tokio::time::sleep(state.wait()) => {}
                    _ = stopping.wait_for(|is| *is) => {}
                }
            }
            let outcome = client.post(&event).await;
            let may_retry = !matches!(outcome, Outcome::Delivered | Outcome::Refused(_))
                && attempt < MAX_ATTEMPTS
                && !is_over(&stopping);
            state.note(&outcome, may_retry);
            if !may_retry {
                break;
            }
        }
    }
}

/// Waits for what is not sent yet, within this time.
pub(crate) async fn finish(mut task: JoinHandle<()>, within: Duration) {
    if timeout(within, &mut task).await.is_err() {
        warn!("joins and leaves are not reported: the webhook did not take them within the time to drain");
        task.abort();
    }
}

/// Whether the gateway stops, or is gone.
fn is_over(stopping: &watch::Receiver<bool>) -> bool {
    *stopping.borrow() || stopping.has_changed().is_err()
}

/// How the deliveries go.
#[derive(Debug)]
struct Deliveries {
    /// Attempts without success in a row.
    failures: u32,
    /// Events that were given up since the last success.
    lost: u64,
    url: String,
    metrics: Option<Arc<Metrics>>,
}

impl Deliveries {
    /// How long to wait before the next attempt.
    fn wait(&self) -> Duration {
        let factor = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT)
    }

    fn note(&mut self, outcome: &Outcome, may_retry: bool) {
        let is_delivered = *outcome == Outcome::Delivered;
        if let Some(metrics) = &self.metrics {
            metrics.webhook_attempts.at(outcome.index()).inc();
            if !may_retry {
                metrics.webhook_events.at(usize::from(!is_delivered)).inc();
            }
        }
        if is_delivered {
            if self.failures > 0 {
                info!(url = %self.url, lost = self.lost, "the webhook takes events again");
            }
            (self.failures, self.lost) = (0, 0);
            return;
        }
        if self.failures == 0 {
            warn!(
                url = %self.url,
                "the webhook takes no events: {outcome}. They are tried again, at most {MAX_ATTEMPTS} times each"
            );
        }
        self.failures = self.failures.saturating_add(1);
        self.lost += u64::from(!may_retry);
    }
}
