//! All connections and the roster: rights of requests, and broadcasts (SPEC 2).

mod broadcast;
mod calls;
mod config;
mod counts;
mod deltas;
mod explain;
mod hello;
mod hidden;
mod history;
mod http;
mod join;
mod journal;
mod leave;
mod life;
mod member;
mod members;
mod node_key;
mod nodes;
mod own_rows;
#[cfg(feature = "cluster")]
mod peers;
mod recent;
#[cfg(feature = "recording")]
mod saved;
mod sending;
mod time;
mod trace;
mod view;

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

pub use self::config::HubConfig;
pub use self::counts::Counts;
#[cfg(feature = "recording")]
pub(crate) use self::explain::changes::{Cause, Seen};
pub use self::http::BEACON_MODE;
use self::journal::Journal;
use self::members::Members;
#[cfg(feature = "recording")]
pub(crate) use self::saved::{
    RefusedClock, RowEvent, SavedEnded, SavedHub, SavedMember, SavedMemory, SavedRoster, SavedRow, SavedTrace,
};
use super::Item;
use crate::fleet::Fleet;
use crate::model::entry::PresenceEntry;
use crate::model::time::Now;
use crate::roster::{Disputes, Evictions, Roster, Work};
use crate::wire::history::HistoryQuery;
use crate::wire::{CloseFrame, Request};

/// A joined connection: an index that is reused after it left, and a serial that never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    /// Index into the shell's table of connections; small and dense.
    pub slot: u32,
    /// The number of the join, unique in the process.
    pub serial: u64,
}

/// Why a joined connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveCause {
    /// The peer closed, or the transport failed: the last sign of life is now.
    PeerClosed,
    /// We closed it because it was silent (no pong, or accepted no byte): not a proof of life.
    Silent,
    /// We closed it for another reason (protocol, shutdown).
    WeClosed,
}

/// Outputs for which memory is kept; more is freed once they are taken.
const KEPT_OUTPUTS: usize = 16_384;

/// The next action of the shell.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HubOutput {
    /// Put this into that connection's outbox.
    Send(ConnId, Item),
    /// Send a WebSocket ping on it.
    Ping(ConnId),
    /// Answer the request of this id from the history. Only if row changes are kept.
    History(ConnId, Box<str>, Box<HistoryQuery>),
    /// Close for silence: put the close frame after the queued frames, flush for 1 s, then drop. The
    /// hub has already removed the connection; do not call [`Hub::leave`] for it.
    Drop(ConnId, CloseFrame),
}

/// The hub: the roster and all connections that completed the handshake.
///
/// Every method first advances the hub to `now`: deadlines are handled in order, also when the timer
/// is late. After each call take every [`poll_output`](Self::poll_output) until it returns `None`,
/// then call [`poll_timeout`](Self::poll_timeout).
#[derive(Clone, Debug)]
pub struct Hub {
    config: HubConfig,
    roster: Roster,
    /// The rows of other gateways, if any are observed.
    fleet: Option<Box<Fleet>>,
    /// The name of this gateway in its fleet, if there is one.
    #[cfg(feature = "cluster")]
    fleet_name: Option<Box<str>>,
    members: Members,
    nodes: nodes::Nodes,
    /// Ping and pong deadlines, earliest first; those of one moment in the order of the joins. With serial and slot.
    heartbeats: BTreeSet<(u64, u64, u32)>,
    next_serial: u64,
    started_ms: u64,
    /// The next `tick`; `None` without connections.
    tick_at_ms: Option<u64>,
    /// The end of the coalescing window that the last broadcast opened.
    window_ends_ms: u64,
    /// When touches are next sent to delta clients, unless a delta carries them earlier; `None`
    /// without delta clients.
    touch_at_ms: Option<u64>,
    /// When observers are next sent this gateway's own rows, even if these did not change; `None` without observers.
    own_rows_at_ms: Option<u64>,
    /// Connections that take deltas.
    delta_members: usize,
    /// The newest deltas.
    recent: recent::Recent,
    /// State for members whose addresses are hidden.
    hidden: hidden::Hidden,
    /// Whether the last broadcast is sent.
    sending: sending::Sending,
    /// Beacons refused because another device owns the row.
    refused_beacons: u64,
    counts: Counts,
    /// The version of the last broadcast.
    announced_version: u64,
    is_shut_down: bool,
    /// Whether outputs are not read, as in a replay: then no member that joins is a reader.
    is_muted: bool,
    /// Connections that ended recently.
    journal: Journal,
    outputs: VecDeque<HubOutput>,
}

impl Hub {
    /// A hub whose roster holds the self row.
    #[must_use]
    pub fn new(config: HubConfig, now: Now) -> Self {
        let roster = Roster::new(config.roster(), config.self_entry.clone(), now);
        Self {
            announced_version: roster.version(),
            hidden: hidden::Hidden::new(config.hash_seed),
            config,
            roster,
            fleet: None,
            #[cfg(feature = "cluster")]
            fleet_name: None,
            members: Members::default(),
            nodes: nodes::Nodes::default(),
            heartbeats: BTreeSet::new(),
            next_serial: 1,
            started_ms: now.age_ms,
            tick_at_ms: None,
            touch_at_ms: None,
            own_rows_at_ms: None,
            delta_members: 0,
            recent: recent::Recent::default(),
            window_ends_ms: 0,
            sending: sending::Sending::default(),
            refused_beacons: 0,
            counts: Counts::default(),
            is_shut_down: false,
            is_muted: false,
            journal: Journal::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Answers one request of a joined connection.
    pub fn call(&mut self, conn: ConnId, request: &Request, now: Now) {
        self.advance(now);
        if !self.members.holds(conn) {
            return self.announce(now);
        }
        let answer = self.answer(conn, request, now);
        self.outputs.push_back(answer);
        let limit = self.config.limits.unauthorized_calls;
        if self
            .members
            .get(conn.slot)
            .is_some_and(|member| member.refused_calls > limit)
        {
            self.outputs.push_back(HubOutput::Send(
                conn,
                Item::Close(CloseFrame::REPEATED_UNAUTHORIZED),
            ));
        }
        self.announce(now);
    }

    /// Returns the next output; poll until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<HubOutput> {
        let output = self.outputs.pop_front();
        if output.is_none() && self.outputs.capacity() > KEPT_OUTPUTS {
            self.outputs = VecDeque::new();
        }
        output
    }

    /// This gateway's own rows, newest first, for the shell's own use.
    pub fn list(&mut self, now: Now) -> Vec<PresenceEntry> {
        self.advance(now);
        let list = self.roster.list(now);
        self.announce(now);
        list
    }

    /// Makes no member a reader, so that unread lists are not encoded. The rows do not change.
    #[cfg(feature = "recording")]
    pub(crate) fn remove_readers(&mut self) {
        self.is_muted = true;
    }

    /// The digest of this gateway's own rows.
    #[cfg(feature = "recording")]
    pub(crate) fn own_digest(&mut self) -> crate::digest::Digest {
        self.roster.digest()
    }

    /// Number of joined connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.members.len()
    }

    /// Number of this gateway's own rows, self included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.roster.len()
    }

    /// The number of evicted rows so far.
    #[must_use]
    pub fn evictions(&self) -> Evictions {
        self.roster.evictions()
    }

    /// Counts of the roster's work so far, for tests and benches that count instead of measuring time.
    #[must_use]
    pub fn work(&self) -> Work {
        self.roster.work()
    }

    /// How often clients used ids of rows that the device key of another client owns.
    #[must_use]
    pub fn disputes(&self) -> Disputes {
        Disputes {
            refused: self.refused_beacons,
            ..self.roster.disputes()
        }
    }

    /// The time that the gateway states on the wire, in ms since the Unix epoch: the clock of `ts`.
    #[must_use]
    pub fn server_wall_ms(&self, now: Now) -> u64 {
        self.roster.wall_ms(now)
    }
}
