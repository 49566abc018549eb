//! The naive roster beside the gateway: it is told what the hub was told, applies the rules for connections in the
//! plainest way, and has the same rows after every operation.

mod nodes;

use std::collections::BTreeMap;

use presence_conformance::model::Model;
use presence_conformance::model::owner::About;
use presence_conformance::model::text::normalise;
use presence_conformance::vectors::core_target::{Happened, Happening};
use presence_core::model::beacon::Beacon;
use presence_core::roster::{ConnectWrite, Holder};
use presence_core::server::Handshake;
use presence_core::wire::{Call, Request};
use presence_core::{Now, PresenceEntry};
use serde_json::Value;

use self::nodes::{NodeKey, Nodes};

/// What the answer to a call must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Accepted, or refused.
    Accepted(bool),
    /// A report of a node: handled or not, and why, where that is known.
    Report(bool, Option<&'static str>),
}

/// The facts about the gateway that the rules depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) ttl_ms: u64,
    pub(super) max_entries: usize,
    pub(super) ping_interval_ms: u64,
    /// The key of the gateway's own `instanceId`.
    pub(super) own_key: &'static str,
    /// Modes without rows.
    pub(super) rowless: &'static [&'static str],
}

pub(super) struct Twin {
    rules: Rules,
    model: Model,
    seats: BTreeMap<String, Seat>,
    nodes: Nodes,
    joined: u64,
    /// Something was sent for which the naive model has no rule, such as a beacon with a TTL of its own.
    has_given_up: bool,
}

/// A connection that joined.
struct Seat {
    serial: u64,
    handshake: Box<Handshake>,
    has_row: bool,
    /// The row it was bound to; may be gone.
    row: Option<u64>,
    node: Option<NodeKey>,
}

impl Seat {
    fn write(&self) -> ConnectWrite<'_> {
        let handshake = &self.handshake;
        ConnectWrite {
            conn: self.serial,
            seat: 0,
            conn_id: &handshake.conn_id,
            client: &handshake.client,
            role: handshake.role,
            scopes: &handshake.scopes,
            device_id: handshake.device_id.as_deref(),
            remote_ip: handshake.remote_ip.as_deref(),
            user: handshake.user.as_deref(),
        }
    }

    fn is_node(&self) -> bool {
        self.handshake.role.as_str() == "node"
    }

    fn has_scope(&self, scopes: &[&str]) -> bool {
        let own = &self.handshake.scopes;
        own.iter().any(|scope| scopes.contains(&&**scope))
    }
}

impl Twin {
    pub(super) fn new(rules: Rules, self_entry: PresenceEntry, now: Now) -> Self {
        Self {
            rules,
            model: Model::new(rules.ttl_ms, rules.max_entries, self_entry, now),
            seats: BTreeMap::new(),
            nodes: Nodes::default(),
            joined: 0,
            has_given_up: false,
        }
    }

    /// Follows the hub. Returns the connection, the id and the expected answer of a call that it can judge.
    pub(super) fn follow(&mut self, happened: &Happened) -> Option<(String, String, Expected)> {
        if self.has_given_up {
            return None;
        }
        let now = happened.now;
        if matches!(happened.what, Happening::Woke) {
            self.model
                .spare_live_rows(now.age_ms + self.rules.ping_interval_ms);
            return None;
        }
        self.model.settle(now);
        match &happened.what {
            Happening::Woke | Happening::Settled => {}
            Happening::Joined(name, handshake) => self.join(name, handshake, now),
            Happening::Pong(name) => self.refresh(name, now),
            Happening::Left { name, is_silent } => self.leave(name, *is_silent, now),
            Happening::Called(name, request) => {
                let expected = self.call(name, request, now)?;
                return Some((name.clone(), request.id.to_string(), expected));
            }
        }
        None
    }

    /// Compares the gateway's list and version with its own.
    pub(super) fn compare(&mut self, list: &Value, version: u64, now: Now) {
        if self.has_given_up {
            return;
        }
        let own: Vec<PresenceEntry> = self
            .model
            .list_with_ids(now)
            .into_iter()
            .map(|(_, row)| row)
            .collect();
        let own = serde_json::to_value(own).expect("rows are JSON");
        assert_eq!(*list, own, "the gateway's list, and the model's");
        assert_eq!(
            version,
            self.model.version(),
            "the gateway's version, and the model's"
        );
    }

    fn join(&mut self, name: &str, handshake: &Handshake, now: Now) {
        self.joined += 1;
        let mode = normalise(&handshake.client.mode);
        let mut seat = Seat {
            serial: self.joined,
            handshake: Box::new(handshake.clone()),
            has_row: !mode.is_some_and(|mode| self.rules.rowless.contains(&&*mode)),
            row: None,
            node: None,
        };
        if seat.has_row {
            seat.row = Some(self.model.connect(&seat.write(), now));
        }
        self.seats.insert(name.to_owned(), seat);
        self.follow_moves();
        self.add_node(name);
    }

    /// A sign of life: touches the row, or restores it.
    fn refresh(&mut self, name: &str, now: Now) {
        let Some(seat) = self.seats.get_mut(name) else {
            return;
        };
        match seat.row.filter(|row| self.model.contains(*row)) {
            Some(row) => self.model.touch(row, now),
            None if seat.has_row => {
                seat.row = self.model.restore(&seat.write(), now);
                self.rename_node(name);
            }
            None => {}
        }
        self.follow_moves();
    }

    fn leave(&mut self, name: &str, is_silent: bool, now: Now) {
        let Some(seat) = self.seats.remove(name) else {
            return;
        };
        if let Some(row) = seat.row {
            self.model.disconnect(row, seat.serial, !is_silent, now);
        }
        self.remove_node(&seat);
    }

    /// Binds the connections that left their rows to their new ones.
    fn follow_moves(&mut self) {
        for (serial, row) in self.model.take_moves() {
            let moved = self.seats.iter_mut().find(|(_, seat)| seat.serial == serial);
            let Some((name, seat)) = moved else { continue };
            seat.row = row;
            let name = name.clone();
            self.move_node(&name);
        }
    }

    /// `None` for a call that changes no row.
    fn call(&mut self, name: &str, request: &Request, now: Now) -> Option<Expected> {
        let is_node = self.seats.get(name)?.is_node();
        match request.call.as_ref().ok()? {
            Call::SystemEvent(_) if is_node => Some(Expected::Accepted(false)),
            Call::SystemEvent(beacon) if beacon.ttl_ms.is_some() => {
                self.has_given_up = true;
                None
            }
            Call::SystemEvent(beacon) => Some(Expected::Accepted(self.beacon(name, beacon, now))),
            Call::NodeEvent(_) if !is_node => Some(Expected::Accepted(false)),
            Call::NodeEvent(event) => Some(self.report(name, event.report.as_ref(), now)),
            _ => None,
        }
    }

    /// Whether the beacon is accepted.
    fn beacon(&mut self, name: &str, beacon: &Beacon, now: Now) -> bool {
        let Some(seat) = self.seats.get_mut(name) else {
            return false;
        };
        let bound = seat.row.filter(|row| self.model.contains(*row));
        let about = self.model.about(beacon, &seat.write(), bound);
        let is_allowed = match about {
            About::Own | About::OwnWithoutIds => true,
            About::Another => seat.has_scope(&["operator.write", "operator.admin"]),
            About::AnotherOwned => seat.has_scope(&["operator.admin"]),
        };
        if !is_allowed {
            return false;
        }
        let is_own = matches!(about, About::Own | About::OwnWithoutIds);
        let claims_self =
            beacon.instance_id.as_deref().and_then(normalise).as_deref() == Some(self.rules.own_key);
        let mut rebuilt = None;
        if is_own && seat.has_row && bound.is_none() && !claims_self {
            rebuilt = Some(self.model.rebuild(&seat.write(), now));
            seat.row = rebuilt;
        }
        let holder = if is_own || seat.has_scope(&["operator.admin"]) {
            Holder::Unlimited
        } else {
            Holder::Connection(seat.serial)
        };
        let written = if about == About::OwnWithoutIds {
            self.model
                .own_beacon(beacon, &seat.write(), rebuilt.or(bound), now)
        } else {
            self.model.beacon(beacon, holder, now)
        };
        if let (Err(_), Some(row)) = (&written, rebuilt) {
            self.model.keep_rebuilt(row, now);
        }
        self.follow_moves();
        written.is_ok()
    }
}
