//! The part of the driver that counts for metrics.

use std::sync::Arc;
use std::time::Instant;

use presence_core::Now;
use presence_core::server::{ConnId, Handshake};

use super::Driver;
use crate::metrics::{Class, Leave, Metrics, set, set_gauge};

/// Shortest time between two publications of values from the hub and the peers, in ms.
const INTERVAL_MS: u64 = 1_000;

/// The driver's counts, and the time of its next publication.
#[derive(Debug)]
pub(super) struct Meter {
    metrics: Arc<Metrics>,
    /// The classes of the connections, by slot.
    classes: Vec<Option<Class>>,
    /// When the pass of the driver's loop began whose broadcast is being sent, or the last pass.
    began: Instant,
    /// When the next scrape gets newer values, on the age clock.
    publish_at_ms: u64,
}

/// Waits until a scrape needs what the driver publishes.
pub(super) async fn is_scraped(meter: Option<&Meter>) {
    match meter {
        Some(meter) => meter.metrics.publication.requested().await,
        None => std::future::pending().await,
    }
}

impl Driver {
    /// Counts for these metrics. Must be called before [`run`](Self::run).
    pub(crate) fn with_metrics(mut self, metrics: Option<Arc<Metrics>>) -> Self {
        self.meter = metrics.map(|metrics| {
            Box::new(Meter {
                metrics,
                classes: Vec::new(),
                began: Instant::now(),
                publish_at_ms: 0,
            })
        });
        self
    }

    /// The metrics, if they are on.
    #[cfg(feature = "webhook")]
    pub(super) fn metrics(&self) -> Option<Arc<Metrics>> {
        self.meter.as_ref().map(|meter| Arc::clone(&meter.metrics))
    }

    /// The classes of clients that join; none without metrics.
    pub(super) fn classes(&self, handshakes: &[Handshake]) -> Vec<Class> {
        match self.meter {
            Some(_) => handshakes.iter().map(Class::of).collect(),
            None => Vec::new(),
        }
    }

    /// Counts a connection that joined.
    pub(super) fn note_join(&mut self, conn: ConnId, class: Option<Class>) {
        let (Some(meter), Some(class)) = (&mut self.meter, class) else {
            return;
        };
        let slot = conn.slot as usize;
        if meter.classes.len() <= slot {
            meter.classes.resize(slot + 1, None);
        }
        meter.classes[slot] = Some(class);
        meter.metrics.joins.inc();
        meter.metrics.connections.at(class.index()).inc();
    }

    /// Counts a connection that is gone.
    pub(super) fn note_leave(&mut self, conn: ConnId, reason: Leave) {
        let Some(meter) = &mut self.meter else { return };
        let class = meter.classes.get_mut(conn.slot as usize).and_then(Option::take);
        if let Some(class) = class {
            meter.metrics.leaves.at(reason as usize).inc();
            meter.metrics.connections.at(class.index()).dec();
        }
    }

    /// A pass of the driver's loop begins; the hub's deadline is not handled yet.
    pub(super) fn start_metering(&mut self, now: Now) {
        let Some(meter) = &mut self.meter else { return };
        if !self.hub.awaits_sent() {
            meter.began = Instant::now();
        }
        if let Some(late_ms) = self
            .hub
            .poll_timeout()
            .and_then(|at_ms| now.age_ms.checked_sub(at_ms))
        {
            meter.metrics.deadline_lag.observe(late_ms.saturating_mul(1_000));
        }
    }

    /// All of a broadcast is written, or waits for full sockets.
    pub(super) fn meter_fanout(&self) {
        if let Some(meter) = &self.meter {
            let micros = u64::try_from(meter.began.elapsed().as_micros()).unwrap_or(u64::MAX);
            meter.metrics.fanout.observe(micros);
        }
    }

    /// A pass ends.
    pub(super) fn finish_metering(&mut self, now: Now) {
        let Some(meter) = &mut self.meter else { return };
        if !meter.metrics.publication.take_request() {
            return;
        }
        if now.age_ms >= meter.publish_at_ms {
            meter.publish_at_ms = now.age_ms.saturating_add(INTERVAL_MS);
            self.publish(now);
        }
        if let Some(meter) = &self.meter {
            meter.metrics.publication.publish();
        }
    }

    /// Publishes values that only the hub and the peers have.
    fn publish(&self, now: Now) {
        let Some(meter) = &self.meter else { return };
        let metrics = &*meter.metrics;
        for (status, rows) in self.hub.statuses(now).into_iter().enumerate() {
            set_gauge(metrics.rows.at(status), rows);
        }
        let evictions = self.hub.evictions();
        for (kind, rows) in [evictions.closed, evictions.live, evictions.over_quota]
            .into_iter()
            .enumerate()
        {
            set(metrics.evictions.at(kind), rows);
        }
        let expiries = self.hub.expiries();
        set(&metrics.expiries, expiries.rows);
        #[expect(clippy::cast_precision_loss, reason = "a time in ms")]
        metrics
            .max_overstay
            .set(expiries.max_overstay_ms as f64 / 1_000.0);
        let counts = self.hub.counts();
        for (series, values) in [
            (
                &metrics.requests,
                [counts.requests - counts.failed_requests, counts.failed_requests],
            ),
            (&metrics.beacons, [counts.beacons, counts.refused_beacons]),
            (&metrics.broadcasts, [counts.lists, counts.deltas]),
        ] {
            for (index, value) in values.into_iter().enumerate() {
                set(series.at(index), value);
            }
        }
        // The first version is that of the empty list.
        set(&metrics.changes, self.hub.version().saturating_sub(1));
        let (mut frames, mut most, mut bytes, mut blocked) = (0, 0, 0, 0);
        for (_, peer) in self.peers.iter().flatten() {
            let waiting = peer.waiting();
            frames += waiting.frames;
            most = most.max(waiting.frames);
            bytes += waiting.bytes;
            blocked += usize::from(waiting.is_blocked);
        }
        for stream in self.streams.values() {
            frames += stream.waiting_frames();
            most = most.max(stream.waiting_frames());
        }
        set_gauge(&metrics.outbox_frames, frames);
        set_gauge(&metrics.outbox_max_frames, most);
        set_gauge(&metrics.outbox_bytes, bytes);
        set_gauge(&metrics.blocked, blocked);
        self.publish_webhook(metrics);
    }
}
