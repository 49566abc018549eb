//! All connections and the roster: who may do what, who is sent what and when (SPEC 2).

mod calls;
mod deltas;
mod hello;
mod member;
mod members;
mod nodes;
mod time;

#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::take;

use self::member::{Heartbeat, Member, may_read, takes_deltas};
use self::members::Members;
use self::nodes::Offer;
use super::{Handshake, Item};
use crate::model::entry::PresenceEntry;
use crate::model::key::PresenceKey;
use crate::model::setting::InvalidSetting;
use crate::model::time::Now;
use crate::roster::{Disputes, Evictions, Roster, RosterConfig, Work};
use crate::wire::{CloseFrame, Frame, Limits, Request};

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
    /// Most rows, self included; less than 2 counts as 2.
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

impl HubConfig {
    /// Checks every number, those of [`Limits::validate`] included.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        self.roster().validate()?;
        self.limits.validate()
    }

    fn roster(&self) -> RosterConfig {
        RosterConfig {
            ttl_ms: self.ttl_ms,
            max_entries: self.max_entries,
            hash_seed: self.hash_seed,
        }
    }
}

/// Longest time, in ms, that sending one broadcast may seem to take (see [`Hub::handle_sent`]).
const MAX_SENDING_MS: u64 = 2_000;

/// Outputs for which room is kept; more is freed once they are taken.
const KEPT_OUTPUTS: usize = 16_384;

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
///
/// Every method first brings the hub to `now`: what was due is done, in order, also when the timer
/// is late. After each call take every [`poll_output`](Self::poll_output) until it returns `None`,
/// then ask [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Hub {
    config: HubConfig,
    roster: Roster,
    members: Members,
    nodes: nodes::Nodes,
    /// Ping and pong deadlines, earliest first.
    heartbeats: BTreeSet<(u64, u32)>,
    next_serial: u64,
    started_ms: u64,
    /// The next `tick`; `None` while nobody is connected.
    tick_at_ms: Option<u64>,
    /// The end of the coalescing window that the last broadcast opened.
    window_ends_ms: u64,
    /// When delta clients are next told which rows are alive, if nothing else tells them; `None`
    /// while there are none.
    touch_at_ms: Option<u64>,
    /// Connections that take deltas.
    delta_members: usize,
    /// When the broadcast or the events of nodes began that are being sent.
    sending_began_ms: Option<u64>,
    /// Beacons refused because another device owns the row.
    refused_beacons: u64,
    /// The version of the last broadcast.
    announced_version: u64,
    is_shut_down: bool,
    outputs: VecDeque<HubOutput>,
}

impl Hub {
    /// A hub whose roster holds the self row.
    #[must_use]
    pub fn new(config: HubConfig, now: Now) -> Self {
        let roster = Roster::new(config.roster(), config.self_entry.clone(), now);
        Self {
            announced_version: roster.version(),
            config,
            roster,
            members: Members::default(),
            nodes: nodes::Nodes::default(),
            heartbeats: BTreeSet::new(),
            next_serial: 1,
            started_ms: now.age_ms,
            tick_at_ms: None,
            touch_at_ms: None,
            delta_members: 0,
            window_ends_ms: 0,
            sending_began_ms: None,
            refused_beacons: 0,
            is_shut_down: false,
            outputs: VecDeque::new(),
        }
    }

    /// Takes an accepted handshake in: writes its row and queues hello as its first frame.
    pub fn join(&mut self, handshake: Handshake, now: Now) -> ConnId {
        self.advance(now);
        let conn = self.admit(handshake, now);
        self.greet(conn, now);
        self.announce(now);
        conn
    }

    /// Takes several in that came together, in this order: all rows are written before the first hello, so
    /// that one encoded list serves all of them.
    pub fn join_all(&mut self, handshakes: impl IntoIterator<Item = Handshake>, now: Now) -> Vec<ConnId> {
        self.advance(now);
        let mut conns: Vec<ConnId> = Vec::new();
        let mut greeted = 0;
        let mut proofs = self.roster.proofs();
        for handshake in handshakes {
            // Each has to find itself in its hello: before one of them may put another out, all are greeted.
            let device_id = handshake.device_id.as_deref();
            let (client, conn_id) = (&handshake.client, &handshake.conn_id);
            if self.roster.unlists_after(proofs, client, device_id, conn_id) {
                self.greet_all(&conns[greeted..], now);
                greeted = conns.len();
                proofs = self.roster.proofs();
            }
            conns.push(self.admit(handshake, now));
        }
        self.greet_all(&conns[greeted..], now);
        self.announce(now);
        conns
    }

    /// Makes a member of it, and writes its row.
    fn admit(&mut self, mut handshake: Handshake, now: Now) -> ConnId {
        member::drop_placeholders(&mut handshake);
        let takes_deltas = takes_deltas(&handshake);
        let offer = Offer {
            caps: take(&mut handshake.caps),
            commands: take(&mut handshake.commands),
        };
        let serial = self.next_serial;
        self.next_serial += 1;
        let mode = PresenceKey::of_name(&handshake.client.mode);
        let is_ephemeral = mode.is_some_and(|mode| {
            self.config
                .ephemeral_modes
                .iter()
                .any(|ephemeral| **ephemeral == *mode.as_str())
        });
        let member = Member {
            serial,
            reads: may_read(handshake.role, &handshake.scopes),
            takes_deltas,
            is_tracked: !is_ephemeral,
            key: self.roster.connect_key(
                &handshake.client,
                handshake.device_id.as_deref(),
                &handshake.conn_id,
            ),
            row: None,
            node: None,
            has_version: 0,
            refused_calls: 0,
            heartbeat: Heartbeat {
                due_ms: now.age_ms.saturating_add(self.ping_interval_ms()),
                awaits_pong: false,
            },
            handshake,
        };
        let due_ms = member.heartbeat.due_ms;
        let slot = self.members.insert(member);
        if let Some(member) = self.members.get_mut(slot)
            && member.is_tracked
            && !self.is_shut_down
        {
            member.row = Some(self.roster.connect(&member.connect_write(slot), now));
            self.follow_moves();
        }
        if takes_deltas {
            self.add_delta_member(now);
        }
        if !self.is_shut_down {
            self.heartbeats.insert((due_ms, slot));
            let interval_ms = self.config.limits.tick_interval_ms.max(1);
            let tick_at_ms = now.age_ms.saturating_add(interval_ms);
            self.tick_at_ms.get_or_insert(tick_at_ms);
        }
        let conn = ConnId { slot, serial };
        self.add_node(conn, &offer, now);
        conn
    }

    fn greet_all(&mut self, conns: &[ConnId], now: Now) {
        for &conn in conns {
            self.greet(conn, now);
        }
    }

    /// Queues its first frame.
    fn greet(&mut self, conn: ConnId, now: Now) {
        let Some(hello) = hello::hello(self, conn.slot, now) else {
            return;
        };
        self.outputs
            .push_back(HubOutput::Send(conn, Item::Response(hello)));
        if self.is_shut_down {
            self.outputs
                .push_back(HubOutput::Send(conn, Item::Close(CloseFrame::SERVICE_RESTART)));
        }
    }

    /// Answers one request of a joined connection.
    pub fn call(&mut self, conn: ConnId, request: &Request, now: Now) {
        self.advance(now);
        if !self.members.holds(conn) {
            return self.announce(now);
        }
        let answer = self.answer(conn.slot, request, now);
        self.outputs
            .push_back(HubOutput::Send(conn, Item::Response(answer)));
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

    /// A pong arrived: proof of life for the connection's row. If that was evicted and no row with a live
    /// connection has to go for it, it comes back.
    pub fn pong(&mut self, conn: ConnId, now: Now) {
        self.advance(now);
        if !self.members.holds(conn) {
            return self.announce(now);
        }
        let due_ms = now.age_ms.saturating_add(self.ping_interval_ms());
        self.refresh_row(conn.slot, now);
        if let Some(member) = self.members.get_mut(conn.slot)
            && member.heartbeat.awaits_pong
        {
            self.heartbeats.remove(&(member.heartbeat.due_ms, conn.slot));
            member.heartbeat = Heartbeat {
                due_ms,
                awaits_pong: false,
            };
            self.heartbeats.insert((due_ms, conn.slot));
        }
        self.announce(now);
    }

    /// A sign of life on a connection: touches its row. If that was evicted and no row with a live
    /// connection has to go for it, it comes back.
    fn refresh_row(&mut self, slot: u32, now: Now) {
        let Some(member) = self.members.get_mut(slot) else {
            return;
        };
        match member.row.filter(|&row| self.roster.contains(row)) {
            Some(row) => self.roster.touch(row, now),
            None if member.is_tracked && !self.is_shut_down => {
                member.row = self.roster.restore(&member.connect_write(slot), now);
                self.rekey_node(slot);
            }
            None => {}
        }
        self.follow_moves();
    }

    /// Binds connections that left their rows to those they have now.
    fn follow_moves(&mut self) {
        for moved in self.roster.take_moves() {
            if let Some(member) = self.members.get_mut(moved.seat)
                && member.serial == moved.conn
            {
                member.row = moved.row;
                self.move_node(moved.seat);
            }
        }
    }

    /// The connection is gone. A second call for the same one does nothing.
    pub fn leave(&mut self, conn: ConnId, cause: LeaveCause, now: Now) {
        self.advance(now);
        self.remove(conn, cause, now);
        self.announce(now);
    }

    /// Announces the end to all: the last state, the `shutdown` event, then close 1012. Later joins
    /// are greeted and closed likewise.
    pub fn shutdown(&mut self, reason: &str, now: Now) {
        if self.is_shut_down {
            return;
        }
        self.advance(now);
        self.broadcast(now);
        self.is_shut_down = true;
        self.heartbeats.clear();
        self.tick_at_ms = None;
        self.touch_at_ms = None;
        let event = Arc::new(shutdown_event(reason));
        for (slot, member) in self.members.iter() {
            let conn = ConnId {
                slot,
                serial: member.serial,
            };
            self.outputs
                .push_back(HubOutput::Send(conn, Item::Event(event.clone())));
            self.outputs
                .push_back(HubOutput::Send(conn, Item::Close(CloseFrame::SERVICE_RESTART)));
        }
    }

    /// Whether a broadcast or events of nodes were put out since [`handle_sent`](Self::handle_sent).
    #[must_use]
    pub fn awaits_sent(&self) -> bool {
        self.sending_began_ms.is_some()
    }

    /// Everything put out so far is sent, or waits for sockets that are full. Where that took longer than
    /// half of the coalescing window, the window is twice as long as it took, so that half of the time is
    /// left for those who have something to say; what seems to have taken longer than two seconds was no sending
    /// but a suspension. A shell that never calls it has windows of constant length.
    pub fn handle_sent(&mut self, now: Now) {
        let window_ms = self.config.limits.window_ms;
        if let Some(began_ms) = self.sending_began_ms.take()
            && window_ms > 0
        {
            let took_ms = now.age_ms.saturating_sub(began_ms).min(MAX_SENDING_MS);
            let until_ms = began_ms.saturating_add(2 * took_ms);
            self.window_ends_ms = self.window_ends_ms.max(until_ms);
            self.nodes.extend_window(until_ms);
        }
    }

    /// The next thing to do; poll until `None` after every other call.
    pub fn poll_output(&mut self) -> Option<HubOutput> {
        let output = self.outputs.pop_front();
        if output.is_none() && self.outputs.capacity() > KEPT_OUTPUTS {
            self.outputs = VecDeque::new();
        }
        output
    }

    /// The list as any reader gets it now, newest first, for the shell's own use.
    pub fn list(&mut self, now: Now) -> Vec<PresenceEntry> {
        self.advance(now);
        let list = self.roster.list(now);
        self.announce(now);
        list
    }

    /// Number of joined connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.members.len()
    }

    /// Number of rows, self included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.roster.len()
    }

    /// The presence version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.roster.version()
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

    fn remove(&mut self, conn: ConnId, cause: LeaveCause, now: Now) {
        if !self.members.holds(conn) {
            return;
        }
        let Some(member) = self.members.remove(conn.slot) else {
            return;
        };
        self.heartbeats.remove(&(member.heartbeat.due_ms, conn.slot));
        if member.takes_deltas {
            self.remove_delta_member(now);
        }
        if self.members.len() == 0 {
            self.tick_at_ms = None;
        }
        if let Some(row) = member.row {
            self.roster
                .disconnect(row, member.serial, cause != LeaveCause::Silent, now);
        }
        self.remove_node(conn, member, now);
    }

    /// Announces a change: at once after a quiet window, else when the window ends (SPEC 2).
    fn announce(&mut self, now: Now) {
        if self.is_shut_down {
            return;
        }
        self.forget_nodes();
        self.tell_nodes(now);
        let is_changed = self.roster.version() != self.announced_version;
        if is_changed && now.age_ms >= self.window_ends_ms {
            self.broadcast(now);
            self.window_ends_ms = now.age_ms.saturating_add(self.config.limits.window_ms);
            self.sending_began_ms = Some(now.age_ms);
        } else if !is_changed {
            self.tell_touches(now);
        }
    }

    /// Sends the change to every reader that does not have this version, in slot order: the list,
    /// encoded once, or the delta, encoded once.
    fn broadcast(&mut self, now: Now) {
        let from = self.announced_version;
        let version = self.roster.version();
        self.announced_version = version;
        let lacks = |member: &Member| member.reads && member.has_version < version;
        let wants =
            |deltas: bool| move |(_, member): (u32, &Member)| lacks(member) && member.takes_deltas == deltas;
        let is_list_wanted = self.members.iter().any(wants(false));
        let is_delta_wanted = self.members.iter().any(wants(true));
        let list = is_list_wanted.then(|| Arc::new(self.presence_event(now)));
        let delta = is_delta_wanted.then(|| self.delta_item(from, now));
        for (slot, member) in self.members.iter_mut() {
            if !lacks(member) {
                continue;
            }
            let item = match (member.takes_deltas, &list, &delta) {
                (false, Some(list), _) => Item::Presence(list.clone()),
                (true, _, Some(delta)) => delta.clone(),
                _ => continue,
            };
            member.has_version = version;
            let conn = ConnId {
                slot,
                serial: member.serial,
            };
            self.outputs.push_back(HubOutput::Send(conn, item));
        }
    }

    /// The `presence` event without its `seq`.
    fn presence_event(&mut self, now: Now) -> Frame {
        Frame {
            head: Cow::Borrowed(r#"{"type":"event","event":"presence","payload":{"presence":"#),
            body: Some(self.roster.encode_list(now)),
            tail: format!(r#"}},"stateVersion":{}"#, self.state_version()).into(),
        }
    }
}

/// The `shutdown` event without its `seq`.
fn shutdown_event(reason: &str) -> Frame {
    let reason = serde_json::to_string(reason).unwrap_or_default();
    Frame::text(format!(
        r#"{{"type":"event","event":"shutdown","payload":{{"reason":{reason}}}"#
    ))
}
