//! The socket as tungstenite sees it: it reads from the real one, and what it writes (pongs, the
//! answer to a close) joins the connection's other frames.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use super::Peer;
use super::budget::TURN_BYTES;

thread_local! {
    /// What is read at once, for all connections of a thread. tungstenite would ask for no more than it keeps
    /// for each connection.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; TURN_BYTES].into());
    /// Kept for the next connection that does not take all at once: one does, and then the other.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
pub(super) struct PeerStream {
    peer: Arc<Peer>,
    /// Read and not taken yet; owns no memory when there is nothing.
    rest: Vec<u8>,
    taken: usize,
    /// What tungstenite may still take in this turn; then the socket seems empty.
    turn_left: usize,
    /// What it took since the last whole message, without control frames.
    unfinished: usize,
}

impl PeerStream {
    pub(super) fn new(peer: Arc<Peer>) -> Self {
        Self {
            peer,
            rest: Vec::new(),
            taken: 0,
            turn_left: 0,
            unfinished: 0,
        }
    }

    /// A turn begins, of at most `bytes`.
    pub(super) fn start_turn(&mut self, bytes: usize) {
        self.turn_left = bytes.min(TURN_BYTES);
    }

    /// Whether the turn's bytes are used up: the socket may hold more.
    pub(super) fn is_spent(&self) -> bool {
        self.turn_left == 0
    }

    /// Bytes taken of a message that is not whole yet; up to a read buffer of it may be of the
    /// next.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// A message is whole.
    pub(super) fn message_ended(&mut self) {
        self.unfinished = 0;
    }

    /// A control frame of `bytes` was among what was taken.
    pub(super) fn control_ended(&mut self, bytes: usize) {
        self.unfinished = self.unfinished.saturating_sub(bytes);
    }

    fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            return SCRATCH.with_borrow_mut(|scratch| {
                // No more than the turn may take: a connection that waits for its next one keeps none of it.
                let room = self.turn_left.min(scratch.len());
                let read = self.peer.try_read(&mut scratch[..room])?;
                let len = read.min(buffer.len());
                buffer[..len].copy_from_slice(&scratch[..len]);
                if len < read {
                    self.rest = SPARE.take();
                    self.rest.extend_from_slice(&scratch[len..read]);
                }
                Ok(len)
            });
        }
        let rest = &self.rest[self.taken..];
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        self.taken += len;
        if self.taken == self.rest.len() {
            let mut rest = std::mem::take(&mut self.rest);
            rest.clear();
            SPARE.set(rest);
            self.taken = 0;
        }
        Ok(len)
    }
}

impl Read for PeerStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_spent() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let room = buffer.len().min(self.turn_left);
        let len = self.take(&mut buffer[..room])?;
        self.turn_left -= len;
        self.unfinished += len;
        Ok(len)
    }
}

impl Write for PeerStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.peer.control(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
