//! The part of the driver that reports joins and leaves to the webhook.

use presence_core::Now;

use super::Driver;
use crate::metrics::Metrics;
#[cfg(feature = "webhook")]
use crate::webhook::{Event, WebhookHandle};

/// The webhook, if there is one.
#[derive(Debug, Default)]
pub(super) struct Webhook {
    #[cfg(feature = "webhook")]
    handle: Option<Box<WebhookHandle>>,
}

#[cfg(feature = "webhook")]
impl Driver {
    /// Reports joins and leaves to the queue that is returned. Must be called before [`run`](Self::run), and after
    /// [`with_metrics`](Self::with_metrics).
    pub(crate) fn with_webhook(
        mut self,
        grace_ms: u64,
        max_entries: usize,
        boot_id: &str,
    ) -> (Self, tokio::sync::mpsc::Receiver<Event>) {
        let metrics = self.metrics();
        let (handle, events) =
            WebhookHandle::new(grace_ms, max_entries, boot_id.into(), metrics, &mut self.hub);
        self.webhook.handle = Some(Box::new(handle));
        (self, events)
    }

    /// When the webhook is due, on the age clock.
    pub(super) fn webhook_deadline(&self) -> Option<u64> {
        self.webhook.handle.as_ref()?.deadline(&self.hub)
    }

    /// Queues joins and leaves, if it is time.
    pub(super) fn report_visits(&mut self, now: Now) {
        if let Some(handle) = &mut self.webhook.handle {
            handle.report(&mut self.hub, now);
        }
    }

    /// The gateway stops.
    pub(super) fn end_webhook(&mut self, now: Now) {
        if let Some(handle) = &mut self.webhook.handle {
            handle.end(&mut self.hub, now);
        }
    }

    /// Publishes how many events wait.
    pub(super) fn publish_webhook(&self, metrics: &Metrics) {
        if let Some(handle) = &self.webhook.handle {
            handle.publish(metrics);
        }
    }
}

#[cfg(not(feature = "webhook"))]
#[expect(clippy::unused_self, reason = "as where there are webhooks")]
impl Driver {
    pub(super) fn webhook_deadline(&self) -> Option<u64> {
        let Webhook {} = self.webhook;
        None
    }

    pub(super) fn report_visits(&mut self, _: Now) {}

    pub(super) fn end_webhook(&mut self, _: Now) {}

    pub(super) fn publish_webhook(&self, _: &Metrics) {}
}
