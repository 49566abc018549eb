//! The driver's end of the webhook: takes joins and leaves out of the hub, and queues them.

use std::sync::Arc;

use presence_core::Now;
use presence_core::roster::{Follower, Visit, Visits};
use presence_core::server::Hub;
use tokio::sync::mpsc;
use tracing::warn;

use super::MAX_WAITING;
use super::event::Event;
use crate::log::OncePerMinute;
use crate::metrics::{Metrics, set_gauge};

/// Coalescing window for changes, in ms: handling each change of a burst by itself would slow the driver.
const GATHER_MS: u64 = 100;

/// The joins and leaves of this run of the gateway.
#[derive(Debug)]
pub(crate) struct WebhookHandle {
    visits: Visits,
    boot_id: Box<str>,
    /// The number of the last event.
    number: u64,
    /// `None` once the gateway stops.
    queue: Option<mpsc::Sender<Event>>,
    /// When changes were last taken, on the age clock.
    taken_ms: u64,
    dropped: u64,
    dropped_lines: OncePerMinute,
    metrics: Option<Arc<Metrics>>,
}

impl WebhookHandle {
    /// Reports joins and leaves from now on. Also returns the receiving end of the queue.
    pub(crate) fn new(
        grace_ms: u64,
        max_entries: usize,
        boot_id: Box<str>,
        metrics: Option<Arc<Metrics>>,
        hub: &mut Hub,
    ) -> (Self, mpsc::Receiver<Event>) {
        hub.keep_row_changes(Follower::Webhook);
        let (queue, events) = mpsc::channel(MAX_WAITING);
        let handle = Self {
            visits: Visits::new(grace_ms, max_entries),
            boot_id,
            number: 0,
            queue: Some(queue),
            taken_ms: 0,
            dropped: 0,
            dropped_lines: OncePerMinute::default(),
            metrics,
        };
        (handle, events)
    }

    /// Returns when to call [`report`](Self::report), on the age clock; `None` if there are no changes.
    pub(crate) fn deadline(&self, hub: &Hub) -> Option<u64> {
        self.queue.as_ref()?;
        let changes = hub
            .has_row_changes(Follower::Webhook)
            .then(|| self.taken_ms.saturating_add(GATHER_MS));
        changes.into_iter().chain(self.visits.poll_timeout()).min()
    }

    /// Queues the joins and leaves that are due.
    pub(crate) fn report(&mut self, hub: &mut Hub, now: Now) {
        if self.deadline(hub).is_none_or(|at_ms| at_ms > now.age_ms) {
            return;
        }
        self.taken_ms = now.age_ms;
        let visits = self
            .visits
            .apply(hub.take_row_changes(Follower::Webhook, now), now);
        self.queue_all(&visits, now);
    }

    /// Queues the last events before the gateway stops: later disconnects are not leaves of clients.
    pub(crate) fn end(&mut self, hub: &mut Hub, now: Now) {
        let changes = hub.take_row_changes(Follower::Webhook, now);
        let mut visits = self.visits.apply(changes, now);
        visits.extend(self.visits.end());
        self.queue_all(&visits, now);
        self.queue = None;
    }

    /// Publishes the number of waiting events.
    pub(crate) fn publish(&self, metrics: &Metrics) {
        let waiting = |queue: &mpsc::Sender<Event>| queue.max_capacity() - queue.capacity();
        set_gauge(&metrics.webhook_waiting, self.queue.as_ref().map_or(0, waiting));
    }

    fn queue_all(&mut self, visits: &[Visit], now: Now) {
        let Some(queue) = &self.queue else { return };
        let mut dropped = 0;
        for visit in visits {
            self.number += 1;
            let event = Event::new(visit, &self.boot_id, self.number);
            if event.is_none_or(|event| queue.try_send(event).is_err()) {
                dropped += 1;
            }
        }
        if dropped == 0 {
            return;
        }
        self.dropped += dropped;
        if let Some(metrics) = &self.metrics {
            metrics.webhook_events.at(2).inc_by(dropped);
        }
        if self.dropped_lines.passes(now.age_ms) {
            warn!(
                dropped = self.dropped,
                "joins and leaves are not reported, because {MAX_WAITING} wait for the webhook"
            );
        }
    }
}
