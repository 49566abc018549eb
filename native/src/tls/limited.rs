//! A socket that stops reading after a bound, until the bound is lifted.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A socket of which a limited number of bytes is read during the handshake.
#[derive(Debug)]
pub(crate) struct Limited {
    stream: TcpStream,
    /// Bytes that may still be read; one read may exceed it. `None` after [`lift`](Self::lift).
    left: Option<usize>,
    /// Whether reading has paused at the bound.
    has_paused: bool,
}

impl Limited {
    pub(super) fn new(stream: TcpStream, bytes: usize) -> Self {
        Self {
            stream,
            left: Some(bytes),
            has_paused: false,
        }
    }

    /// Lifts the bound.
    pub(super) fn lift(&mut self) {
        self.left = None;
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.stream
    }
}

impl AsyncRead for Limited {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == Some(0) {
            // The handshake may be complete: what follows it is often in the same flight, and rustls reads on as long
            // as it can. A pause makes tokio-rustls look; if bytes are still wanted after it, they are too many.
            if !self.has_paused {
                self.has_paused = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let why = "the client sent too many bytes before the end of the handshake";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        self.left = self.left.map(|left| left.saturating_sub(read));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Limited {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
