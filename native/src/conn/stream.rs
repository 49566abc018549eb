//! The socket as tungstenite sees it. Reads come from the real socket; writes (pongs, the response to a close) are
//! queued among the connection's other frames.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use super::Peer;
use super::budget::{TURN_BYTES, least_bytes};
use super::gate::Gate;

/// Bytes of one read while large frames are held back: enough for a `connect` with its proof.
const GATED_BYTES: usize = 2 * 1024;

thread_local! {
    /// The read buffer of all connections of a thread. tungstenite's own is small, because each connection keeps one.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; TURN_BYTES].into());
    /// A spare buffer for bytes that a connection does not take at once.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug)]
pub(super) struct PeerStream {
    peer: Arc<Peer>,
    /// Bytes read and not taken yet; owns no memory when empty.
    rest: Vec<u8>,
    taken: usize,
    /// Bytes that tungstenite may still take in this turn; at 0 reads return `WouldBlock`.
    turn_left: usize,
    /// Bytes taken since the last whole message, without control frames.
    unfinished: usize,
    /// Bytes taken, less the fewest that all messages and control frames so far can have had on the wire. 0 proves
    /// that tungstenite holds no bytes; fragmented messages leave a remainder.
    unread: usize,
    /// Holds back large frames until they are allowed.
    gate: Option<Box<Gate>>,
    is_held: bool,
}

impl PeerStream {
    /// `rest` are the bytes that followed the HTTP head.
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

    /// Begins a turn of at most `bytes`.
    pub(super) fn start_turn(&mut self, bytes: usize) {
        self.turn_left = bytes.min(TURN_BYTES);
    }

    /// Whether the turn's bytes are used up: the socket may hold more.
    pub(super) fn is_spent(&self) -> bool {
        self.turn_left == 0
    }

    /// Bytes taken of an incomplete message; up to a read buffer of them may belong to the next.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Counts a whole message with this payload.
    pub(super) fn message_ended(&mut self, payload: usize) {
        self.unfinished = 0;
        self.unread = self.unread.saturating_sub(least_bytes(payload));
    }

    /// Counts a control frame of `bytes`.
    pub(super) fn control_ended(&mut self, bytes: usize) {
        self.unfinished = self.unfinished.saturating_sub(bytes);
        self.unread = self.unread.saturating_sub(bytes);
    }

    /// Whether tungstenite may hold bytes of an incomplete message. Always true after a fragmented message, whose
    /// number of frames is unknown.
    pub(super) fn may_hold_bytes(&self) -> bool {
        self.unread > 0
    }

    /// Whether a large frame is held back.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Allows large frames.
    pub(super) fn open_gate(&mut self) {
        self.gate = None;
        self.is_held = false;
    }

    /// Reads from the socket without keeping the bytes in between.
    fn take_from_socket(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        SCRATCH.with_borrow_mut(|scratch| {
            // No more than the turn may take: a connection that waits for its next turn keeps none of it.
            let read = read(&self.peer, &mut self.turn_left, scratch)?;
            let len = read.min(buffer.len());
            buffer[..len].copy_from_slice(&scratch[..len]);
            if len < read {
                self.keep(&scratch[len..read]);
            }
            Ok(len)
        })
    }

    /// Reads into `rest`; `false` at the end of the socket.
    fn fill_rest(&mut self) -> io::Result<bool> {
        SCRATCH.with_borrow_mut(|scratch| {
            let read = read(&self.peer, &mut self.turn_left, &mut scratch[..GATED_BYTES])?;
            self.keep(&scratch[..read]);
            Ok(read > 0)
        })
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

/// Reads no more than the turn may take. The turn is over when the socket holds more than one call reads.
fn read(peer: &Peer, turn_left: &mut usize, buffer: &mut [u8]) -> io::Result<usize> {
    let room = buffer.len().min(*turn_left);
    peer.try_read(&mut buffer[..room]).map_err(|error| {
        if error.kind() != ErrorKind::Interrupted {
            return error;
        }
        *turn_left = 0;
        ErrorKind::WouldBlock.into()
    })
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
