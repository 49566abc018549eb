//! One row of the model.

use std::collections::BTreeMap;

use presence_core::PresenceEntry;

use super::identity::id_of;
use super::text::{Key, is_placeholder};

pub(super) type Text = Box<str>;

/// One row.
#[derive(Clone, Debug)]
pub struct ModelRow {
    /// Never used twice; ascending in the order the rows were made.
    pub id: u64,
    /// Its key.
    pub key: Key,
    /// Whether nothing but live connections kept it through a suspension, and until when.
    pub(super) spared_until: Option<u64>,
    pub(super) fields: PresenceEntry,
    pub(super) written: u64,
    pub(super) proof: u64,
    /// Orders proofs of life of the same millisecond.
    pub(super) proof_number: u64,
    pub(super) input_at: Option<i128>,
    /// The connection of the node that reported the last input.
    pub(super) input_by: Option<u64>,
    pub(super) live: Vec<LiveConnection>,
    /// When the row went from no live connection to one.
    pub(super) stay_began: u64,
    pub(super) was_connected: bool,
    pub(super) set_of_last_live: (Vec<Box<str>>, Vec<Box<str>>),
    pub(super) from_beacons: (Vec<Box<str>>, Vec<Box<str>>),
    /// The connection that wrote a member last; none if a beacon did.
    pub(super) written_by: BTreeMap<&'static str, u64>,
    /// The device that proved itself on it.
    pub(super) owner: Option<String>,
    pub(super) holder: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct LiveConnection {
    pub(super) conn: u64,
    pub(super) conn_id: String,
    pub(super) role: &'static str,
    pub(super) scopes: Vec<Box<str>>,
    pub(super) client_id: Text,
    pub(super) mode: Text,
    /// Its value of each member that a handshake may write, ids aside.
    pub(super) says: BTreeMap<&'static str, Option<Text>>,
}

impl ModelRow {
    /// Number of its live connections.
    #[must_use]
    pub fn live_connections(&self) -> usize {
        self.live.len()
    }

    /// A ping is unanswered, and its pong may still arrive.
    pub(super) fn is_spared(&self, now_ms: u64) -> bool {
        !self.live.is_empty() && self.spared_until.is_some_and(|until| now_ms < until)
    }

    pub(super) fn freshness(&self) -> (u64, u64) {
        (self.proof, self.proof_number)
    }

    pub(super) fn live_sets(&self) -> (Vec<Box<str>>, Vec<Box<str>>) {
        let mut roles = Vec::new();
        let mut scopes = Vec::new();
        for live in &self.live {
            add_missing(&mut roles, &[live.role.into()]);
            add_missing(&mut scopes, &live.scopes);
        }
        (roles, scopes)
    }

    /// The entry without its times.
    pub(super) fn shown(&self) -> PresenceEntry {
        let mut entry = self.fields.clone();
        (entry.roles, entry.scopes) = self.sets();
        entry
    }

    /// The device owns the row; returns the connections that leave it.
    pub(super) fn take_ownership(&mut self, device: String) -> Vec<LiveConnection> {
        if self.owner.as_ref() == Some(&device) {
            return Vec::new();
        }
        self.owner = Some(device);
        let leaving = std::mem::take(&mut self.live);
        for live in &leaving {
            self.take_back(live.conn);
            if self.input_by == Some(live.conn) {
                (self.input_at, self.input_by) = (None, None);
            }
        }
        leaving
    }

    /// A connection writes what it says, and is on the row from now on.
    pub(super) fn join(&mut self, live: LiveConnection, now_ms: u64) {
        if self.live.is_empty() {
            self.stay_began = now_ms;
            // A stay has the user of its own connections.
            self.fields.user_id = None;
        }
        self.was_connected = true;
        self.live.push(live);
        self.newest_writes();
        self.live.sort_by_key(|live| live.conn);
    }

    /// The newest connection writes what it says.
    fn newest_writes(&mut self) {
        let Some(newest) = self.live.last().cloned() else {
            return;
        };
        for (member, value) in newest.says {
            if value.is_some() {
                *self.member(member) = value;
                self.written_by.insert(member, newest.conn);
            }
        }
        self.stand_in();
    }

    /// SPEC 1.4: each member that the closed connection wrote last gets the value of the newest other connection that
    /// states one, else is removed.
    pub(super) fn take_back(&mut self, closed: u64) {
        let taken = self
            .written_by
            .clone()
            .into_iter()
            .filter(|(_, conn)| *conn == closed);
        for (member, _) in taken {
            self.written_by.remove(member);
            let newest = self.live.iter().rev().find_map(|live| {
                let value = live.says.get(member)?.clone()?;
                Some((live.conn, value))
            });
            if let Some((conn, _)) = &newest {
                self.written_by.insert(member, *conn);
            }
            *self.member(member) = newest.map(|(_, value)| value);
        }
        self.stand_in();
    }

    /// A row with a connection has a host and a text, unless `client.id` is a placeholder.
    fn stand_in(&mut self) {
        let Some(newest) = self.live.last().cloned() else {
            return;
        };
        let stands_in = !is_placeholder("host", &newest.client_id);
        if self.fields.host.is_none() && stands_in {
            self.fields.host = Some(newest.client_id);
            self.written_by.insert("host", newest.conn);
        }
        if self.fields.text.is_none()
            && let Some(host) = self.fields.host.clone()
        {
            self.fields.text = Some(format!("Node: {host} · mode {}", newest.mode).into());
            self.written_by.insert("text", newest.conn);
        }
    }

    fn member(&mut self, name: &str) -> &mut Option<Text> {
        let fields = &mut self.fields;
        match name {
            "host" => &mut fields.host,
            "ip" => &mut fields.ip,
            "version" => &mut fields.version,
            "platform" => &mut fields.platform,
            "deviceFamily" => &mut fields.device_family,
            "modelIdentifier" => &mut fields.model_identifier,
            "mode" => &mut fields.mode,
            "reason" => &mut fields.reason,
            "clientId" => &mut fields.client_id,
            "timeZone" => &mut fields.time_zone,
            "text" => &mut fields.text,
            "user" => &mut fields.user_id,
            _ => unreachable!("no handshake writes {name}"),
        }
    }

    pub(super) fn sets(&self) -> (Vec<Box<str>>, Vec<Box<str>>) {
        let (mut roles, mut scopes) = if self.live.is_empty() {
            self.set_of_last_live.clone()
        } else {
            self.live_sets()
        };
        add_missing(&mut roles, &self.from_beacons.0);
        add_missing(&mut scopes, &self.from_beacons.1);
        (roles, scopes)
    }
}

pub(super) fn add_missing(set: &mut Vec<Box<str>>, more: &[Box<str>]) {
    for item in more {
        if !set.contains(item) {
            set.push(item.clone());
        }
    }
}

pub(super) fn last_write_wins(stored: &mut Option<Box<str>>, new: Option<Box<str>>) {
    if new.is_some() {
        *stored = new;
    }
}

/// A blank id counts as absent (SPEC 1.2), so it replaces only another blank one.
pub(super) fn last_id_wins(stored: &mut Option<Box<str>>, new: Option<Box<str>>) {
    if id_of(stored).is_none() || id_of(&new).is_some() {
        last_write_wins(stored, new);
    }
}
