//! The socket as tungstenite sees it: it reads from the real one, and what it writes (pongs, the
//! answer to a close) joins the connection's other frames.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use super::Peer;
use super::budget::{TURN_BYTES, least_bytes};
use super::gate::Gate;

/// What is read at once while large frames are held back: a `connect` with its proof, and what a socket that
/// waits keeps at most.
const GATED_BYTES: usize = 2 * 1024;

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
    /// What it took, without the least that the whole messages and control frames so far had on the wire. 0 only
    /// if it has handed out all of it: frames of more than the least leave more.
    unread: usize,
    /// Until large frames may come.
    gate: Option<Box<Gate>>,
    is_held: bool,
}

impl PeerStream {
    /// `rest` came before the connection was one of frames.
    pub(super) fn new(peer: Arc<Peer>, rest: Vec<u8>) -> Self {
        Self {
            peer,
            rest,
            taken: 0,
            turn_left: 0,
            unfinished: 0,
            unread: 0,
            gate: Some(Box::default()),
            is_held: false,
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

    /// A message with this payload is whole.
    pub(super) fn message_ended(&mut self, payload: usize) {
        self.unfinished = 0;
        self.unread = self.unread.saturating_sub(least_bytes(payload));
    }

    /// A control frame of `bytes` was among what was taken.
    pub(super) fn control_ended(&mut self, bytes: usize) {
        self.unfinished = self.unfinished.saturating_sub(bytes);
        self.unread = self.unread.saturating_sub(bytes);
    }

    /// Whether tungstenite may have taken bytes of a message that is not whole. It always may after a message in
    /// pieces, whose number is not known.
    pub(super) fn may_hold_bytes(&self) -> bool {
        self.unread > 0
    }

    /// Whether a large frame is held back.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// From now on large frames may come.
    pub(super) fn open_gate(&mut self) {
        self.gate = None;
        self.is_held = false;
    }

    /// The straight way: what tungstenite takes is not kept in between.
    fn take_from_socket(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        SCRATCH.with_borrow_mut(|scratch| {
            let read = self.peer.try_read(self.room(scratch))?;
            let len = read.min(buffer.len());
            buffer[..len].copy_from_slice(&scratch[..len]);
            if len < read {
                self.keep(&scratch[len..read]);
            }
            Ok(len)
        })
    }

    /// Returns whether anything came; otherwise the socket has ended.
    fn fill_rest(&mut self) -> io::Result<bool> {
        SCRATCH.with_borrow_mut(|scratch| {
            let room = self.turn_left.min(GATED_BYTES);
            let read = self.peer.try_read(&mut scratch[..room])?;
            self.keep(&scratch[..read]);
            Ok(read > 0)
        })
    }

    /// No more than the turn may take: a connection that waits for its next one keeps none of it.
    fn room<'a>(&self, scratch: &'a mut [u8]) -> &'a mut [u8] {
        let room = self.turn_left.min(scratch.len());
        &mut scratch[..room]
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.rest.capacity() == 0 {
            self.rest = SPARE.take();
        }
        self.rest.extend_from_slice(bytes);
    }

    fn take_from_rest(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.rest[self.taken..];
        let mut len = rest.len().min(buffer.len());
        if let Some(gate) = &mut self.gate {
            let passed = gate.pass(&rest[..len]);
            self.is_held = passed < len;
            if passed == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            len = passed;
        }
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
        let buffer = &mut buffer[..room];
        let len = if self.rest.is_empty() && self.gate.is_none() {
            self.take_from_socket(buffer)?
        } else {
            if self.rest.is_empty() && !self.fill_rest()? {
                return Ok(0);
            }
            self.take_from_rest(buffer)?
        };
        self.turn_left -= len;
        self.unfinished += len;
        self.unread += len;
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
