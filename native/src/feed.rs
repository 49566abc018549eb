//! How the rows of another gateway get into this one.

use presence_core::fleet::{SourceId, SourceUpdate};
use tokio::sync::mpsc;

use crate::conn::Event;

/// Most rows of an update that the gateway takes in one turn.
const MAX_ROWS_AT_ONCE: usize = 256;

/// The way in for what one observed gateway says. It does not keep the gateway running.
#[derive(Clone, Debug)]
pub struct Feed {
    source: SourceId,
    events: mpsc::WeakSender<Event>,
}

impl Feed {
    /// The feeds of as many observed gateways, in their order.
    pub(crate) fn all(count: usize, events: &mpsc::Sender<Event>) -> Vec<Self> {
        let sources = (0..=u8::MAX).take(count);
        let feed = |source| Self {
            source: SourceId(source),
            events: events.downgrade(),
        };
        sources.map(feed).collect()
    }

    /// Hands an update over, at most [`MAX_ROWS_AT_ONCE`] rows at a time; waits while the gateway is busy. Returns
    /// `false` when the gateway is gone.
    pub async fn send(&self, mut update: SourceUpdate) -> bool {
        loop {
            let rest = SourceUpdate {
                put: update.put.split_off(update.put.len().min(MAX_ROWS_AT_ONCE)),
                removed: Vec::new(),
                is_here: update.is_here,
            };
            let Some(events) = self.events.upgrade() else {
                return false;
            };
            if events.send(Event::Source(self.source, update)).await.is_err() {
                return false;
            }
            if rest.put.is_empty() {
                return true;
            }
            update = rest;
        }
    }
}
