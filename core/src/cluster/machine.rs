//! The state machine.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::vec::Vec;
use core::fmt::Display;

use super::input::{ClusterBatch, ClusterInput, ClusterOutput, Restart, RowChange};
use super::own::Own;
use super::peer::Peer;
use super::wire::{ValueError, read_lease, read_row};
use super::{HEARTBEAT_MS, LEASE_MS, MAX_WARNINGS, RESYNC_MS, WINDOW_MS};
use crate::fleet::validate_names;
use crate::model::time::Now;
use crate::server::Hub;

/// The identity of this gateway in the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// Its name in the fleet.
    pub name: Box<str>,
    /// The id of this process.
    pub boot_id: Box<str>,
}

/// A gateway of a fleet: writes the rows of its [`Hub`], and adds the rows of the other gateways to it.
///
/// After each [`handle`](Self::handle) and each call of the hub, take every [`poll_output`](Self::poll_output), then
/// call [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Cluster {
    config: ClusterConfig,
    /// Orders the processes of this name.
    incarnation: u64,
    /// The highest incarnation that was seen of other processes of this name.
    seen: u64,
    /// Whether this process wrote rows.
    has_written: bool,
    own: Own,
    /// The version of the own rows that was read last.
    version: Option<u64>,
    session: Option<Session>,
    peers: BTreeMap<Box<str>, Peer>,
    /// When a snapshot was last requested, on the age clock.
    resynced_ms: Option<u64>,
    /// The last call, on the age clock.
    called_ms: u64,
    /// The warnings so far: gateways can write any number of invalid values.
    warned: BTreeSet<(Box<str>, Warning)>,
    outputs: VecDeque<ClusterOutput>,
}

/// Kinds of warnings about another gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Warning {
    /// Its name is invalid.
    Name,
    /// It cannot be listed.
    LeftOut,
    /// Its lease has another format.
    Format,
    /// A value of it is invalid.
    Value,
}

impl From<&ValueError> for Warning {
    fn from(error: &ValueError) -> Self {
        match error {
            ValueError::Format(_) => Self::Format,
            ValueError::Invalid(_) => Self::Value,
        }
    }
}

/// The buckets are watched, or will be.
#[derive(Debug)]
struct Session {
    /// Whether the name is claimed and the snapshot is complete. Until then no rows are passed to the hub, because
    /// their leases may follow.
    is_settled: bool,
    is_writing: bool,
    lease_at_ms: u64,
    write_at_ms: u64,
}

impl Cluster {
    /// A gateway that has not reached the buckets yet. Prepares the hub for peers: call it before the first join.
    #[must_use]
    pub fn new(config: ClusterConfig, hub: &mut Hub, now: Now) -> Self {
        hub.list_peers(&config.name, now);
        Self {
            config,
            // Higher than those of earlier processes, also if the buckets have lost these.
            incarnation: (now.wall_ms / 1_000).max(1),
            seen: 0,
            has_written: false,
            own: Own::default(),
            version: None,
            session: None,
            peers: BTreeMap::new(),
            resynced_ms: None,
            called_ms: now.age_ms,
            warned: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Handles inputs from the session.
    pub fn handle(&mut self, inputs: Vec<ClusterInput>, hub: &mut Hub, now: Now) {
        self.handle_suspension(now);
        for input in inputs {
            match input {
                ClusterInput::Joining => self.join(now),
                ClusterInput::Settled => self.settle(now),
                ClusterInput::Written => {
                    if let Some(session) = &mut self.session {
                        session.is_writing = false;
                    }
                }
                ClusterInput::Left => self.session = None,
                // The input is from a session that has to end.
                ClusterInput::Lease { .. } | ClusterInput::Row { .. } if self.session.is_none() => {}
                ClusterInput::Lease { gateway, value, .. } if gateway == self.config.name => {
                    self.handle_own_lease(value.as_deref(), now);
                }
                ClusterInput::Lease {
                    gateway,
                    age_ms,
                    value,
                } => self.handle_lease(&gateway, age_ms, value.as_deref(), hub, now),
                ClusterInput::Row {
                    gateway,
                    number,
                    change,
                    ..
                } if gateway == self.config.name => self.handle_own_row(number, &change, now),
                ClusterInput::Row {
                    gateway,
                    number,
                    age_ms,
                    change,
                } => self.handle_row(&gateway, number, age_ms, &change, hub, now),
            }
        }
        if self.session.as_ref().is_none_or(|session| session.is_settled) {
            self.publish(hub, now);
        }
    }

    /// Ends the session after a suspension of this machine: the messages of the watches are delayed by an
    /// unknown time.
    fn handle_suspension(&mut self, now: Now) {
        let called_ms = core::mem::replace(&mut self.called_ms, now.age_ms);
        if self.session.is_some() && now.age_ms.saturating_sub(called_ms) > LEASE_MS {
            self.restart(Restart::Suspended);
        }
    }

    fn join(&mut self, now: Now) {
        self.session = Some(Session {
            is_settled: false,
            is_writing: false,
            lease_at_ms: now.age_ms,
            write_at_ms: now.age_ms,
        });
        self.version = None;
        self.own.touch_all(now);
    }

    fn settle(&mut self, now: Now) {
        let Some(session) = self.session.as_mut().filter(|session| !session.is_settled) else {
            return;
        };
        session.is_settled = true;
        self.raise_incarnation(now);
    }

    /// Chooses an incarnation above those of earlier processes with this name.
    fn raise_incarnation(&mut self, now: Now) {
        if self.seen >= self.incarnation {
            self.incarnation = self.seen + 1;
            self.own.touch_all(now);
        }
    }

    fn handle_own_lease(&mut self, value: Option<&[u8]>, now: Now) {
        let Some(session) = &mut self.session else { return };
        let Some(value) = value else {
            session.lease_at_ms = now.age_ms;
            return;
        };
        match read_lease(value) {
            Ok(lease) if lease.boot == *self.config.boot_id => self.raise_incarnation(now),
            _ => self.restart(Restart::NameTaken),
        }
    }

    /// Handles a row of this gateway's name that the bucket returned. The writer can be an earlier process, or an
    /// earlier session of this one: in this session nothing is written before the snapshot is complete.
    fn handle_own_row(&mut self, number: u64, change: &RowChange, now: Now) {
        let is_known = self.own.contains(number);
        match change {
            RowChange::Put(value) => {
                let (incarnation, stamp) =
                    read_row(value).map_or((0, 0), |(row, _)| (row.incarnation, row.stamp));
                let is_earlier = !self.has_written || incarnation > self.incarnation;
                if is_earlier {
                    self.seen = self.seen.max(incarnation);
                }
                if is_known {
                    self.own
                        .note_stored(number, stamp, incarnation == self.incarnation);
                } else {
                    self.own.delete(number);
                }
            }
            RowChange::Deleted | RowChange::Expired if is_known => self.own.touch(number, now),
            RowChange::Deleted | RowChange::Expired => {}
        }
    }

    fn handle_lease(&mut self, gateway: &str, age_ms: u64, value: Option<&[u8]>, hub: &mut Hub, now: Now) {
        let Some(value) = value else {
            if let Some(peer) = self.peers.get_mut(gateway) {
                peer.end_lease(now);
            }
            return;
        };
        let lease = match read_lease(value) {
            Ok(lease) => lease,
            Err(error) => return self.warn(gateway, Warning::from(&error), &error),
        };
        if lease.incarnation == 0 {
            return;
        }
        let Some(peer) = self.peer(gateway, hub) else {
            return;
        };
        let is_missing_rows = peer.renew(&lease, age_ms, now);
        let is_due = |at_ms: u64| now.age_ms.saturating_sub(at_ms) >= RESYNC_MS;
        let is_settled = self.session.as_ref().is_some_and(|session| session.is_settled);
        if is_missing_rows && is_settled && self.resynced_ms.is_none_or(is_due) {
            self.resynced_ms = Some(now.age_ms);
            self.restart(Restart::Resync);
        }
    }

    fn handle_row(
        &mut self,
        gateway: &str,
        number: u64,
        age_ms: u64,
        change: &RowChange,
        hub: &mut Hub,
        now: Now,
    ) {
        match change {
            RowChange::Put(value) => match read_row(value) {
                Ok((row, entry)) => {
                    if let Some(peer) = self.peer(gateway, hub) {
                        peer.put(number, &row, entry, age_ms, now);
                    }
                }
                Err(error) => self.warn(gateway, Warning::from(&error), &error),
            },
            RowChange::Deleted => {
                if let Some(peer) = self.peers.get_mut(gateway) {
                    peer.remove(number);
                }
            }
            // Not a removal: its gateway writes it again if it still exists, and else it expires here by its age.
            RowChange::Expired => {}
        }
    }

    /// Returns the peer of that name, which may be new.
    fn peer(&mut self, gateway: &str, hub: &mut Hub) -> Option<&mut Peer> {
        if !self.peers.contains_key(gateway) {
            if let Err(error) = validate_names(&[gateway.into()]) {
                self.warn(gateway, Warning::Name, &error);
                return None;
            }
            match hub.add_peer(gateway) {
                Ok(id) => {
                    self.peers.insert(gateway.into(), Peer::new(id));
                }
                Err(error) => {
                    self.warn(gateway, Warning::LeftOut, &error);
                    return None;
                }
            }
        }
        self.peers.get_mut(gateway)
    }

    fn restart(&mut self, why: Restart) {
        self.session = None;
        self.outputs.push_back(ClusterOutput::Restart(why));
    }

    /// Warns about a gateway, once for each kind.
    fn warn(&mut self, gateway: &str, kind: Warning, why: &dyn Display) {
        if self.warned.len() < MAX_WARNINGS && self.warned.insert((gateway.into(), kind)) {
            self.outputs.push_back(ClusterOutput::Warn(format!(
                "gateway '{gateway}' of the fleet: {why}"
            )));
        }
    }

    /// Passes changed rows to the hub.
    fn publish(&mut self, hub: &mut Hub, now: Now) {
        for peer in self.peers.values_mut() {
            let (lease_ends_ms, update) = peer.take();
            // Rows first, so that rows of an earlier process that were replaced are not listed as gone.
            if let Some(update) = update {
                hub.apply(peer.id, update, now);
            }
            if let Some(ends_ms) = lease_ends_ms {
                hub.lease(peer.id, ends_ms, now);
            }
        }
    }

    /// Returns the next output.
    pub fn poll_output(&mut self, hub: &mut Hub, now: Now) -> Option<ClusterOutput> {
        self.handle_suspension(now);
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let session = self
            .session
            .as_mut()
            .filter(|session| session.is_settled && !session.is_writing)?;
        let is_lease_due = session.lease_at_ms <= now.age_ms;
        let may_write = session.write_at_ms <= now.age_ms;
        let is_changed = self.version != Some(hub.own_version());
        if is_lease_due || is_changed && may_write {
            self.version = Some(hub.own_version());
            self.own.walk(hub, now);
        }
        if is_lease_due {
            self.own.restore(now);
        }
        let mut batch = ClusterBatch::default();
        if may_write || is_lease_due {
            batch.rows = self.own.take_batch(self.incarnation, now);
        }
        if is_lease_due {
            session.lease_at_ms = now.age_ms.saturating_add(HEARTBEAT_MS);
            batch.lease = Some(self.own.lease(&self.config.boot_id, self.incarnation, now));
            let gone = hub.remove_expired_peers();
            self.peers.retain(|_, peer| !gone.contains(&peer.id));
        }
        if batch == ClusterBatch::default() {
            return None;
        }
        session.write_at_ms = now.age_ms.saturating_add(WINDOW_MS);
        session.is_writing = true;
        self.has_written = true;
        Some(ClusterOutput::Write(batch))
    }

    /// When to call [`poll_output`](Self::poll_output) again without an input, on the age clock.
    #[must_use]
    pub fn poll_timeout(&self, hub: &Hub) -> Option<u64> {
        let session = self.session.as_ref()?;
        if !session.is_settled || session.is_writing {
            // Calls that are further apart than a lease show a suspension.
            return Some(self.called_ms.saturating_add(HEARTBEAT_MS));
        }
        let is_changed = self.version != Some(hub.own_version()) || self.own.is_pending();
        let write_at_ms = if is_changed { session.write_at_ms } else { u64::MAX };
        Some(session.lease_at_ms.min(write_at_ms))
    }
}
