//! The socket as tungstenite sees it: it reads from the real one, and what it writes (pongs, the
//! answer to a close) joins the connection's other frames.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::Arc;

use super::Peer;

/// What is read at once, for all connections of a thread. tungstenite would ask for no more than it keeps
/// for each connection.
const SCRATCH_BYTES: usize = 16 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into());
    /// Kept for the next connection that does not take all at once: one does, and then the other.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
pub(super) struct PeerStream {
    peer: Arc<Peer>,
    /// Read and not taken yet; owns no memory when there is nothing.
    rest: Vec<u8>,
    taken: usize,
}

impl PeerStream {
    pub(super) fn new(peer: Arc<Peer>) -> Self {
        Self {
            peer,
            rest: Vec::new(),
            taken: 0,
        }
    }
}

impl Read for PeerStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            return SCRATCH.with_borrow_mut(|scratch| {
                let read = self.peer.try_read(scratch)?;
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

impl Write for PeerStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.peer.control(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
