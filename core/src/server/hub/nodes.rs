//! The nodes: connected ones, and disconnected ones whose rows exist (SPEC 2, "Nodes").

mod description;
mod list;
mod news;
mod report;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use self::description::Description;
#[cfg(test)]
pub(super) use self::description::MAX_NODE_BYTES;
pub(super) use self::description::Offer;
use self::news::News;
#[cfg(test)]
pub(super) use self::news::{MAX_ENDED, MAX_EVENTS};
use super::member::Member;
use super::node_key::NodeKey;
use super::{ConnId, Hub};
use crate::model::Role;
use crate::model::key::RowKey;
use crate::model::time::Now;
use crate::roster::RowId;

/// Most checks of disconnected nodes per removed row: all are checked once the number of removed rows times this
/// exceeds their number.
const LOOKS_PER_ROW: u64 = 16;

/// A connection of a node.
#[derive(Clone, Debug)]
struct Seat {
    conn: ConnId,
    description: Description,
}

/// A node with a connection.
#[derive(Clone, Debug, Default)]
struct ConnectedNode {
    /// Its connections in the order of their serials, the newest last; at least one.
    seats: Vec<Seat>,
    last_seen: Option<LastSeen>,
    /// When `node.presence.alive` last counted, on the age clock.
    alive_ms: Option<u64>,
    activity: Option<Activity>,
}

/// A node whose last connection closed.
#[derive(Clone, Debug)]
struct GoneNode {
    description: Description,
    /// Its row at that time. The node is removed with it.
    row: RowId,
    last_seen: LastSeen,
    alive_ms: Option<u64>,
}

/// The last sign of life that was more than a pong.
#[derive(Clone, Copy, Debug)]
struct LastSeen {
    /// On the age clock.
    at_ms: u64,
    reason: &'static str,
    /// The connection that it came over.
    serial: u64,
}

/// The last input, as the node's newest connection reported it.
#[derive(Clone, Copy, Debug)]
struct Activity {
    /// When it was reported, on the age clock.
    reported_ms: u64,
    idle_seconds: u64,
    conn: ConnId,
}

/// All nodes by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    connected: BTreeMap<NodeKey, ConnectedNode>,
    /// Disconnected nodes. Each has a row, except at most a sixteenth of them whose rows were removed recently.
    gone: BTreeMap<NodeKey, GoneNode>,
    /// The roster's removals when `gone` was last checked.
    seen_removals: u64,
    news: News,
}

impl ConnectedNode {
    fn seat(&self, serial: u64) -> Result<usize, usize> {
        self.seats.binary_search_by_key(&serial, |seat| seat.conn.serial)
    }

    fn is_newest(&self, serial: u64) -> bool {
        self.seats.last().is_some_and(|seat| seat.conn.serial == serial)
    }
}

impl Nodes {
    /// The number of nodes.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.connected.len() + self.gone.len()
    }

    /// The number of nodes with a pending event.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.news.len()
    }

    fn add(&mut self, key: NodeKey, seat: Seat) {
        let gone = self.gone.remove(&key);
        let node = self.connected.entry(key).or_insert_with(|| ConnectedNode {
            last_seen: gone.as_ref().map(|gone| gone.last_seen),
            alive_ms: gone.and_then(|gone| gone.alive_ms),
            ..ConnectedNode::default()
        });
        if let Err(at) = node.seat(seat.conn.serial) {
            node.seats.insert(at, seat);
        }
    }

    /// Removes a connection from its node. Also returns the node if it was the last connection.
    fn remove(&mut self, key: &NodeKey, serial: u64) -> Option<(Seat, Option<ConnectedNode>)> {
        self.end_activity(key, serial);
        let node = self.connected.get_mut(key)?;
        let seat = node.seats.remove(node.seat(serial).ok()?);
        if !node.seats.is_empty() {
            return Some((seat, None));
        }
        let node = self.connected.remove(key);
        self.end_news(key);
        Some((seat, node))
    }
}

impl Hub {
    /// Adds a connection of a node.
    pub(super) fn add_node(&mut self, conn: ConnId, offer: &Offer, now: Now) {
        let Some(member) = self.members.get(conn.slot) else {
            return;
        };
        if member.handshake.role != Role::Node {
            return;
        }
        let key = self.node_key(conn.slot, member);
        let id = node_id(&key, member);
        let seat = Seat {
            conn,
            description: Description::new(id, &member.handshake, offer, now.age_ms),
        };
        self.nodes.add(key.clone(), seat);
        if let Some(member) = self.members.get_mut(conn.slot) {
            member.node = Some(key);
        }
    }

    /// The connection's last report of its node's input, if it is in force: its time, on the age clock, and the age of
    /// the input at that time, in seconds.
    #[cfg(feature = "recording")]
    pub(super) fn saved_activity(&self, conn: ConnId) -> Option<(u64, u64)> {
        let key = self.members.get(conn.slot)?.node.as_ref()?;
        let activity = self.nodes.connected.get(key)?.activity?;
        (activity.conn == conn).then_some((activity.reported_ms, activity.idle_seconds))
    }

    /// Restores the result of [`saved_activity`](Self::saved_activity).
    #[cfg(feature = "recording")]
    pub(super) fn restore_activity(&mut self, conn: ConnId, (reported_ms, idle_seconds): (u64, u64)) {
        let key = self
            .members
            .get(conn.slot)
            .and_then(|member| member.node.as_ref());
        if let Some(node) = key.and_then(|key| self.nodes.connected.get_mut(key)) {
            node.activity = Some(Activity {
                reported_ms,
                idle_seconds,
                conn,
            });
        }
    }

    /// Removes a connection; `member` is its former member.
    pub(super) fn remove_node(&mut self, conn: ConnId, member: Member, now: Now) {
        let Some(key) = member.node else { return };
        let Some((seat, Some(node))) = self.nodes.remove(&key, conn.serial) else {
            return;
        };
        let Some(row) = member.row.filter(|&row| self.roster.contains(row)) else {
            return;
        };
        let reason = match node.last_seen {
            // The reason why a node woke up for a moment is more useful than `disconnect`.
            Some(seen) if seen.serial == conn.serial => seen.reason,
            _ => "disconnect",
        };
        let gone = GoneNode {
            description: seat.description,
            row,
            last_seen: LastSeen {
                at_ms: now.age_ms,
                reason,
                serial: conn.serial,
            },
            alive_ms: node.alive_ms,
        };
        self.nodes.gone.insert(key, gone);
    }

    /// Handles a connection that left its row: its activity ends, and it may be another node now.
    pub(super) fn move_node(&mut self, slot: u32) {
        if let Some(member) = self.members.get(slot)
            && let Some(key) = &member.node
        {
            self.nodes.end_activity(key, member.serial);
            self.rekey_node(slot);
        }
    }

    /// Handles a connection that may have a row with another key.
    pub(super) fn rekey_node(&mut self, slot: u32) {
        let Some(member) = self.members.get(slot) else {
            return;
        };
        let Some(old_key) = &member.node else { return };
        let key = self.node_key(slot, member);
        if key == *old_key {
            return;
        }
        let id = node_id(&key, member);
        if let Some((mut seat, _)) = self.nodes.remove(old_key, member.serial) {
            seat.description.id = id.into();
            self.nodes.add(key.clone(), seat);
        }
        if let Some(member) = self.members.get_mut(slot) {
            member.node = Some(key);
        }
    }

    /// Drops disconnected nodes whose rows are gone.
    pub(super) fn remove_gone_nodes(&mut self) {
        let removals = self.roster.removals();
        let missed = removals.saturating_sub(self.nodes.seen_removals);
        if missed.saturating_mul(LOOKS_PER_ROW) > self.nodes.gone.len() as u64 {
            self.nodes.seen_removals = removals;
            let roster = &self.roster;
            self.nodes.gone.retain(|_, node| roster.contains(node.row));
        }
    }

    /// The key of a node is that of its row: a claim to the id of another client's device makes no node of that id.
    fn node_key(&self, slot: u32, member: &Member) -> NodeKey {
        if let Some(device) = &member.handshake.device_id {
            return NodeKey::Device(device.clone());
        }
        let write = member.connect_write(slot);
        match &member.key {
            RowKey::Named(key) if !self.roster.is_apart(&write, &member.key, member.row) => {
                NodeKey::Instance(key.as_str().into())
            }
            _ => NodeKey::Connection(member.serial),
        }
    }
}

/// The `nodeId`, as the connection sent it.
fn node_id<'a>(key: &'a NodeKey, member: &'a Member) -> &'a str {
    match key {
        NodeKey::Device(id) => id,
        NodeKey::Instance(key) => member.handshake.client.instance_id.as_deref().unwrap_or(key),
        NodeKey::Connection(_) => &member.handshake.conn_id,
    }
}
