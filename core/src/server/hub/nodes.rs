//! The nodes: those connected, and those that went while their rows live (SPEC 2, "Nodes").
//!
//! One item per node, whatever it is asked by: `node.list`, `node.pair.list` and `node.describe` show the
//! same members.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::member::Member;
use super::{ConnId, Hub, HubOutput};
use crate::address::is_loopback;
use crate::key::RowKey;
use crate::protocol::node_event::{self, NodeReport};
use crate::protocol::params::{Length, Members as Params};
use crate::protocol::{Frame, Role, WireError};
use crate::roster::{RowId, max_list_bytes};
use crate::server::Item;
use crate::time::Now;

/// `node.presence.alive` counts once per this time and device, in ms.
const ALIVE_INTERVAL_MS: u64 = 60_000;

/// Most bytes of one node as JSON: optional members that do not fit are left out, the longest lists first.
pub(super) const MAX_NODE_BYTES: usize = 8 * 1024;

/// Most UTF-16 units of the `nodeId` asked for.
const MAX_ID_UNITS: usize = 1_024;

/// What makes two connections the same node. A claimed id never is a proven one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NodeKey {
    /// A verified device.
    Device(Box<str>),
    /// The key of an `instanceId`.
    Instance(Box<str>),
    /// A connection without an id.
    Connection(Box<str>),
}

#[derive(Debug, Default)]
struct Node {
    /// Its connections, the newest last.
    live: Vec<ConnId>,
    /// How it was described when its last connection closed.
    description: Map<String, Value>,
    /// Its row then.
    row: Option<RowId>,
    last_seen: Option<LastSeen>,
    /// When `node.presence.alive` last counted, on the age clock.
    alive_ms: Option<u64>,
    activity: Option<Activity>,
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
    serial: u64,
}

/// All nodes by key. At most as many without a connection as the roster may have rows, twice over.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    by_key: BTreeMap<NodeKey, Node>,
    /// Those without a connection.
    gone: usize,
    /// Nodes whose activity changed and whose readers were not told yet.
    changed: BTreeSet<NodeKey>,
    /// Before this moment no `node.presence` goes out, on the age clock.
    window_ends_ms: u64,
}

impl Nodes {
    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// When the next `node.presence` goes out, on the age clock.
    pub(super) fn poll_timeout(&self) -> Option<u64> {
        (!self.changed.is_empty()).then_some(self.window_ends_ms)
    }
}

impl Hub {
    /// A node joined.
    pub(super) fn add_node(&mut self, conn: ConnId) {
        let Some(member) = self.members.get(conn.slot) else {
            return;
        };
        if member.handshake.role != Role::Node {
            return;
        }
        let key = self.node_key(member);
        if let Some(member) = self.members.get_mut(conn.slot) {
            member.node = Some(key.clone());
        }
        let node = self.nodes.by_key.entry(key).or_default();
        if node.live.is_empty() && !node.description.is_empty() {
            self.nodes.gone -= 1;
            node.description = Map::new();
        }
        node.live.push(conn);
    }

    /// A node's connection is over; `member` is what it was.
    pub(super) fn remove_node(&mut self, conn: ConnId, member: &Member, now: Now) {
        let Some(key) = member.node.clone() else {
            return;
        };
        let description = self.describe(member);
        let Some(node) = self.nodes.by_key.get_mut(&key) else {
            return;
        };
        node.live.retain(|own| *own != conn);
        if node
            .activity
            .is_some_and(|activity| activity.serial == conn.serial)
        {
            node.activity = None;
            self.nodes.changed.insert(key.clone());
        }
        if !node.live.is_empty() {
            return;
        }
        let has_row = member.row.is_some_and(|row| self.roster.contains(row));
        if !has_row {
            self.nodes.by_key.remove(&key);
            return;
        }
        let reason = match node.last_seen {
            // Why a node that wakes up for a moment came says more than that it went.
            Some(seen) if seen.serial == conn.serial => seen.reason,
            _ => "disconnect",
        };
        node.last_seen = Some(LastSeen {
            at_ms: now.age_ms,
            reason,
            serial: conn.serial,
        });
        node.row = member.row;
        node.description = description;
        self.nodes.gone += 1;
        if self.nodes.gone > 2 * self.config.max_entries {
            self.forget_nodes();
        }
    }

    /// Drops the nodes whose rows are gone.
    fn forget_nodes(&mut self) {
        let roster = &self.roster;
        self.nodes
            .by_key
            .retain(|_, node| !node.live.is_empty() || node.row.is_some_and(|row| roster.contains(row)));
        self.nodes.gone = self
            .nodes
            .by_key
            .values()
            .filter(|node| node.live.is_empty())
            .count();
    }

    /// `node.list`: those connected first, at most as many as the roster may have rows.
    pub(super) fn node_list(&self, now: Now) -> Value {
        json!({ "ts": self.roster.wall_ms(now), "nodes": self.nodes_shown() })
    }

    /// `node.pair.list`: nobody has to pair here, so every known node counts as paired.
    pub(super) fn node_pair_list(&self) -> Value {
        json!({ "pending": [], "paired": self.nodes_shown() })
    }

    /// `node.describe`: one of them.
    pub(super) fn node_describe(&self, params: &str, now: Now) -> Result<Value, WireError> {
        let wanted = Params::root(params)
            .and_then(|members| members.required_string("nodeId", Length::nonempty(MAX_ID_UNITS)))
            .map_err(|reason| WireError::invalid_params("node.describe", &reason))?;
        let Some(node) = self.nodes_in_order().find(|node| self.node_id(node) == &*wanted) else {
            return Err(WireError::invalid_request("unknown nodeId"));
        };
        let mut answer = Map::new();
        answer.insert("ts".into(), json!(self.roster.wall_ms(now)));
        answer.extend(self.node_item(node));
        Ok(Value::Object(answer))
    }

    fn nodes_shown(&self) -> Vec<Value> {
        let max_bytes = max_list_bytes(self.config.max_entries);
        let (mut ids, mut bytes) = (BTreeSet::new(), 0);
        // Of two with one id the verified one is shown: keys of devices come first.
        self.nodes_in_order()
            .filter(|node| ids.insert(self.node_id(node)))
            .take(self.config.max_entries)
            .map(|node| Value::Object(self.node_item(node)))
            .take_while(|item| {
                bytes += format!("{item}").len() + 1;
                bytes <= max_bytes
            })
            .collect()
    }

    /// Those connected, then those that went and whose rows live; verified devices first.
    fn nodes_in_order(&self) -> impl Iterator<Item = &Node> {
        let nodes = || self.nodes.by_key.values();
        let is_known = |node: &&Node| node.row.is_some_and(|row| self.roster.contains(row));
        let connected = nodes().filter(|node| !node.live.is_empty());
        connected.chain(nodes().filter(|node| node.live.is_empty()).filter(is_known))
    }

    fn newest<'a>(&'a self, node: &Node) -> Option<&'a Member> {
        let conn = node.live.last()?;
        self.members.get(conn.slot)
    }

    fn node_id<'a>(&'a self, node: &'a Node) -> &'a str {
        match self.newest(node) {
            Some(member) => self.id_of_node(member),
            None => node
                .description
                .get("nodeId")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        }
    }

    fn node_item(&self, node: &Node) -> Map<String, Value> {
        let newest = self.newest(node);
        let mut item = match newest {
            Some(member) => self.describe(member),
            None => node.description.clone(),
        };
        item.insert("connected".into(), json!(newest.is_some()));
        if let Some(seen) = node.last_seen {
            item.insert("lastSeenAtMs".into(), json!(self.wall_of(seen.at_ms)));
            item.insert("lastSeenReason".into(), json!(seen.reason));
        }
        if let Some(activity) = node.activity {
            item.insert("lastActiveAtMs".into(), json!(self.last_active_ms(activity)));
        }
        item
    }

    fn last_active_ms(&self, activity: Activity) -> u64 {
        self.wall_of(activity.reported_ms)
            .saturating_sub(activity.idle_seconds * 1_000)
    }

    /// A moment of the age clock on the clock of `ts`.
    fn wall_of(&self, age_ms: u64) -> u64 {
        self.roster.wall_ms(Now { age_ms, wall_ms: 0 })
    }

    /// `node.event`.
    pub(super) fn node_event(&mut self, slot: u32, params: &str, now: Now) -> Result<Value, WireError> {
        let (event, report) =
            node_event::parse(params).map_err(|reason| WireError::invalid_params("node.event", &reason))?;
        let (is_handled, reason) = match report {
            None => (false, "presence-only gateway"),
            Some(NodeReport::Invalid) => (false, "invalid_payload"),
            Some(NodeReport::Alive(trigger)) => self.node_is_alive(slot, trigger, now),
            Some(NodeReport::Idle(seconds)) => self.node_activity(slot, Some(seconds), now),
            Some(NodeReport::Clear) => self.node_activity(slot, None, now),
        };
        Ok(json!({ "ok": true, "event": event, "handled": is_handled, "reason": reason }))
    }

    fn node_is_alive(&mut self, slot: u32, trigger: &'static str, now: Now) -> (bool, &'static str) {
        let Some(member) = self.members.get(slot) else {
            return (false, "stale_connection");
        };
        let serial = member.serial;
        let Some(key @ NodeKey::Device(_)) = member.node.clone() else {
            return (false, "missing_device_identity");
        };
        self.refresh_row(slot, now);
        let Some(node) = self.nodes.by_key.get_mut(&key) else {
            return (false, "stale_connection");
        };
        let is_early = |at_ms: u64| now.age_ms < at_ms.saturating_add(ALIVE_INTERVAL_MS);
        if node.alive_ms.is_some_and(is_early) {
            return (true, "throttled");
        }
        node.alive_ms = Some(now.age_ms);
        node.last_seen = Some(LastSeen {
            at_ms: now.age_ms,
            reason: trigger,
            serial,
        });
        (true, "persisted")
    }

    /// The last input of a node's row; `None` clears it.
    fn node_activity(&mut self, slot: u32, idle_seconds: Option<u64>, now: Now) -> (bool, &'static str) {
        let Some(member) = self.members.get(slot) else {
            return (false, "stale_connection");
        };
        if !member.handshake.may_report_input {
            return (false, "permission_required");
        }
        let (Some(key), serial) = (member.node.clone(), member.serial) else {
            return (false, "stale_connection");
        };
        let Some(node) = self.nodes.by_key.get_mut(&key) else {
            return (false, "stale_connection");
        };
        if node.live.last().is_none_or(|newest| newest.serial != serial) {
            return (false, "stale_connection");
        }
        let had_activity = node.activity.is_some();
        node.activity = idle_seconds.map(|idle_seconds| Activity {
            reported_ms: now.age_ms,
            idle_seconds,
            serial,
        });
        if had_activity || idle_seconds.is_some() {
            self.nodes.changed.insert(key);
        }
        self.refresh_row(slot, now);
        let row = self.members.get(slot).and_then(|member| member.row);
        let had_input = row.and_then(|row| self.roster.report_input(row, serial, idle_seconds, now));
        match (idle_seconds, had_activity || had_input == Some(true)) {
            (Some(_), _) => (true, "updated"),
            (None, true) => (true, "cleared"),
            (None, false) => (true, "already_clear"),
        }
    }

    /// Sends `node.presence` of every node whose activity changed to all readers: at once after a quiet
    /// window, else when the window ends.
    pub(super) fn tell_nodes(&mut self, now: Now) {
        if self.nodes.changed.is_empty() || now.age_ms < self.nodes.window_ends_ms {
            return;
        }
        self.nodes.window_ends_ms = now.age_ms.saturating_add(self.config.limits.window_ms);
        let events: Vec<_> = core::mem::take(&mut self.nodes.changed)
            .into_iter()
            .map(|key| Arc::new(self.node_presence(&key)))
            .collect();
        for (slot, member) in self.members.iter().filter(|(_, member)| member.reads) {
            let conn = ConnId {
                slot,
                serial: member.serial,
            };
            for event in &events {
                self.outputs
                    .push_back(HubOutput::Send(conn, Item::Droppable(event.clone())));
            }
        }
    }

    /// The `node.presence` event without its `seq`.
    fn node_presence(&self, key: &NodeKey) -> Frame {
        let node = self.nodes.by_key.get(key);
        let activity = node.and_then(|node| node.activity);
        let payload = json!({
            "nodeId": node.map_or_else(|| key.as_id(), |node| self.node_id(node)),
            "lastActiveAtMs": activity.map(|activity| self.last_active_ms(activity)),
            "presenceUpdatedAtMs": activity.map(|activity| self.wall_of(activity.reported_ms)),
        });
        Frame::text(format!(
            r#"{{"type":"event","event":"node.presence","payload":{payload}"#
        ))
    }
}

impl NodeKey {
    fn as_id(&self) -> &str {
        match self {
            Self::Device(id) | Self::Instance(id) | Self::Connection(id) => id,
        }
    }
}

impl Hub {
    /// A node is what its row goes by: a claim to the id of another's device makes no node of that id.
    fn node_key(&self, member: &Member) -> NodeKey {
        if let Some(device) = &member.handshake.device_id {
            return NodeKey::Device(device.clone());
        }
        match member
            .row
            .and_then(|row| self.roster.key(row))
            .unwrap_or(&member.key)
        {
            RowKey::Named(key) => NodeKey::Instance(key.as_str().into()),
            RowKey::Connection(_) | RowKey::SelfRow => NodeKey::Connection(member.handshake.conn_id.clone()),
        }
    }

    /// The `nodeId`, as the connection sent it.
    fn id_of_node<'a>(&self, member: &'a Member) -> &'a str {
        let handshake = &member.handshake;
        match self.node_key(member) {
            NodeKey::Device(_) => handshake.device_id.as_deref().unwrap_or_default(),
            NodeKey::Instance(_) => handshake.client.instance_id.as_deref().unwrap_or_default(),
            NodeKey::Connection(_) => &handshake.conn_id,
        }
    }

    /// The members of a node that its connection states.
    fn describe(&self, member: &Member) -> Map<String, Value> {
        let handshake = &member.handshake;
        let client = &handshake.client;
        let remote_ip = handshake.remote_ip.as_deref().filter(|ip| !is_loopback(ip));
        // In order of weight: what does not fit any more is left out, and all after it.
        let optional = [
            ("platform", json!(client.platform)),
            ("version", json!(client.version)),
            ("displayName", json!(client.display_name)),
            ("deviceFamily", json!(client.device_family)),
            ("modelIdentifier", json!(client.model_identifier)),
            ("remoteIp", json!(remote_ip)),
            ("caps", json!(handshake.caps)),
            ("commands", json!(handshake.commands)),
        ];
        let mut node = Map::new();
        node.insert("nodeId".into(), json!(self.id_of_node(member)));
        node.insert("paired".into(), json!(true));
        node.insert("connectedAtMs".into(), json!(member.joined_wall_ms));
        node.insert("caps".into(), json!([]));
        node.insert("commands".into(), json!([]));
        let mut bytes = format!("{}", Value::Object(node.clone())).len();
        for (name, value) in optional {
            if value.is_null() {
                continue;
            }
            bytes += format!("{value}").len() + name.len() + 4;
            if bytes > MAX_NODE_BYTES {
                break;
            }
            node.insert(name.into(), value);
        }
        node
    }
}
