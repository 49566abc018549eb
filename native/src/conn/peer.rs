//! The part of a connection that its own task and the driver share.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use presence_core::Now;
use presence_core::server::outbox::SlowConsumer;
use presence_core::server::{ConnId, Item};
use presence_core::wire::CloseFrame;

use super::input::Input;
use super::pool::Share;
use super::socket::Socket;
use super::sync::{Mutex, MutexGuard, PoisonError};
use super::writer::{Flush, Writer};
use crate::auth::tokens::Closable;
use crate::metrics::Metrics;

/// Requests wait while more bytes of responses than this are undelivered: a client that sends requests
/// faster than it reads responses is slowed down, not disconnected.
const PAUSE_BYTES: usize = 256 * 1024;
/// Replaces [`PAUSE_BYTES`] while the undelivered bytes of all connections together exceed their bound.
pub(super) const SCARCE_BYTES: usize = 16 * 1024;

/// A connection's socket and its pending output. The driver writes directly; when the socket is full, the connection's
/// task continues.
#[derive(Debug)]
pub(crate) struct Peer {
    socket: Socket,
    state: Mutex<State>,
    metrics: Option<Arc<Metrics>>,
}

#[derive(Debug)]
struct State {
    writer: Writer,
    /// The responses in the outbox, and all that is being written.
    undelivered: Share,
    phase: Phase,
    /// When the socket became full or last accepted a byte, on `Now::age_ms`; `None` while it is not full.
    blocked_since_ms: Option<u64>,
    /// The hub's id of the connection, once it joined.
    conn: Option<ConnId>,
    /// The connection's task.
    waker: Option<Waker>,
}

/// The state of the connection. Only the methods of [`Peer`] change it.
#[derive(Debug)]
enum Phase {
    /// The connection's task may read.
    Reading,
    /// The driver has a batch of this connection.
    WithDriver,
    /// The rest of a batch that was interrupted; handled before any further read.
    Deferred(Vec<Input>),
    /// This close is queued; nothing follows it.
    Closing(CloseFrame),
    /// Writing failed. A queued close is kept for the log.
    Broken(Option<CloseFrame>),
}

/// Pending output of a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    /// Frames in the outbox.
    pub(crate) frames: usize,
    /// Bytes of the responses among them.
    pub(crate) bytes: usize,
    /// Whether the socket is full.
    pub(crate) is_blocked: bool,
}

/// The next step of a connection's task.
#[derive(Debug)]
pub(super) enum Turn {
    /// Read.
    Read,
    /// The socket takes bytes again.
    Write,
    /// Send these to the driver again.
    Resend(Vec<Input>),
    /// A close is queued and has to be written.
    Close,
    /// The socket is gone.
    Broken,
}

impl Closable for Peer {
    fn close(&self, close: CloseFrame) {
        Self::close(self, close);
    }
}

impl Peer {
    pub(super) fn new(
        socket: Socket,
        answer: Box<[u8]>,
        buffered_bytes: usize,
        undelivered: Share,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        let state = State {
            writer: Writer::new(Some(answer), buffered_bytes),
            undelivered,
            phase: Phase::Reading,
            blocked_since_ms: None,
            conn: None,
            waker: None,
        };
        Self {
            socket,
            state: Mutex::new(state),
            metrics,
        }
    }

    // For the driver.

    /// The hub's id, once the connection joined.
    pub(crate) fn conn(&self) -> Option<ConnId> {
        self.state().conn
    }

    /// The connection joined the hub.
    pub(crate) fn joined(&self, conn: ConnId) {
        self.state().conn = Some(conn);
    }

    /// Queues an item; [`flush`](Self::flush) sends it.
    pub(crate) fn push(&self, item: Item) -> Result<(), SlowConsumer> {
        let mut state = self.state();
        let pushed = state.writer.push(item);
        state.count_undelivered();
        pushed
    }

    /// Whether deltas were dropped because the client reads slowly; clears the flag.
    pub(crate) fn take_behind(&self) -> bool {
        self.state().writer.take_behind()
    }

    /// Queues a ping.
    pub(crate) fn ping(&self) {
        self.state().writer.ping();
    }

    /// Queues a close; nothing follows it.
    pub(crate) fn close(&self, close: CloseFrame) {
        let mut state = self.state();
        // A close is never refused.
        let _ = state.writer.push(Item::Close(close.clone()));
        match &mut state.phase {
            Phase::Closing(_) => {}
            Phase::Broken(queued) => {
                queued.get_or_insert(close);
            }
            phase => *phase = Phase::Closing(close),
        }
        state.wake();
    }

    /// Writes as much as possible without waiting. The connection's task takes over a full socket. Returns the number of
    /// bytes that the socket took, before encryption.
    pub(crate) fn flush(&self, now: Now) -> usize {
        let mut state = self.state();
        if state.blocked_since_ms.is_some() || state.is_broken() {
            return 0;
        }
        let was_backed_up = state.is_backed_up();
        let written = state.write(&self.socket, self.metrics.as_deref(), now);
        let reads_again = was_backed_up && !state.is_backed_up();
        if state.blocked_since_ms.is_some() || state.is_broken() || reads_again {
            state.wake();
        }
        written
    }

    /// Whether requests have to wait for undelivered responses.
    pub(crate) fn is_backed_up(&self) -> bool {
        self.state().is_backed_up()
    }

    /// A batch is handled except for the `rest`.
    pub(crate) fn finish_batch(&self, rest: Vec<Input>) {
        let mut state = self.state();
        if matches!(state.phase, Phase::WithDriver) {
            state.phase = if rest.is_empty() {
                Phase::Reading
            } else {
                Phase::Deferred(rest)
            };
        }
        state.wake();
    }

    /// The pending output.
    pub(crate) fn waiting(&self) -> Waiting {
        let state = self.state();
        Waiting {
            frames: state.writer.waiting_frames(),
            bytes: state.writer.buffered_bytes(),
            is_blocked: state.blocked_since_ms.is_some(),
        }
    }

    // For the connection's task.

    /// The driver is about to get a batch.
    pub(super) fn start_batch(&self) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Reading) {
            state.phase = Phase::WithDriver;
        }
    }

    /// The socket may take bytes again.
    pub(super) fn resume(&self, now: Now) {
        self.state().write(&self.socket, self.metrics.as_deref(), now);
    }

    /// Whether the gateway reads no further for now.
    pub(super) fn is_paused(&self) -> bool {
        let state = self.state();
        matches!(state.phase, Phase::WithDriver | Phase::Deferred(_)) || state.is_backed_up()
    }

    /// When the socket became full or last accepted a byte.
    pub(super) fn blocked_since_ms(&self) -> Option<u64> {
        self.state().blocked_since_ms
    }

    /// Whether everything is written or the socket is broken.
    pub(super) fn is_drained(&self) -> bool {
        let state = self.state();
        state.is_broken() || (state.writer.is_empty() && !self.socket.has_rest())
    }

    /// The close that is queued, if any.
    pub(crate) fn close_frame(&self) -> Option<CloseFrame> {
        self.state().close_frame()
    }

    /// Queues control frames from tungstenite.
    pub(super) fn control(&self, bytes: &[u8]) {
        self.state().writer.control(bytes);
    }

    /// Reads without waiting: see [`Socket::try_read`].
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.socket.try_read(buffer)?;
        if let Some(metrics) = &self.metrics {
            metrics.received.inc_by(read as u64);
        }
        Ok(read)
    }

    /// Whether the connection is encrypted: decrypted bytes may then be unread although the socket is drained.
    pub(super) fn is_encrypted(&self) -> bool {
        self.socket.is_encrypted()
    }

    /// Ends the encryption, if there is any.
    pub(super) fn close_socket(&self) {
        self.socket.close();
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_read_ready(cx)
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_write_ready(cx)
    }

    /// Returns the next step. With `has_unread` whole frames may wait in tungstenite's buffer.
    pub(super) fn poll_turn(&self, cx: &mut Context<'_>, has_unread: bool) -> Poll<Turn> {
        let mut state = self.state();
        if !state
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            state.waker = Some(cx.waker().clone());
        }
        match state.phase {
            Phase::Broken(_) => return Poll::Ready(Turn::Broken),
            Phase::Closing(_) => return Poll::Ready(Turn::Close),
            _ => {}
        }
        if state.blocked_since_ms.is_some() && self.socket.poll_write_ready(cx).is_ready() {
            return Poll::Ready(Turn::Write);
        }
        if matches!(state.phase, Phase::WithDriver) || state.is_backed_up() {
            return Poll::Pending;
        }
        if let Phase::Deferred(inputs) = &mut state.phase {
            let inputs = std::mem::take(inputs);
            state.phase = Phase::Reading;
            return Poll::Ready(Turn::Resend(inputs));
        }
        if has_unread || self.socket.poll_read_ready(cx).is_ready() {
            return Poll::Ready(Turn::Read);
        }
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Writes until nothing is left, the socket is full, or writing fails. Returns the number of bytes written.
    fn write(&mut self, socket: &Socket, metrics: Option<&Metrics>, now: Now) -> usize {
        let mut bytes = 0;
        let write = |slices: &[IoSlice<'_>]| {
            let written = socket.try_write(slices)?;
            bytes += written;
            Ok(written)
        };
        let flushed = self.writer.flush(write, metrics);
        if let Some(metrics) = metrics {
            metrics.sent.inc_by(bytes as u64);
        }
        self.count_undelivered();
        let (outcome, has_progress) = socket.complete(flushed);
        self.blocked_since_ms = match outcome {
            Ok(Flush::Blocked) if has_progress => Some(now.age_ms),
            Ok(Flush::Blocked) => self.blocked_since_ms.or(Some(now.age_ms)),
            Ok(Flush::Done) => None,
            Err(_) => {
                self.phase = Phase::Broken(self.close_frame());
                None
            }
        };
        bytes
    }

    fn close_frame(&self) -> Option<CloseFrame> {
        match &self.phase {
            Phase::Closing(close) => Some(close.clone()),
            Phase::Broken(close) => close.clone(),
            _ => None,
        }
    }

    fn is_broken(&self) -> bool {
        matches!(self.phase, Phase::Broken(_))
    }

    fn is_backed_up(&self) -> bool {
        let bytes = self.writer.buffered_bytes();
        bytes > PAUSE_BYTES || bytes > SCARCE_BYTES && self.undelivered.is_exceeded()
    }

    fn count_undelivered(&mut self) {
        let bytes = self.writer.buffered_bytes() + self.writer.writing_bytes();
        self.undelivered.set(bytes);
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
