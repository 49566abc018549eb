//! The encryption of a socket that is read and written without waiting.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::ServerConnection;
use tokio::net::TcpStream;

use super::ServerStream;

/// Most plain bytes that are encrypted ahead of the socket, which bounds the memory for a client that stops reading.
const MAX_AHEAD_BYTES: usize = 64 * 1024;
/// Most encrypted bytes that are read before other tasks run: records may hold no data.
const MAX_TURN_BYTES: usize = 32 * 1024;

/// The keys and buffers of one connection.
#[derive(Debug)]
pub(crate) struct Encryption(Mutex<State>);

#[derive(Debug)]
struct State {
    tls: ServerConnection,
    /// Encrypted bytes read since the socket was drained or others had their turn.
    turn_bytes: usize,
    /// Whether the socket accepted bytes since the last [`Encryption::flush`].
    has_progress: bool,
}

impl Encryption {
    /// Separates the socket from its encryption.
    pub(crate) fn split(stream: Box<ServerStream>) -> (TcpStream, Box<Self>) {
        let (limited, mut tls) = stream.into_inner();
        tls.set_buffer_limit(Some(MAX_AHEAD_BYTES));
        let state = State {
            tls,
            turn_bytes: 0,
            has_progress: false,
        };
        (limited.into_inner(), Box::new(Self(Mutex::new(state))))
    }

    /// Reads plain bytes; 0 at the end. `read` reads from the socket without waiting.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when the socket is drained, and [`ErrorKind::Interrupted`] when it holds more records
    /// than one call reads.
    pub(crate) fn read(
        &self,
        stream: &TcpStream,
        read: impl FnMut(&mut [u8]) -> io::Result<usize>,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let mut state = self.state();
        let mut source = Source(read);
        loop {
            match state.tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The end without a close of TLS: WebSocket has a close of its own.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                outcome => return outcome,
            }
            if state.turn_bytes > MAX_TURN_BYTES {
                state.turn_bytes = 0;
                return Err(ErrorKind::Interrupted.into());
            }
            match state.tls.read_tls(&mut source) {
                Ok(len) => state.turn_bytes += len,
                Err(error) => {
                    state.turn_bytes = 0;
                    return Err(error);
                }
            }
            let outcome = state.tls.process_new_packets();
            // The answer to a key update, or the alert; a full socket gets it with the next write.
            let _ = state.write(stream);
            outcome.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// Encrypts and writes without waiting; returns the number of plain bytes accepted. Not all of them may be written:
    /// see [`flush`](Self::flush).
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] while the socket is full.
    pub(crate) fn write(&self, stream: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.state();
        state.write(stream)?;
        let len = state.tls.writer().write_vectored(slices)?;
        match state.write(stream) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(len),
        }
    }

    /// Writes encrypted bytes that wait for the socket. The second result says whether the socket accepted any byte
    /// since the last call.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] while the socket is full.
    pub(crate) fn flush(&self, stream: &TcpStream) -> (io::Result<()>, bool) {
        let mut state = self.state();
        let outcome = state.write(stream);
        (outcome, std::mem::take(&mut state.has_progress))
    }

    /// Whether encrypted bytes wait for the socket.
    pub(crate) fn has_rest(&self) -> bool {
        self.state().tls.wants_write()
    }

    /// Sends the close of TLS: nothing follows.
    pub(crate) fn close(&self, stream: &TcpStream) {
        let mut state = self.state();
        state.tls.send_close_notify();
        // The socket is about to be closed.
        let _ = state.write(stream);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, stream: &TcpStream) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut Sink(stream)) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => self.has_progress = true,
                // The caller would encrypt the same bytes once more.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The socket as rustls reads it.
struct Source<F>(F);

impl<F: FnMut(&mut [u8]) -> io::Result<usize>> Read for Source<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.0)(buffer)
    }
}

/// The socket as rustls writes it.
struct Sink<'a>(&'a TcpStream);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
