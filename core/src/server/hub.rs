//! All connections and the roster: who may do what, who is sent what and when (SPEC 2).

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

/// Outputs for which room is kept; more is freed once they are taken.
const KEPT_OUTPUTS: usize = 16_384;

/// What the shell must do next.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HubOutput {
    /// Put this into that connection's outbox.
    Send(ConnId, Item),
    /// Send a WebSocket ping on it.
    Ping(ConnId),
    /// Answer the request of this id from the history. Only where row changes are kept.
    History(ConnId, Box<str>, Box<HistoryQuery>),
    /// Close for silence: put the close frame after what is queued, flush for 1 s, then drop. The
    /// hub has already forgotten the connection; do not call [`Hub::leave`] for it.
    Drop(ConnId, CloseFrame),
}

/// The hub: the roster and all connections that completed the handshake.
///
/// Every method first brings the hub to `now`: what was due is done, in order, also when the timer
/// is late. After each call take every [`poll_output`](Self::poll_output) until it returns `None`,
/// then ask [`poll_timeout`](Self::poll_timeout).
#[derive(Clone, Debug)]
pub struct Hub {
    config: HubConfig,
    roster: Roster,
    /// The rows of other gateways, if any are observed.
    fleet: Option<Box<Fleet>>,
    /// The name of this gateway, if it is one of a fleet.
    #[cfg(feature = "cluster")]
    fleet_name: Option<Box<str>>,
    members: Members,
    nodes: nodes::Nodes,
    /// Ping and pong deadlines, earliest first; those of one moment in the order of the joins. With serial and slot.
    heartbeats: BTreeSet<(u64, u64, u32)>,
    next_serial: u64,
    started_ms: u64,
    /// The next `tick`; `None` while nobody is connected.
    tick_at_ms: Option<u64>,
    /// The end of the coalescing window that the last broadcast opened.
    window_ends_ms: u64,
    /// When delta clients are next told which rows are alive, if nothing else tells them; `None`
    /// while there are none.
    touch_at_ms: Option<u64>,
    /// When those who see this gateway's own rows only are next sent them, changed or not.
    own_rows_at_ms: Option<u64>,
    /// Connections that take deltas.
    delta_members: usize,
    /// The newest deltas.
    recent: recent::Recent,
    /// What is kept for members whose addresses are hidden.
    hidden: hidden::Hidden,
    /// When the broadcast or the events of nodes began that are being sent.
    sending_began_ms: Option<u64>,
    /// Beacons refused because another device owns the row.
    refused_beacons: u64,
    counts: Counts,
    /// The version of the last broadcast.
    announced_version: u64,
    is_shut_down: bool,
    /// Nobody reads what is put out, as in a replay: no member that joins is a reader.
    is_muted: bool,
    /// Connections that ended lately.
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
            sending_began_ms: None,
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

    /// The next thing to do; poll until `None` after every other call.
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

    /// Makes no member a reader, so that lists that nobody reads are not encoded. The rows are the same.
    #[cfg(feature = "recording")]
    pub(crate) fn mute(&mut self) {
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

    /// How many rows went because there were too many, so far.
    #[must_use]
    pub fn evictions(&self) -> Evictions {
        self.roster.evictions()
    }

    /// What the roster has done so far, for tests and benches that count instead of measuring time.
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

    /// The time the gateway states on the wire, ms since the Unix epoch: the clock that `ts` is on.
    #[must_use]
    pub fn server_wall_ms(&self, now: Now) -> u64 {
        self.roster.wall_ms(now)
    }
}
