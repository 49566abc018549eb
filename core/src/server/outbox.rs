//! Undelivered output of one connection: responses in order, and at most one presence
//! snapshot, the newest (SPEC 2, "Slow readers").

mod suffix;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;

pub use suffix::SeqSuffix;

use crate::wire::{CloseFrame, EventFrame, ResponseFrame};

/// An item to send on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A response (or the challenge): sent unchanged, in order.
    Response(ResponseFrame),
    /// An event that must not be lost or overtaken (`shutdown`); gets this connection's `seq`.
    Event(Arc<EventFrame>),
    /// A presence snapshot: replaces an undelivered older one, and is queued last, so that no answer
    /// with an older list follows it.
    Presence(Arc<EventFrame>),
    /// A `presence.delta`: in order; see [`Outbox::take_behind`].
    Delta(Arc<EventFrame>),
    /// An event that a slow client may miss: left out while more than [`MAX_DROPPABLE_BYTES`] of such events
    /// wait. Those that are sent keep their order, and only they get a `seq`.
    Droppable(Arc<EventFrame>),
    /// A `tick`: replaces an undelivered older one in its place in the queue.
    Tick(Arc<EventFrame>),
    /// Close after all earlier items are sent; later items are ignored.
    Close(CloseFrame),
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Self::Response(frame) => frame.len(),
            Self::Event(frame)
            | Self::Presence(frame)
            | Self::Delta(frame)
            | Self::Droppable(frame)
            | Self::Tick(frame) => frame.len(),
            Self::Close(_) => 0,
        }
    }
}

/// One frame taken out of the outbox, for a vectored write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// A response.
    Response(ResponseFrame),
    /// An event, and the end of its frame with its number on this connection.
    Event(Arc<EventFrame>, SeqSuffix),
    /// A close frame, always the last one.
    Close(CloseFrame),
}

impl Outgoing {
    /// The payload of a text frame in the order of writing; segments may be empty. All are empty for
    /// a close.
    #[must_use]
    pub fn segments(&self) -> [&[u8]; 4] {
        let ([head, body, tail], suffix) = match self {
            Self::Response(frame) => (frame.segments(), ""),
            Self::Event(frame, suffix) => (frame.segments(), suffix.as_str()),
            Self::Close(_) => ([""; 3], ""),
        };
        [head, body, tail, suffix].map(str::as_bytes)
    }

    /// Length in bytes of all [`segments`](Self::segments).
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments().iter().map(|segment| segment.len()).sum()
    }

    /// Whether there is no text: true for a close.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The whole text of a text frame; empty for a close.
impl fmt::Display for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(frame) => frame.fmt(f),
            Self::Event(frame, suffix) => {
                let [head, body, tail] = frame.segments();
                write!(f, "{head}{body}{tail}{}", suffix.as_str())
            }
            Self::Close(_) => Ok(()),
        }
    }
}

/// The frame was not queued: the client's undelivered responses exceed the limit. Close it with
/// [`CloseFrame::SLOW_CONSUMER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} bytes of responses are undelivered")]
pub struct SlowConsumer {
    /// The limit in force, in bytes.
    pub limit: usize,
}

/// Most bytes of deltas that wait for a client: one that is further behind gets a snapshot instead. A first delta
/// may be larger: the hub makes none that is larger than the snapshot.
const MAX_DELTA_BYTES: usize = 64 * 1024;

/// Most bytes of events that may be left out ([`Item::Droppable`]) that wait for a client.
pub const MAX_DROPPABLE_BYTES: usize = 16 * 1024;

/// The queue of one connection. Numbers (`seq`) are given when a frame is taken out, so only frames
/// really sent consume one.
///
/// A drained outbox owns no heap memory: most connections are idle most of the time.
///
/// ```
/// use std::sync::Arc;
/// use presence_core::wire::{EventFrame, ResponseFrame};
/// use presence_core::server::{Item, Outbox};
/// let event = |payload: u64| Arc::new(EventFrame::new("presence", payload));
/// let mut outbox = Outbox::new(1_048_576);
/// outbox.push(Item::Presence(event(1)))?;
/// outbox.push(Item::Response(ResponseFrame::text(r#"{"type":"res"}"#)))?;
/// outbox.push(Item::Presence(event(2)))?;
/// assert_eq!(outbox.pop().unwrap().to_string(), r#"{"type":"res"}"#);
/// assert_eq!(outbox.pop().unwrap().to_string(), r#"{"type":"event","event":"presence","payload":2,"seq":1}"#);
/// assert!(outbox.is_empty());
/// # Ok::<(), presence_core::server::outbox::SlowConsumer>(())
/// ```
#[derive(Debug)]
pub struct Outbox {
    /// Waiting items, in order: at most one snapshot and one tick.
    queue: VecDeque<Item>,
    /// Bytes of the responses in the queue.
    buffered_bytes: usize,
    /// Most bytes of responses.
    limit: usize,
    /// Bytes of the deltas in the queue.
    delta_bytes: usize,
    /// Bytes of the events in the queue that may be left out.
    droppable_bytes: usize,
    /// Whether deltas were left out since the last snapshot.
    is_behind: bool,
    /// The number of the last event taken out.
    seq: u64,
    /// Whether a close is or was in the queue.
    closed: bool,
}

impl Outbox {
    /// An empty outbox whose undelivered responses may hold `buffered_bytes`.
    #[must_use]
    pub fn new(buffered_bytes: usize) -> Self {
        Self {
            queue: VecDeque::new(),
            buffered_bytes: 0,
            limit: buffered_bytes,
            delta_bytes: 0,
            droppable_bytes: 0,
            is_behind: false,
            seq: 0,
            closed: false,
        }
    }

    /// Queues `item`. After [`Item::Close`] all items are ignored.
    ///
    /// A response larger than the whole bound is queued when no other waits, because the client has
    /// read all earlier ones.
    ///
    /// # Errors
    /// [`SlowConsumer`] when a response would exceed the bound; the item is not queued.
    pub fn push(&mut self, item: Item) -> Result<(), SlowConsumer> {
        if self.closed {
            return Ok(());
        }
        match &item {
            Item::Response(frame) => {
                let total = self.buffered_bytes.saturating_add(frame.len());
                if self.buffered_bytes > 0 && total > self.limit {
                    return Err(SlowConsumer { limit: self.limit });
                }
                self.buffered_bytes = total;
            }
            Item::Event(_) => {}
            Item::Delta(frame) => {
                let total = self.delta_bytes + frame.len();
                let has_snapshot = self.queue.iter().any(|item| matches!(item, Item::Presence(_)));
                if has_snapshot || (self.delta_bytes > 0 && total > MAX_DELTA_BYTES) {
                    self.queue.retain(|item| !matches!(item, Item::Delta(_)));
                    self.delta_bytes = 0;
                    self.is_behind = true;
                    return Ok(());
                }
                self.delta_bytes = total;
            }
            Item::Droppable(frame) => {
                let total = self.droppable_bytes.saturating_add(frame.len());
                if total > MAX_DROPPABLE_BYTES {
                    return Ok(());
                }
                self.droppable_bytes = total;
            }
            Item::Presence(_) => {
                // It also replaces waiting deltas.
                self.queue
                    .retain(|item| !matches!(item, Item::Presence(_) | Item::Delta(_)));
                self.delta_bytes = 0;
            }
            Item::Tick(_) => {
                let mut ticks = self.queue.iter_mut();
                if let Some(tick) = ticks.find(|item| matches!(item, Item::Tick(_))) {
                    *tick = item;
                    return Ok(());
                }
            }
            Item::Close(_) => self.closed = true,
        }
        self.queue.push_back(item);
        Ok(())
    }

    /// Takes the next frame out.
    pub fn pop(&mut self) -> Option<Outgoing> {
        let item = self.queue.pop_front()?;
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        let event = match item {
            Item::Response(frame) => {
                self.buffered_bytes -= frame.len();
                return Some(Outgoing::Response(frame));
            }
            Item::Close(frame) => return Some(Outgoing::Close(frame)),
            Item::Delta(frame) => {
                self.delta_bytes -= frame.len();
                frame
            }
            Item::Droppable(frame) => {
                self.droppable_bytes -= frame.len();
                frame
            }
            Item::Event(frame) | Item::Presence(frame) | Item::Tick(frame) => frame,
        };
        self.seq += 1;
        Some(Outgoing::Event(event, SeqSuffix::new(self.seq)))
    }

    /// Number of frames that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes of the frames that wait, without the `seq` of events.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.queue.iter().map(Item::len).sum()
    }

    /// Bytes of undelivered responses: a shell stops reading requests while this is large, so that
    /// a client which pipelines is slowed down before it is cut off.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.buffered_bytes
    }

    /// Whether deltas were left out because the client reads slowly; it then needs a snapshot
    /// ([`Hub::resync`](super::Hub::resync)). The call clears the flag.
    pub fn take_behind(&mut self) -> bool {
        core::mem::take(&mut self.is_behind)
    }
}

#[cfg(test)]
mod tests;
