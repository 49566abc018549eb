//! Nodes in the model: which connection may report the last input, and what that writes (SPEC 2, "Nodes").

use std::collections::BTreeMap;

use presence_core::Now;
use presence_core::wire::NodeReport;

use super::{Expected, Seat, Twin};

/// Connections with equal keys are one node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NodeKey {
    Device(String),
    Instance(String),
    Connection(u64),
}

/// The connection that reported the last input of each node.
pub(super) type Nodes = BTreeMap<NodeKey, u64>;

impl Twin {
    pub(super) fn add_node(&mut self, name: &str) {
        if self.seats.get(name).is_some_and(Seat::is_node) {
            let key = self.node_key(name);
            if let Some(seat) = self.seats.get_mut(name) {
                seat.node = key;
            }
        }
    }

    /// The connection may have another row now, and be another node.
    pub(super) fn rename_node(&mut self, name: &str) {
        let key = self.node_key(name);
        if let Some(seat) = self.seats.get_mut(name)
            && seat.node.is_some()
            && seat.node != key
        {
            end_activity(&mut self.nodes, seat);
            seat.node = key;
        }
    }

    pub(super) fn move_node(&mut self, name: &str) {
        if let Some(seat) = self.seats.get(name) {
            end_activity(&mut self.nodes, seat);
        }
        self.rename_node(name);
    }

    pub(super) fn remove_node(&mut self, seat: &Seat) {
        end_activity(&mut self.nodes, seat);
    }

    /// A claim to the id of another client's device makes no node of that id.
    fn node_key(&self, name: &str) -> Option<NodeKey> {
        let seat = self.seats.get(name)?;
        if let Some(device) = &seat.handshake.device_id {
            return Some(NodeKey::Device(device.to_string()));
        }
        let write = seat.write();
        let instance = self.model.instance_key(&write);
        let instance = instance.filter(|_| !self.model.is_apart(&write, seat.row));
        Some(instance.map_or(NodeKey::Connection(seat.serial), NodeKey::Instance))
    }

    /// An event of a node, and the answer to it.
    pub(super) fn report(&mut self, name: &str, report: Option<&NodeReport>, now: Now) -> Expected {
        match report {
            None => Expected::Report(false, Some("presence-only gateway")),
            Some(NodeReport::Invalid) => Expected::Report(false, Some("invalid_payload")),
            Some(NodeReport::Alive(_)) => self.alive(name, now),
            Some(NodeReport::Idle(seconds)) => self.activity(name, Some(*seconds), now),
            Some(NodeReport::Clear) => self.activity(name, None, now),
        }
    }

    fn alive(&mut self, name: &str, now: Now) -> Expected {
        let has_device = self
            .seats
            .get(name)
            .is_some_and(|seat| seat.handshake.device_id.is_some());
        if !has_device {
            return Expected::Report(false, Some("missing_device_identity"));
        }
        self.refresh(name, now);
        // `persisted`, or `throttled`.
        Expected::Report(true, None)
    }

    fn activity(&mut self, name: &str, idle_seconds: Option<u64>, now: Now) -> Expected {
        let Some(seat) = self.seats.get(name) else {
            return Expected::Report(false, None);
        };
        if !seat.handshake.may_report_input {
            return Expected::Report(false, Some("permission_required"));
        }
        let of_node = self.seats.values().filter(|other| other.node == seat.node);
        if of_node.map(|other| other.serial).max() != Some(seat.serial) {
            return Expected::Report(false, Some("stale_connection"));
        }
        self.refresh(name, now);
        let Some(Seat {
            serial,
            row,
            node: Some(key),
            ..
        }) = self.seats.get(name)
        else {
            return Expected::Report(false, None);
        };
        let before = match idle_seconds {
            Some(_) => self.nodes.insert(key.clone(), *serial),
            None => self.nodes.remove(key),
        };
        let had_input = row.and_then(|row| self.model.report_input(row, *serial, idle_seconds, now));
        // One node has one last input: that of another row of it ends.
        let other = self.seats.values().find(|seat| Some(seat.serial) == before);
        if let Some(Seat {
            serial,
            row: Some(other),
            ..
        }) = other.filter(|other| other.row != *row)
        {
            self.model.withdraw_input(*other, *serial, now);
        }
        let was_active = before.is_some() || had_input == Some(true);
        let reason = match (idle_seconds, was_active) {
            (Some(_), _) => "updated",
            (None, true) => "cleared",
            (None, false) => "already_clear",
        };
        Expected::Report(true, Some(reason))
    }
}

/// The last input that the connection reported of its node is no longer known.
fn end_activity(nodes: &mut Nodes, seat: &Seat) {
    if let Some(key) = &seat.node
        && nodes.get(key) == Some(&seat.serial)
    {
        nodes.remove(key);
    }
}
