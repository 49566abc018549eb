//! Metrics: numbers about the whole gateway in the OpenMetrics format. No label holds a text that a client chose; the
//! names of tokens are chosen by the operator.
//!
//! Counting is an atomic addition. The driver publishes values of the hub and the peers when a scrape requests them.

mod by_token;
mod histogram;
mod labels;
mod publication;
mod series;

use std::sync::atomic::{AtomicU64, Ordering};

use presence_core::server::{Outgoing, Refused};
use presence_core::wire::CloseFrame;
use prometheus_client::encoding::{EncodeMetric, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry, Unit};

pub(crate) use self::by_token::ByToken;
pub(crate) use self::histogram::Histogram;
pub(crate) use self::labels::{Class, Leave};
use self::publication::Publication;
pub(crate) use self::series::Series;

/// The media type of [`Metrics::text`].
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The media type of [`Metrics::classic_text`].
pub(crate) const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Bounds of durations, in microseconds.
const DURATIONS: [u64; 14] = [
    100, 250, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
    15_000_000,
];
/// Microseconds in a second.
const MICROSECONDS: f64 = 1_000_000.0;
/// Bounds of frame sizes, in bytes.
const SIZES: [u64; 9] = [
    64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304,
];

/// All metrics of a gateway.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) publication: Publication,
    pub(crate) connections: Series<Gauge>,
    pub(crate) sockets: Gauge,
    pub(crate) joins: Counter,
    pub(crate) leaves: Series<Counter>,
    refusals: Series<Counter>,
    pub(crate) rows: Series<Gauge>,
    pub(crate) evictions: Series<Counter>,
    pub(crate) expiries: Counter,
    pub(crate) max_overstay: Gauge<f64, AtomicU64>,
    pub(crate) requests: Series<Counter>,
    pub(crate) beacons: Series<Counter>,
    pub(crate) changes: Counter,
    pub(crate) broadcasts: Series<Counter>,
    frames: Series<Counter>,
    frame_size: Histogram,
    pub(crate) sent: Counter,
    pub(crate) received: Counter,
    pub(crate) outbox_frames: Gauge,
    pub(crate) outbox_max_frames: Gauge,
    pub(crate) outbox_bytes: Gauge,
    pub(crate) blocked: Gauge,
    pub(crate) handshake: Histogram,
    pub(crate) fanout: Histogram,
    pub(crate) deadline_lag: Histogram,
    #[cfg_attr(not(feature = "webhook"), expect(dead_code, reason = "nothing is sent"))]
    pub(crate) webhook_events: Series<Counter>,
    #[cfg_attr(not(feature = "webhook"), expect(dead_code, reason = "nothing is sent"))]
    pub(crate) webhook_attempts: Series<Counter>,
    #[cfg_attr(not(feature = "webhook"), expect(dead_code, reason = "nothing is sent"))]
    pub(crate) webhook_waiting: Gauge,
}

impl Metrics {
    /// Makes metrics of a gateway that starts at this time, in ms since the Unix epoch.
    pub(crate) fn new(started_ms: u64) -> Self {
        let mut registry = Registry::with_prefix("presence");
        let mut made = Maker(&mut registry);
        let durations = || Histogram::new(&DURATIONS, MICROSECONDS);
        let started: Gauge<f64, AtomicU64> = Gauge::default();
        #[expect(clippy::cast_precision_loss, reason = "ms since 1970 are below 2^53")]
        started.set(started_ms as f64 / 1_000.0);
        made.unit(
            "start_time",
            Unit::Seconds,
            "When the gateway started, since the Unix epoch",
            started,
        );
        Self {
            connections: made.plain(
                "connections",
                "Connections that completed the handshake",
                Series::of(labels::classes()),
            ),
            sockets: made.empty("sockets", "Open sockets, with those before the handshake"),
            joins: made.empty("joins", "Handshakes that were accepted"),
            leaves: made.plain(
                "leaves",
                "Connections that ended after the handshake",
                Series::by("reason", &labels::LEAVES),
            ),
            refusals: made.plain(
                "refusals",
                "Handshakes and HTTP requests that were refused",
                Series::by("code", &labels::CODES),
            ),
            rows: made.plain(
                "rows",
                "Rows of this gateway",
                Series::by("status", &labels::STATUSES),
            ),
            evictions: made.plain(
                "evictions",
                "Rows removed because there were too many",
                Series::by("kind", &labels::EVICTIONS),
            ),
            expiries: made.empty("expiries", "Rows removed at the end of their TTL"),
            max_overstay: made.unit(
                "max_overstay",
                Unit::Seconds,
                "Longest time that a row was listed after its TTL, since the start",
                Gauge::default(),
            ),
            requests: made.plain(
                "requests",
                "Requests of connections that were answered",
                Series::by("result", &labels::RESULTS),
            ),
            beacons: made.plain(
                "beacons",
                "Beacons that were answered",
                Series::by("result", &labels::RESULTS),
            ),
            changes: made.empty("changes", "Changes of the list that readers can see"),
            broadcasts: made.plain(
                "broadcasts",
                "Broadcasts that were encoded, each once for all its readers",
                Series::by("kind", &labels::BROADCASTS),
            ),
            frames: made.plain(
                "sent_frames",
                "Frames written to sockets or waiting for a full one",
                Series::by("kind", &labels::FRAMES),
            ),
            frame_size: made.unit(
                "sent_frame_size",
                Unit::Bytes,
                "Sizes of frames without their headers",
                Histogram::new(&SIZES, 1.0),
            ),
            sent: made.unit(
                "sent",
                Unit::Bytes,
                "Bytes written to WebSockets, before encryption",
                Counter::default(),
            ),
            received: made.unit(
                "received",
                Unit::Bytes,
                "Bytes read from WebSockets, after decryption",
                Counter::default(),
            ),
            outbox_frames: made.empty("outbox_frames", "Frames that wait in all outboxes"),
            outbox_max_frames: made.empty("outbox_max_frames", "Frames that wait in the fullest outbox"),
            outbox_bytes: made.unit(
                "outbox",
                Unit::Bytes,
                "Bytes of responses that wait in all outboxes",
                Gauge::default(),
            ),
            blocked: made.empty("blocked_connections", "Connections whose socket is full"),
            handshake: made.unit(
                "handshake_duration",
                Unit::Seconds,
                "Time from the accepted socket to the accepted handshake",
                durations(),
            ),
            fanout: made.unit(
                "fanout_duration",
                Unit::Seconds,
                "Time of the turns that sent a broadcast to all readers",
                durations(),
            ),
            deadline_lag: made.unit(
                "deadline_lag",
                Unit::Seconds,
                "Time by which deadlines of the hub were handled late",
                durations(),
            ),
            webhook_events: made.plain(
                "webhook_events",
                "Joins and leaves for the webhook",
                Series::by("result", &labels::WEBHOOK_EVENTS),
            ),
            webhook_attempts: made.plain(
                "webhook_attempts",
                "Requests to the webhook",
                Series::by("outcome", &labels::WEBHOOK_ATTEMPTS),
            ),
            webhook_waiting: made.empty(
                "webhook_waiting_events",
                "Joins and leaves that wait for the webhook",
            ),
            publication: Publication::default(),
            registry,
        }
    }

    /// Counts a frame that leaves an outbox.
    pub(crate) fn sent_frame(&self, frame: &Outgoing) {
        let kind = match frame {
            Outgoing::Event(event, _) if event.is_presence() => 0,
            Outgoing::Event(..) => 1,
            Outgoing::Response(_) => 2,
            Outgoing::Close(_) => return,
        };
        self.frames.at(kind).inc();
        self.frame_size.observe(frame.len() as u64);
    }

    /// Counts a refused handshake: by its answer, or without an answer by its close.
    pub(crate) fn refused(&self, refused: Option<&Refused>, close: &CloseFrame) {
        match refused {
            Some(refused) => self.refused_for(&refused.code),
            None => self.refused_for(&format!("CLOSE_{}", close.code)),
        }
    }

    /// Counts a refusal by its code.
    pub(crate) fn refused_for(&self, code: &str) {
        self.refusals.at(labels::code(code)).inc();
    }

    /// Adds the connections of each named token; before the first scrape.
    pub(crate) fn with_tokens(mut self, by_token: ByToken) -> Self {
        let help = "Connections that a named token let in";
        Maker(&mut self.registry).plain("token_connections", help, by_token);
        self
    }

    /// Adds the number of failed reloads, which is counted where files are read; before the first scrape.
    pub(crate) fn with_reload_failures(mut self, failures: Counter) -> Self {
        let help = "Reloads of the certificate or of the named tokens that failed";
        Maker(&mut self.registry).plain("reload_failures", help, failures);
        self
    }

    /// All metrics in the OpenMetrics format.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }

    /// All metrics in the text format of Prometheus 0.0.4, which names counters with their suffix and has no units.
    pub(crate) fn classic_text(&self) -> String {
        let text = self.text();
        let counters: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
            .collect();
        let mut out = String::with_capacity(text.len());
        for line in text.lines() {
            let mut words = line.splitn(4, ' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("#"), Some("UNIT" | "EOF"), ..) => continue,
                (Some("#"), Some(word), Some(name), Some(rest)) if counters.contains(&name) => {
                    out.push_str(&format!("# {word} {name}_total {rest}"));
                }
                _ => out.push_str(line),
            }
            out.push('\n');
        }
        out
    }
}

/// Sets a counter that is counted elsewhere.
pub(crate) fn set(counter: &Counter, value: u64) {
    counter.inner().store(value, Ordering::Relaxed);
}

/// Sets a gauge to a count.
pub(crate) fn set_gauge(gauge: &Gauge, value: usize) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}

/// Creates and registers metrics.
struct Maker<'a>(&'a mut Registry);

impl Maker<'_> {
    fn empty<M: Metric + EncodeMetric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        self.plain(name, help, M::default())
    }

    fn plain<M: Metric + EncodeMetric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }

    fn unit<M: Metric + EncodeMetric + Clone>(&mut self, name: &str, unit: Unit, help: &str, metric: M) -> M {
        self.0.register_with_unit(name, help, unit, metric.clone());
        metric
    }
}
