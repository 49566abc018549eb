//! The task that sends events one after the other, and retries.

#[cfg(test)]
pub(super) mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use super::event::Event;
use crate::log::OncePerMinute;
use crate::metrics::Metrics;

/// Maximum number of attempts for one event.
const MAX_ATTEMPTS: u32 = 8;
/// Delay after the first failure; each consecutive failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Maximum delay that a server can request.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server accepted the event.
    Delivered,
    /// The server refused the event; a retry would not help.
    Refused(StatusCode),
    /// The server may accept the event later, after this delay if it states one.
    Failed(StatusCode, Option<Duration>),
    /// No response in time.
    Timeout,
    /// There was no connection, or it ended.
    Unreachable(String),
}

impl Outcome {
    /// Returns the outcome for a status. `retry_after` is the delay that the server requests.
    pub(super) fn of(status: StatusCode, retry_after: Option<Duration>) -> Self {
        let is_for_later = matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
        );
        if status.is_success() {
            Self::Delivered
        } else if is_for_later || status.is_server_error() {
            Self::Failed(status, retry_after.map(|wait| wait.min(LONGEST_RETRY_AFTER)))
        } else {
            Self::Refused(status)
        }
    }

    /// Returns its index in the metric's labels.
    fn index(&self) -> usize {
        match self {
            Self::Delivered => 0,
            Self::Refused(_) => 1,
            Self::Failed(..) => 2,
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
            Self::Refused(status) | Self::Failed(status, _) => write!(f, "it answered {status}"),
            Self::Timeout => f.write_str("it did not answer in time"),
            Self::Unreachable(why) => write!(f, "no connection: {why}"),
        }
    }
}

/// Sends one request.
pub(crate) trait Post: Send + 'static {
    fn post(&mut self, event: &Event) -> impl Future<Output = Outcome> + Send;
}

/// The task that sends the events.
#[derive(Debug)]
pub(crate) struct Delivery {
    task: JoinHandle<()>,
    /// Gives up the waiting events.
    cut: oneshot::Sender<()>,
}

impl Delivery {
    /// Sends the events one after the other until the queue is closed and empty. Once the gateway stops, each event has
    /// one attempt.
    pub(crate) fn start(
        client: impl Post,
        events: mpsc::Receiver<Event>,
        stopping: watch::Receiver<bool>,
        url: String,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        let deliveries = Deliveries {
            stopping,
            failures: 0,
            retry_at: None,
            is_down: false,
            given_up: 0,
            refused: 0,
            refused_lines: OncePerMinute::default(),
            began: Instant::now(),
            has_event: false,
            url,
            metrics,
        };
        let (cut, is_cut) = oneshot::channel();
        Self {
            task: tokio::spawn(deliver(client, events, is_cut, deliveries)),
            cut,
        }
    }

    /// Waits until all events are sent. Gives up the remaining ones at the deadline.
    pub(crate) async fn finish(mut self, deadline: Instant) {
        if timeout_at(deadline, &mut self.task).await.is_err() {
            let _ = self.cut.send(());
            // The task reports its own panic.
            let _ = self.task.await;
        }
    }
}

async fn deliver(
    mut client: impl Post,
    mut events: mpsc::Receiver<Event>,
    is_cut: oneshot::Receiver<()>,
    mut deliveries: Deliveries,
) {
    tokio::select! {
        biased;
        () = deliveries.send_all(&mut client, &mut events) => {}
        // If the gateway was dropped, nothing cuts the deliveries.
        Ok(()) = is_cut => deliveries.give_up(events.len()),
    }
}

/// Returns whether the gateway stops or was dropped.
fn is_over(stopping: &watch::Receiver<bool>) -> bool {
    *stopping.borrow() || stopping.has_changed().is_err()
}

/// The state of the deliveries.
#[derive(Debug)]
struct Deliveries {
    stopping: watch::Receiver<bool>,
    /// Number of consecutive failures.
    failures: u32,
    /// The server asked for no request before this time.
    retry_at: Option<Instant>,
    /// Whether the failure was logged.
    is_down: bool,
    /// Number of events that were given up since the last delivery.
    given_up: u64,
    /// Number of refused events.
    refused: u64,
    refused_lines: OncePerMinute,
    began: Instant,
    /// Whether an event from the queue is being sent.
    has_event: bool,
    url: String,
    metrics: Option<Arc<Metrics>>,
}

impl Deliveries {
    async fn send_all(&mut self, client: &mut impl Post, events: &mut mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            self.has_event = true;
            self.send(client, &event).await;
            self.has_event = false;
        }
    }

    async fn send(&mut self, client: &mut impl Post, event: &Event) {
        for attempt in 1..=MAX_ATTEMPTS {
            if self.failures > 0 && !is_over(&self.stopping) {
                let until = self.wait_until();
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    _ = self.stopping.wait_for(|is| *is) => {}
                }
            }
            let outcome = client.post(event).await;
            let may_retry = !matches!(outcome, Outcome::Delivered | Outcome::Refused(_))
                && attempt < MAX_ATTEMPTS
                && !is_over(&self.stopping);
            self.note(&outcome, may_retry);
            if !may_retry {
                break;
            }
        }
    }

    /// Returns when the next attempt after a failure is due.
    fn wait_until(&self) -> Instant {
        let factor = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        let wait = FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT);
        let until = Instant::now() + wait;
        self.retry_at.map_or(until, |at| at.max(until))
    }

    fn note(&mut self, outcome: &Outcome, may_retry: bool) {
        if let Some(metrics) = &self.metrics {
            metrics.webhook_attempts.at(outcome.index()).inc();
            if !may_retry {
                let is_delivered = *outcome == Outcome::Delivered;
                metrics.webhook_events.at(usize::from(!is_delivered)).inc();
            }
        }
        self.retry_at = match outcome {
            Outcome::Failed(_, Some(wait)) => Some(Instant::now() + *wait),
            _ => None,
        };
        match outcome {
            Outcome::Delivered => {
                if self.is_down {
                    info!(url = %self.url, lost = self.given_up, "the webhook takes events again");
                }
                self.is_down = false;
                (self.failures, self.given_up) = (0, 0);
            }
            // The server works, and may accept the next event.
            Outcome::Refused(_) => {
                self.failures = 0;
                self.refused += 1;
                let elapsed_ms = self.began.elapsed().as_millis();
                if self
                    .refused_lines
                    .passes(u64::try_from(elapsed_ms).unwrap_or(u64::MAX))
                {
                    warn!(
                        url = %self.url,
                        refused = self.refused,
                        "the webhook refuses events: {outcome}. They are given up"
                    );
                }
            }
            _ => {
                if !self.is_down {
                    warn!(
                        url = %self.url,
                        "the webhook takes no events: {outcome}. They are tried again, at most {MAX_ATTEMPTS} times each"
                    );
                }
                self.is_down = true;
                self.failures = self.failures.saturating_add(1);
                self.given_up += u64::from(!may_retry);
            }
        }
    }

    /// Counts the `waiting` events, and the one that is being sent, as dropped: the time limit has passed.
    fn give_up(&self, waiting: usize) {
        let dropped = waiting as u64 + u64::from(self.has_event);
        if let Some(metrics) = &self.metrics {
            metrics.webhook_events.at(2).inc_by(dropped);
        }
        warn!(
            url = %self.url,
            dropped,
            "joins and leaves are not reported: the webhook did not take them within the time to drain"
        );
    }
}
