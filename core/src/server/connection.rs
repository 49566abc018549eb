//! One socket's protocol: challenge, `connect`, then requests (SPEC 2, reference 2.3 to 2.5).
//!
//! The machine parses and validates frames, decides who is let in, and hands accepted handshakes
//! and calls on to the [`Hub`](super::Hub). It holds no roster state.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Evidence;
use crate::protocol::{ClientInfo, CloseFrame, ConnectParams, Frame, Limits, Request, Role};
use crate::time::Now;

/// An accepted handshake: what the hub needs to let the connection join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The id of the `connect` request, echoed in its response.
    pub request_id: Box<str>,
    /// The connection's id on the wire (`hello-ok.server.connId`), unique per process.
    pub conn_id: Box<str>,
    /// The protocol number in force: 3 or 4.
    pub protocol: u32,
    /// The role in force.
    pub role: Role,
    /// The scopes in force, in the order asked.
    pub scopes: Vec<Box<str>>,
    /// Who the client is.
    pub client: ClientInfo,
    /// The verified device id.
    pub device_id: Option<Box<str>>,
    /// Extensions the client understands.
    pub caps: Vec<Box<str>>,
    /// Commands a node offers.
    pub commands: Vec<Box<str>>,
    /// The client's address as far as it can be attributed; loopback ones are ignored by the roster.
    pub remote_ip: Option<Box<str>>,
}

/// What the shell must do next.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionOutput {
    /// Put this frame into the connection's outbox.
    Send(Frame),
    /// Find the facts about this request and call [`Connection::handle_evidence`].
    Authenticate(Box<ConnectParams>),
    /// Let the hub take the connection in; from now on it answers.
    Join(Box<Handshake>),
    /// Hand this call to the hub.
    Call(Box<Request>),
    /// Send what is in the outbox, then close; nothing follows.
    Close(CloseFrame),
    /// A line for the log: the client sent something that is ignored. Never holds frame contents.
    Note(&'static str),
}

/// One socket's protocol machine. Feed it what arrives, then take every
/// [`poll_output`](Self::poll_output) until it returns `None`.
#[derive(Debug)]
pub struct Connection {
    _outputs: VecDeque<ConnectionOutput>,
}

impl Connection {
    /// A new socket: queues the challenge. `conn_id` and `nonce` are unguessable ids minted by the
    /// shell; `remote_ip` is `None` when the address is unknown or cannot be attributed;
    /// `server_wall_ms` is the time to state in the challenge.
    #[must_use]
    pub fn new(
        _limits: &Limits,
        _conn_id: Box<str>,
        _nonce: Box<str>,
        _remote_ip: Option<Box<str>>,
        _now: Now,
    ) -> Self {
        todo!()
    }

    /// A whole text frame arrived.
    pub fn handle_text(&mut self, _text: &str, _now: Now) {
        todo!()
    }

    /// A frame over [`max_frame_bytes`](Self::max_frame_bytes) arrived: closes with 1009.
    pub fn handle_oversized(&mut self) {
        todo!()
    }

    /// The shell's answer to [`ConnectionOutput::Authenticate`]. Frames that arrived in between
    /// were queued (at most 15) and are processed now.
    pub fn handle_evidence(&mut self, _evidence: &Evidence, _now: Now) {
        todo!()
    }

    /// Time passed: closes with `handshake timeout` when the deadline is over.
    pub fn handle_timeout(&mut self, _now: Now) {
        todo!()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), on `Now::age_ms`. `None` once the
    /// handshake is done.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        todo!()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<ConnectionOutput> {
        todo!()
    }

    /// The largest frame to accept now, in bytes: it grows when the handshake is done.
    #[must_use]
    pub fn max_frame_bytes(&self) -> usize {
        todo!()
    }

    /// The challenge's nonce, for the device proof.
    #[must_use]
    pub fn nonce(&self) -> &str {
        todo!()
    }
}
