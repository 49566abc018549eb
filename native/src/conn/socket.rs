//! The socket of a connection, read and written without waiting.

use std::io::{self, ErrorKind, IoSlice, Read};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::writer::Flush;
use crate::tls::{Encryption, ServerStream, Transport};

/// A socket, with its encryption if it has any.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    encryption: Option<Box<Encryption>>,
}

impl Socket {
    pub(super) fn new(transport: Transport<ServerStream>) -> Self {
        match transport {
            Transport::Plain(stream) => Self {
                stream,
                encryption: None,
            },
            Transport::Tls(stream) => {
                let (stream, encryption) = Encryption::split(stream);
                Self {
                    stream,
                    encryption: Some(encryption),
                }
            }
        }
    }

    /// Whether the connection is encrypted: decrypted bytes may then be unread although the socket is drained.
    pub(super) fn is_encrypted(&self) -> bool {
        self.encryption.is_some()
    }

    /// Reads without waiting; 0 at the end.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when the socket is drained, and [`ErrorKind::Interrupted`] when it holds more than one
    /// call reads.
    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.encryption {
            None => read(&self.stream, buffer),
            Some(tls) => tls.read(&self.stream, |bytes| read(&self.stream, bytes), buffer),
        }
    }

    /// Writes without waiting.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] while the socket is full.
    pub(super) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (&self.encryption, slices) {
            (None, [piece]) => self.stream.try_write(piece),
            (None, pieces) => self.stream.try_write_vectored(pieces),
            (Some(tls), slices) => tls.write(&self.stream, slices),
        }
    }

    /// Writes the encrypted bytes that a flush of the writer left. `flushed` is the result of that flush; returns the
    /// result of both.
    pub(super) fn complete(&self, flushed: (io::Result<Flush>, bool)) -> (io::Result<Flush>, bool) {
        let (Some(tls), Ok(flush)) = (&self.encryption, &flushed.0) else {
            return flushed;
        };
        let (written, has_progress) = tls.flush(&self.stream);
        let outcome = match written {
            Ok(()) => Ok(*flush),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Flush::Blocked),
            Err(error) => Err(error),
        };
        (outcome, has_progress)
    }

    /// Whether encrypted bytes wait to be written.
    pub(super) fn has_rest(&self) -> bool {
        self.encryption.as_ref().is_some_and(|tls| tls.has_rest())
    }

    /// Ends the encryption, if there is any.
    pub(super) fn close(&self) {
        if let Some(tls) = &self.encryption {
            tls.close(&self.stream);
        }
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_read_ready(cx)
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_write_ready(cx)
    }
}

/// Reads without waiting. A short read means that the socket is drained, which saves a `WouldBlock` call.
fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    let outcome = stream.try_io(Interest::READABLE, || {
        len = (&*SockRef::from(stream)).read(buffer)?;
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
