//! All connections and the roster: who may do what, who is sent what and when.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Handshake, Item};
use crate::entry::PresenceEntry;
use crate::protocol::{CloseFrame, Limits, Request};
use crate::time::Now;

/// A joined connection: an index that is reused after it left, and a serial that never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    /// Index into the shell's table of connections; small and dense.
    pub slot: u32,
    /// Counts all joins of the process.
    pub serial: u64,
}

/// Why a joined connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveCause {
    /// The peer closed, or the transport failed: the last sign of life is now.
    PeerClosed,
    /// We closed it because it was silent (no pong, or accepted no byte): no proof of life.
    Silent,
    /// We closed it for another reason (protocol, shutdown).
    WeClosed,
}

/// The gateway's configuration of the hub.
#[derive(Clone, Debug)]
pub struct HubConfig {
    /// Bounds and intervals.
    pub limits: Limits,
    /// How long a row lives after its last proof of life, in ms.
    pub ttl_ms: u64,
    /// Most rows, self included; at least 2.
    pub max_entries: usize,
    /// Modes (trimmed, lower-case) whose connections make no row.
    pub ephemeral_modes: Vec<Box<str>>,
    /// Unguessable seed of the roster's hash table; its order never reaches an output.
    pub hash_seed: u64,
    /// The version the gateway states in hello.
    pub server_version: Box<str>,
    /// Unique per process.
    pub boot_id: Box<str>,
    /// The self row: fields as reference 1.6 (SEP column); `ts` is ignored.
    pub self_entry: PresenceEntry,
    /// "token", "password" or "none": shown to admins in hello.
    pub auth_mode: &'static str,
}

/// What the shell must do next.
#[derive(Clone, Debug, PartialEq)]
pub enum HubOutput {
    /// Put this into that connection's outbox.
    Send(ConnId, Item),
    /// Send a WebSocket ping on it.
    Ping(ConnId),
    /// Close for silence: put the close frame after what is queued, flush for 1 s, then drop. The
    /// hub has already forgotten the connection; do not call [`Hub::leave`] for it.
    Drop(ConnId, CloseFrame),
}

/// The hub: the roster and all connections that completed the handshake.
#[derive(Debug)]
pub struct Hub {
    _todo: (),
}

impl Hub {
    /// A hub whose roster holds the self row.
    #[must_use]
    pub fn new(_config: HubConfig, _now: Now) -> Self {
        todo!()
    }

    /// Takes an accepted handshake in: writes its row and queues hello as its first frame.
    pub fn join(&mut self, _handshake: Handshake, _now: Now) -> ConnId {
        todo!()
    }

    /// Answers one request of a joined connection.
    pub fn call(&mut self, _conn: ConnId, _request: Request, _now: Now) {
        todo!()
    }

    /// A pong arrived: proof of life for the connection's row.
    pub fn pong(&mut self, _conn: ConnId, _now: Now) {
        todo!()
    }

    /// The connection is gone. A second call for the same one does nothing.
    pub fn leave(&mut self, _conn: ConnId, _cause: LeaveCause, _now: Now) {
        todo!()
    }

    /// Announces the end to all: `shutdown` event, then close 1012. No output follows but these.
    pub fn shutdown(&mut self, _reason: &str, _now: Now) {
        todo!()
    }

    /// Time passed: expiry, pings, ticks, the coalescing window. Early or double calls do nothing.
    pub fn handle_timeout(&mut self, _now: Now) {
        todo!()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), on `Now::age_ms`. `None`: nothing to
    /// wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        todo!()
    }

    /// The next thing to do; poll until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<HubOutput> {
        todo!()
    }

    /// Number of joined connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        todo!()
    }

    /// Number of rows, self included.
    #[must_use]
    pub fn rows(&self) -> usize {
        todo!()
    }

    /// The presence version.
    #[must_use]
    pub fn version(&self) -> u64 {
        todo!()
    }

    /// The time the gateway states on the wire, ms since the Unix epoch: the clock that `ts` is on.
    #[must_use]
    pub fn server_wall_ms(&self, _now: Now) -> u64 {
        todo!()
    }

    /// The list as any reader gets it now, newest first, for the shell's own use.
    pub fn list(&mut self, _now: Now) -> Vec<PresenceEntry> {
        todo!()
    }
}
