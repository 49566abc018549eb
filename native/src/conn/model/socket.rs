//! A socket whose other end is a thread of the model.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use shuttle::sync::{Condvar, Mutex, MutexGuard};

use crate::conn::writer::Flush;

/// Most bytes on the way to the client.
const ROOM_BYTES: usize = 64 * 1024;

/// Both ends of a connection. Clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::conn) struct Socket(Arc<Pipe>);

#[derive(Debug, Default)]
struct Pipe {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes on the way to the client.
    bytes: Vec<u8>,
    /// Requests that are not read yet.
    asks: usize,
    /// The gateway closed its end.
    is_closed: bool,
    /// The client closed its end.
    is_left: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Socket {
    // As the real one.

    pub(in crate::conn) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.state();
        if state.is_left {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let before = state.bytes.len();
        if before == ROOM_BYTES {
            return Err(ErrorKind::WouldBlock.into());
        }
        for slice in slices {
            let room = ROOM_BYTES - state.bytes.len();
            state.bytes.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        self.0.changed.notify_all();
        Ok(state.bytes.len() - before)
    }

    pub(in crate::conn) fn complete(&self, flushed: (io::Result<Flush>, bool)) -> (io::Result<Flush>, bool) {
        flushed
    }

    pub(in crate::conn) fn has_rest(&self) -> bool {
        false
    }

    pub(in crate::conn) fn is_encrypted(&self) -> bool {
        false
    }

    /// Reads one request, as one byte.
    pub(in crate::conn) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        if state.asks == 0 && !state.is_left {
            return Err(ErrorKind::WouldBlock.into());
        }
        let len = state.asks.min(1);
        state.asks -= len;
        buffer[..len].fill(1);
        Ok(len)
    }

    pub(in crate::conn) fn close(&self) {
        self.state().is_closed = true;
        self.0.changed.notify_all();
    }

    pub(in crate::conn) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if state.asks > 0 || state.is_left {
            return Poll::Ready(Ok(()));
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(in crate::conn) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if state.bytes.len() < ROOM_BYTES || state.is_left {
            return Poll::Ready(Ok(()));
        }
        state.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    // For the client.

    /// Sends a request.
    pub(super) fn send_request(&self) {
        let mut state = self.state();
        state.asks += 1;
        wake(state.reader.take());
    }

    /// Waits for bytes; none at the end.
    pub(super) fn receive(&self) -> Vec<u8> {
        let mut state = self.state();
        while state.bytes.is_empty() && !state.is_closed {
            state = self.0.changed.wait(state).unwrap();
        }
        wake(state.writer.take());
        std::mem::take(&mut state.bytes)
    }

    /// Closes the client's end.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        state.is_left = true;
        wake(state.reader.take());
        wake(state.writer.take());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
