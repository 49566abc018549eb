//! Series of one metric whose label values are known at the start: their number does not depend on clients.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// One metric for each of a fixed set of label values, by their index.
#[derive(Clone, Debug)]
pub(crate) struct Series<M>(Arc<[(Labels, M)]>);

type Labels = Vec<(&'static str, &'static str)>;

impl<M: Default> Series<M> {
    /// Makes a metric for each value of the label.
    pub(super) fn by(label: &'static str, values: &[&'static str]) -> Self {
        Self(
            values
                .iter()
                .map(|value| (vec![(label, *value)], M::default()))
                .collect(),
        )
    }

    /// Makes a metric for each combination of labels.
    pub(super) fn of(combinations: impl Iterator<Item = Labels>) -> Self {
        Self(combinations.map(|labels| (labels, M::default())).collect())
    }
}

impl<M> Series<M> {
    /// The metric of a label value, by its index.
    pub(crate) fn at(&self, index: usize) -> &M {
        // Indexes come from enums as long as the series.
        &self.0[index.min(self.0.len() - 1)].1
    }
}

impl<M: EncodeMetric + TypedMetric> EncodeMetric for Series<M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (labels, metric) in &*self.0 {
            metric.encode(encoder.encode_family(labels)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}
