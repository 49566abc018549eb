//! A histogram without a lock: prometheus-client's own takes one for each observation.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// Counts of values by size. Values are whole numbers in a small unit, such as microseconds; the text states them in
/// the base unit.
#[derive(Clone, Debug)]
pub(crate) struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The upper bounds of the buckets, ascending; there is one more bucket for what is larger.
    bounds: &'static [u64],
    /// Small units in a base unit.
    scale: f64,
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// Makes an empty histogram; `scale` is the number of units of `bounds` in a base unit.
    pub(super) fn new(bounds: &'static [u64], scale: f64) -> Self {
        Self(Arc::new(Inner {
            bounds,
            scale,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }))
    }

    /// Counts a value.
    pub(crate) fn observe(&self, value: u64) {
        let bucket = self.0.bounds.partition_point(|&bound| bound < value);
        if let Some(count) = self.0.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.0.sum.fetch_add(value, Ordering::Relaxed);
    }
}

impl EncodeMetric for Histogram {
    #[expect(clippy::cast_precision_loss, reason = "a sum beyond 2^53 may be rounded")]
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let scaled = |value: u64| value as f64 / self.0.scale;
        // The encoder writes `+Inf` for it, without which Prometheus computes no quantile.
        let bounds = self
            .0
            .bounds
            .iter()
            .map(|&bound| scaled(bound))
            .chain([f64::INFINITY]);
        let counts = self.0.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        // From the buckets, so that all parts of the text agree.
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = scaled(self.0.sum.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
