//! The part of a connection that its own task and the driver share.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use presence_core::Now;
use presence_core::server::outbox::SlowConsumer;
use presence_core::server::{ConnId, Item};
use presence_core::wire::CloseFrame;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::input::Input;
use super::writer::{Flush, Writer};

/// Requests wait while more bytes of responses than this are undelivered: a client that asks faster
/// than it reads is slowed down, not cut off.
const PAUSE_BYTES: usize = 256 * 1024;

/// A connection's socket with all that waits to be written to it. The driver writes directly, and
/// only when the socket is full the connection's task goes on from there.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: TcpStream,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    writer: Writer,
    phase: Phase,
    /// Since when the full socket has accepted no byte, on `Now::age_ms`; nobody writes until it accepts some.
    blocked_since_ms: Option<u64>,
    /// The hub's id of the connection, once it joined.
    conn: Option<ConnId>,
    /// The connection's task.
    waker: Option<Waker>,
}

/// Where the connection stands. Only the methods of [`Peer`] change it.
#[derive(Debug)]
enum Phase {
    /// The connection's task may read.
    Reading,
    /// The driver has a batch of this connection.
    WithDriver,
    /// The rest of a batch whose responses found no room; goes first when there is some.
    Deferred(Vec<Input>),
    /// This close is queued; nothing follows it.
    Closing(CloseFrame),
    /// Writing failed. A close that was queued before or after that is kept for the log.
    Broken(Option<CloseFrame>),
}

/// What a connection's task has to do next.
#[derive(Debug)]
pub(super) enum Turn {
    /// Read.
    Read,
    /// The socket takes bytes again.
    Write,
    /// Hand these to the driver again.
    Resend(Vec<Input>),
    /// A close is queued: see that it gets out.
    Close,
    /// The socket is gone.
    Broken,
}

impl Peer {
    pub(super) fn new(stream: TcpStream, buffered_bytes: usize) -> Self {
        let state = State {
            writer: Writer::new(buffered_bytes),
            phase: Phase::Reading,
            blocked_since_ms: None,
            conn: None,
            waker: None,
        };
        Self {
            stream,
            state: Mutex::new(state),
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
        self.state().writer.push(item)
    }

    /// Whether deltas were left out because the client does not keep up; asking clears it.
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

    /// Writes what it can without waiting. A full socket is left to the connection's task.
    pub(crate) fn flush(&self, now: Now) {
        let mut state = self.state();
        if state.blocked_since_ms.is_some() || state.is_broken() {
            return;
        }
        state.write(&self.stream, now);
        if state.blocked_since_ms.is_some() || state.is_broken() {
            state.wake();
        }
    }

    /// Whether so much is undelivered that requests have to wait.
    pub(crate) fn is_backed_up(&self) -> bool {
        self.state().is_backed_up()
    }

    /// A batch is done, but for the `rest`.
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
        self.state().write(&self.stream, now);
    }

    /// Since when the socket has accepted nothing of what waits.
    pub(super) fn blocked_since_ms(&self) -> Option<u64> {
        self.state().blocked_since_ms
    }

    /// Whether everything is written, or never will be.
    pub(super) fn is_drained(&self) -> bool {
        let state = self.state();
        state.is_broken() || state.writer.is_empty()
    }

    /// The close that is queued, if any.
    pub(super) fn close_frame(&self) -> Option<CloseFrame> {
        self.state().close_frame()
    }

    /// Takes over control frames that tungstenite made.
    pub(super) fn control(&self, bytes: &[u8]) {
        self.state().writer.control(bytes);
    }

    /// Reads what is there. A read that does not fill the buffer has emptied the socket: saying so at once
    /// saves the one that would find nothing.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut len = 0;
        let outcome = self.stream.try_io(Interest::READABLE, || {
            len = (&*SockRef::from(&self.stream)).read(buffer)?;
            if (1..buffer.len()).contains(&len) {
                return Err(ErrorKind::WouldBlock.into());
            }
            Ok(())
        });
        match outcome {
            Err(error) if len == 0 => Err(error),
            _ => Ok(len),
        }
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_read_ready(cx)
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_write_ready(cx)
    }

    /// What to do next. `has_unread` says that whole frames may wait in tungstenite's buffer.
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
        if state.blocked_since_ms.is_some() && self.stream.poll_write_ready(cx).is_ready() {
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
        if has_unread || self.stream.poll_read_ready(cx).is_ready() {
            return Poll::Ready(Turn::Read);
        }
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(stream: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    match slices {
        [piece] => stream.try_write(piece),
        pieces => stream.try_write_vectored(pieces),
    }
}

impl State {
    /// Writes until all is written, the socket is full, or writing fails.
    fn write(&mut self, stream: &TcpStream, now: Now) {
        let (outcome, has_progress) = self.writer.flush(|slices| write(stream, slices));
        self.blocked_since_ms = match outcome {
            Ok(Flush::Blocked) if has_progress => Some(now.age_ms),
            Ok(Flush::Blocked) => self.blocked_since_ms.or(Some(now.age_ms)),
            Ok(Flush::Done) => None,
            Err(_) => {
                self.phase = Phase::Broken(self.close_frame());
                None
            }
        };
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
        self.writer.buffered_bytes() > PAUSE_BYTES
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
