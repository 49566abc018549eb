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

use super::event::Input;
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
    /// The socket was full: nobody writes until it says otherwise.
    is_blocked: bool,
    /// Writing failed.
    is_broken: bool,
    /// The close that is queued.
    close: Option<CloseFrame>,
    /// The driver has a batch of this connection.
    is_busy: bool,
    /// The rest of a batch whose answers found no room; goes first when there is some.
    deferred: Vec<Input>,
    /// Since when the socket has accepted no byte, if it is blocked; on `Now::age_ms`.
    blocked_since_ms: u64,
    /// The hub's id of the connection, once it joined.
    conn: Option<ConnId>,
    /// The connection's task.
    waker: Option<Waker>,
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
            is_blocked: false,
            is_broken: false,
            close: None,
            is_busy: false,
            deferred: Vec::new(),
            blocked_since_ms: 0,
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
        state.close.get_or_insert(close);
        state.deferred = Vec::new();
        state.wake();
    }

    /// Writes what it can without waiting. A full socket is left to the connection's task.
    pub(crate) fn flush(&self, now: Now) {
        let mut state = self.state();
        if state.is_blocked || state.is_broken {
            return;
        }
        match state.writer.flush(|slices| write(&self.stream, slices)).0 {
            Ok(Flush::Done) => {}
            Ok(Flush::Blocked) => {
                state.is_blocked = true;
                state.blocked_since_ms = now.age_ms;
                state.wake();
            }
            Err(_) => {
                state.is_broken = true;
                state.wake();
            }
        }
    }

    /// Whether so much is undelivered that requests have to wait.
    pub(crate) fn is_backed_up(&self) -> bool {
        self.state().is_backed_up()
    }

    /// A batch is done, but for the `rest`.
    pub(crate) fn finish_batch(&self, rest: Vec<Input>) {
        let mut state = self.state();
        if state.close.is_none() {
            state.deferred = rest;
        }
        state.is_busy = false;
        state.wake();
    }

    // For the connection's task.

    /// The driver is about to get a batch.
    pub(super) fn start_batch(&self) {
        self.state().is_busy = true;
    }

    /// The socket may take bytes again.
    pub(super) fn resume(&self, now: Now) {
        let mut state = self.state();
        let (outcome, has_progress) = state.writer.flush(|slices| write(&self.stream, slices));
        if has_progress {
            state.blocked_since_ms = now.age_ms;
        }
        state.is_blocked = matches!(outcome, Ok(Flush::Blocked));
        state.is_broken |= outcome.is_err();
    }

    /// Since when the socket has accepted nothing of what waits.
    pub(super) fn blocked_since_ms(&self) -> Option<u64> {
        let state = self.state();
        state.is_blocked.then_some(state.blocked_since_ms)
    }

    /// Whether everything is written, or never will be.
    pub(super) fn is_drained(&self) -> bool {
        let state = self.state();
        state.is_broken || state.writer.is_empty()
    }

    /// The close that is queued, if any.
    pub(super) fn close_frame(&self) -> Option<CloseFrame> {
        self.state().close.clone()
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
        if state.is_broken {
            return Poll::Ready(Turn::Broken);
        }
        if state.close.is_some() {
            return Poll::Ready(Turn::Close);
        }
        if state.is_blocked && self.stream.poll_write_ready(cx).is_ready() {
            return Poll::Ready(Turn::Write);
        }
        if state.is_busy || state.is_backed_up() {
            return Poll::Pending;
        }
        if !state.deferred.is_empty() {
            return Poll::Ready(Turn::Resend(std::mem::take(&mut state.deferred)));
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
    fn is_backed_up(&self) -> bool {
        self.writer.buffered_bytes() > PAUSE_BYTES
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
