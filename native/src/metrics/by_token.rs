//! The connections of each named token, by the names in the tokens' file, which may be read again.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

/// Returns the number of connections of each named token.
type Count = dyn Fn() -> Vec<(Arc<str>, u64)> + Send + Sync;

/// A gauge for each named token, counted for a scrape.
#[derive(Clone)]
pub(crate) struct ByToken(Arc<Count>);

impl ByToken {
    /// Calls `count` at each scrape.
    pub(crate) fn new(count: impl Fn() -> Vec<(Arc<str>, u64)> + Send + Sync + 'static) -> Self {
        Self(Arc::new(count))
    }
}

impl fmt::Debug for ByToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByToken").finish_non_exhaustive()
    }
}

impl EncodeMetric for ByToken {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (name, count) in (self.0)() {
            let labels = [("token", &*name)];
            encoder
                .encode_family(&labels)?
                .encode_gauge(&i64::try_from(count).unwrap_or(i64::MAX))?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}
