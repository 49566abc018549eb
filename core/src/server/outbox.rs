//! What one connection still has to be sent: responses in order, and at most one presence
//! snapshot, the newest (SPEC 2, "slow reader").

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use crate::protocol::{CloseFrame, Frame};

/// Something to send on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A response (or the challenge): sent as it is, in order.
    Response(Frame),
    /// An event that must not be lost or overtaken (`shutdown`); gets this connection's `seq`.
    Event(Arc<Frame>),
    /// A presence snapshot: replaces an undelivered older one in its place in the queue.
    Presence(Arc<Frame>),
    /// A `tick`: replaces an undelivered older one.
    Tick(Arc<Frame>),
    /// Close after everything before it was sent; nothing follows.
    Close(CloseFrame),
}

/// One frame taken out of the outbox, for a vectored write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A text frame; [`Outgoing::segments`] are its payload.
    Text {
        /// The frame; an event's text stops before its `seq`.
        frame: Arc<Frame>,
        /// The event's number on this connection; `None` for a response.
        seq: Option<u64>,
    },
    /// A close frame; the last thing ever taken out.
    Close(CloseFrame),
}

/// The frame was not queued: the client's undelivered responses exceed the limit. Close it with
/// [`CloseFrame::SLOW_CONSUMER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} bytes of responses are undelivered")]
pub struct SlowConsumer {
    /// The limit in force, in bytes.
    pub limit: usize,
}

/// The queue of one connection. Numbers (`seq`) are given when a frame is taken out, so only frames
/// really sent consume one.
#[derive(Debug)]
pub struct Outbox {
    _queue: VecDeque<()>,
}

impl Outbox {
    /// An empty outbox whose undelivered responses may hold `buffered_bytes`.
    #[must_use]
    pub fn new(_buffered_bytes: usize) -> Self {
        todo!()
    }

    /// Queues `item`. After [`Item::Close`] everything is ignored.
    ///
    /// # Errors
    /// [`SlowConsumer`] when a response would exceed the bound; the item is not queued.
    pub fn push(&mut self, _item: Item) -> Result<(), SlowConsumer> {
        todo!()
    }

    /// Takes the next frame out.
    pub fn pop(&mut self) -> Option<Outgoing> {
        todo!()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        todo!()
    }

    /// Bytes of undelivered responses: a shell stops reading requests while this is large, so that
    /// a client which pipelines is slowed down before it is cut off.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        todo!()
    }
}
