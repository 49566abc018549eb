//! The presence events of one HTTP stream, between the driver and the answer that is being written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use presence_core::server::{ConnId, Item, Outbox, Outgoing};
use presence_core::wire::{CloseFrame, EventFrame};
use tokio::sync::Notify;

use crate::auth::tokens::Closable;

/// Events that wait for a stream. As for a WebSocket, a snapshot takes the place of deltas that a client is too slow
/// for.
#[derive(Debug)]
pub(crate) struct Subscription {
    state: Mutex<State>,
    closed: Notify,
}

#[derive(Debug)]
struct State {
    outbox: Outbox,
    /// The hub's id, once it joined.
    conn: Option<ConnId>,
    /// Why it was closed, if it was.
    close: Option<CloseFrame>,
    /// The task that writes.
    waker: Option<Waker>,
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                // No responses.
                outbox: Outbox::new(0),
                conn: None,
                close: None,
                waker: None,
            }),
            closed: Notify::new(),
        }
    }
}

impl Closable for Subscription {
    fn close(&self, close: CloseFrame) {
        self.state().close.get_or_insert_with(|| close.clone());
        self.push(Item::Close(close));
        self.flush();
        self.closed.notify_one();
    }
}

impl Subscription {
    /// The hub's id, once it joined.
    pub(crate) fn conn(&self) -> Option<ConnId> {
        self.state().conn
    }

    /// It joined the hub.
    pub(crate) fn joined(&self, conn: ConnId) {
        self.state().conn = Some(conn);
    }

    /// Queues an item; there are no responses. [`flush`](Self::flush) sends it.
    pub(crate) fn push(&self, item: Item) {
        // Only responses can be too many.
        let _ = self.state().outbox.push(item);
    }

    /// Wakes the task that writes, if it waits. Returns the number of bytes that wait for it; none while it still has
    /// earlier ones to write.
    pub(crate) fn flush(&self) -> usize {
        let mut state = self.state();
        let Some(waker) = state.waker.take() else {
            return 0;
        };
        waker.wake();
        state.outbox.bytes()
    }

    /// Whether deltas were dropped because the client reads slowly; clears the flag.
    pub(crate) fn take_behind(&self) -> bool {
        self.state().outbox.take_behind()
    }

    /// Why it was closed, if it was.
    pub(crate) fn close_frame(&self) -> Option<CloseFrame> {
        self.state().close.clone()
    }

    /// Frames that wait.
    pub(crate) fn waiting_frames(&self) -> usize {
        self.state().outbox.len()
    }

    /// The next event; `None` at the end.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Arc<EventFrame>>> {
        let mut state = self.state();
        match state.outbox.pop() {
            Some(Outgoing::Event(frame, _)) => Poll::Ready(Some(frame)),
            Some(_) => Poll::Ready(None),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Waits until it is closed.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_does_not_read_costs_no_turn() {
        let stream = Subscription::default();
        let event = Arc::new(EventFrame::new("presence", "x".repeat(1_000)));
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(stream.poll_next(cx).is_pending());
        stream.push(Item::Presence(Arc::clone(&event)));
        assert!(stream.flush() > 1_000);
        stream.push(Item::Presence(event));
        assert_eq!(stream.flush(), 0);
        assert!(stream.poll_next(cx).is_ready());
        assert!(stream.poll_next(cx).is_pending());
    }
}
