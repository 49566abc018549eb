//! A socket as hyper sees it: one judged request to read, and an answer that its client has to read in time.

use std::io::{self, ErrorKind, IoSlice, Write};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::auth::slots::Slot;
use crate::clock::Clock;
use crate::tls::{ServerStream, Transport};

/// Bytes that a client has to accept within the stall time.
const PIECE_BYTES: usize = 64 * 1024;
/// Bytes of one read.
const READ_BYTES: usize = 4 * 1024;

/// One request and its answer on a socket.
pub(super) struct Wire<'a, S = Transport<ServerStream>> {
    pub(super) stream: &'a mut S,
    /// The bytes read of the request: its head, and a part of its body.
    pub(super) request: &'a [u8],
    /// Bytes of its body that were not read.
    pub(super) body_left: u64,
    /// Whether the answer goes on until the client is gone. What it sends meanwhile is thrown away.
    pub(super) is_endless: bool,
    pub(super) pace: Pace<'a>,
}

/// Ends a connection whose client accepts less than [`PIECE_BYTES`] in the stall time.
pub(super) struct Pace<'a> {
    slot: &'a Mutex<&'a mut Slot>,
    clock: &'a Clock,
    stall_ms: u64,
    /// Bytes accepted of the current piece.
    piece: usize,
    /// The end of the stall time, since the client did not accept a byte of the piece at once.
    stalled: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
}

impl<'a> Pace<'a> {
    pub(super) fn new(slot: &'a Mutex<&'a mut Slot>, clock: &'a Clock, stall_ms: u64) -> Self {
        Self {
            slot,
            clock,
            stall_ms,
            piece: 0,
            stalled: None,
        }
    }

    /// The client accepted bytes.
    fn accepted(&mut self, bytes: usize) {
        self.piece += bytes;
        if self.piece >= PIECE_BYTES {
            self.drained();
        }
    }

    /// Nothing is left to be accepted.
    fn drained(&mut self) {
        self.piece = 0;
        self.stalled = None;
    }

    /// The client accepts nothing for now: its answer is a download.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let clock = self.clock;
        if self.stalled.is_none() {
            let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(refused) = slot.downloading() {
                return Poll::Ready(io::Error::other(refused));
            }
            let ends_ms = clock.now().age_ms.saturating_add(self.stall_ms);
            self.stalled = Some(Box::pin(clock.sleep_until(ends_ms)));
        }
        if let Some(stalled) = &mut self.stalled {
            ready!(stalled.as_mut().poll(cx));
        }
        Poll::Ready(ErrorKind::TimedOut.into())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<'_, S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.request.is_empty() {
            let (part, rest) = this.request.split_at(buf.remaining().min(this.request.len()));
            buf.put_slice(part);
            this.request = rest;
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [0; READ_BYTES];
        loop {
            let body_left = usize::try_from(this.body_left).unwrap_or(usize::MAX);
            let most = if this.is_endless {
                READ_BYTES
            } else {
                body_left.min(buf.remaining()).min(READ_BYTES)
            };
            if most == 0 {
                return Poll::Ready(Ok(()));
            }
            let mut read = ReadBuf::new(&mut bytes[..most]);
            ready!(Pin::new(&mut *this.stream).poll_read(cx, &mut read))?;
            let len = read.filled().len();
            if !this.is_endless {
                buf.put_slice(read.filled());
                this.body_left -= len as u64;
            }
            if !this.is_endless || len == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

/// A stream that may be asked to write before the runtime has seen that it is writable.
pub(super) trait TryWrite {
    /// Writes without waiting.
    fn try_write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize>;
}

impl TryWrite for Transport<ServerStream> {
    fn try_write(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => (&*SockRef::from(stream)).write_vectored(pieces),
            Self::Tls(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl<S: AsyncWrite + TryWrite + Unpin> AsyncWrite for Wire<'_, S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = match Pin::new(&mut *this.stream).poll_write_vectored(cx, pieces) {
            Poll::Ready(written) => written,
            Poll::Pending => match this.stream.try_write(pieces) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return this.pace.poll_stalled(cx).map(Err);
                }
                written => written,
            },
        };
        if let Ok(bytes) = written {
            this.pace.accepted(bytes);
        }
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// An encrypted socket may have taken bytes without sending all of them.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut *this.stream).poll_flush(cx) {
            Poll::Ready(flushed) => {
                this.pace.drained();
                Poll::Ready(flushed)
            }
            Poll::Pending => this.pace.poll_stalled(cx).map(Err),
        }
    }

    /// The socket may have another request.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
