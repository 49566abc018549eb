//! The channel for rows of observed gateways.

use presence_core::fleet::{SourceId, SourceUpdate};
use tokio::sync::{mpsc, oneshot};

use crate::conn::Event;

/// Maximum number of rows of an update that the gateway applies in one turn.
const MAX_ROWS_AT_ONCE: usize = 256;

/// Sends the rows of one observed gateway to this gateway. It does not keep the gateway running.
#[derive(Clone, Debug)]
pub struct Feed {
    source: SourceId,
    events: mpsc::WeakSender<Event>,
}

impl Feed {
    /// Creates the feeds of `count` observed gateways, in their order.
    pub(crate) fn all(count: usize, events: &mpsc::Sender<Event>) -> Vec<Self> {
        let sources = (0..=u8::MAX).take(count);
        let feed = |source| Self {
            source: SourceId(source),
            events: events.downgrade(),
        };
        sources.map(feed).collect()
    }

    /// Sends an update, at most `MAX_ROWS_AT_ONCE` rows at a time, and waits until the gateway took each part: a
    /// queue of parts would delay the requests of clients. Returns `false` when the gateway is gone.
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
            let (taken, is_taken) = oneshot::channel();
            if events
                .send(Event::Source(self.source, update, taken))
                .await
                .is_err()
            {
                return false;
            }
            drop(events);
            // Nothing is sent: the event is dropped.
            let _ = is_taken.await;
            if rest.put.is_empty() {
                return true;
            }
            update = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use presence_core::fleet::SourceRow;
    use presence_core::model::RawEntry;

    use super::*;

    #[tokio::test]
    async fn parts_of_a_large_update_do_not_queue_up() {
        let (sender, mut events) = mpsc::channel(16);
        let feed = Feed::all(1, &sender).remove(0);
        let row = |number: usize| SourceRow {
            key: number.to_string().into(),
            entry: RawEntry::default(),
            heard_ms: 0,
            online_since_ms: None,
            last_activity_ms: None,
            is_gateway: false,
        };
        let update = SourceUpdate {
            put: (0..2 * MAX_ROWS_AT_ONCE + 1).map(row).collect(),
            is_here: true,
            ..SourceUpdate::default()
        };
        let sending = tokio::spawn(async move { feed.send(update).await });
        for rows in [MAX_ROWS_AT_ONCE, MAX_ROWS_AT_ONCE, 1] {
            let Some(Event::Source(_, part, _taken)) = events.recv().await else {
                panic!("no part");
            };
            assert_eq!(part.put.len(), rows);
            tokio::task::yield_now().await;
            assert!(events.is_empty(), "the next part waits until this one is taken");
        }
        assert!(sending.await.unwrap());
    }
}
