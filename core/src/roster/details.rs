//! One row with the roster's data about it, for explanations.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::Roster;
use super::history::History;
use super::row::{Field, Live, Origin, Row, Stated};
use super::store::RowId;
use crate::model::beacon::parse_text;
use crate::model::entry::PresenceEntry;
use crate::model::json::json_text;
use crate::model::key::{PresenceKey, RowKey};
use crate::model::raw_entry::RawEntry;
use crate::model::time::Now;

/// The writer of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Handshake,
    Beacon,
    /// A `node.event`.
    NodeEvent,
    /// The gateway itself.
    Gateway,
    /// Made of other members.
    Derived,
}

/// A member of a row, and its last writer.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) name: Box<str>,
    /// JSON text.
    pub(crate) value: Box<str>,
    pub(crate) source: Source,
    /// The writer's serial; 0 if there is none, or it is unknown.
    pub(crate) conn: u64,
    /// On the age clock.
    pub(crate) at_ms: u64,
}

/// The source of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFrom {
    Gateway,
    InstanceId,
    DeviceId,
    Host,
    Ip,
    Text,
    Connection,
}

/// When a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    Never,
    /// It has live connections.
    AfterClose,
    /// At this moment of the age clock.
    At {
        at_ms: u64,
        /// The TTL in force.
        ttl_ms: u64,
        was_connected: bool,
    },
}

/// The data that explains a row.
#[derive(Clone, Debug)]
pub(crate) struct RowDetails {
    pub(crate) key: RowKey,
    pub(crate) key_from: KeyFrom,
    /// Whether the device key of a client owns it.
    pub(crate) is_owned: bool,
    pub(crate) members: Vec<Written>,
    /// The live connections in connect order: seat and serial.
    pub(crate) live: Vec<(u32, u64)>,
    /// The serial of the connection that reports about it as another client's row.
    pub(crate) reporter: Option<u64>,
    pub(crate) ends: Ends,
}

/// Which connection's beacon wrote a row last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) row: RowId,
    pub(crate) conn: u64,
    pub(crate) is_live: bool,
}

impl Roster {
    /// Recent events of rows.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// The rows in list order, self first, at most `max`: their keys, their entries and their ids.
    pub(crate) fn entries(&mut self, max: usize, now: Now) -> Vec<(String, RawEntry, Option<RowId>)> {
        self.settle(now);
        let read = |entry: &PresenceEntry| RawEntry::read(&json_text(entry)).unwrap_or_default();
        self.self_row.written_ms = now.age_ms;
        let own = read(self.self_row.entry(self.clock, None));
        let mut entries = Vec::from([(self.self_row.key.to_wire(), own, None)]);
        for &id in self.order().iter().take(max.saturating_sub(1)) {
            let row = &mut self.store[id];
            let shared = self.people.shared(row);
            let key = row.key.to_wire();
            entries.push((key, read(row.entry(self.clock, shared)), Some(id)));
        }
        entries
    }

    /// The rows that beacons wrote, each with the connection of its last beacon.
    pub(crate) fn reported(&self) -> impl Iterator<Item = Reported> {
        self.store.ids().filter_map(|id| {
            let row = &self.store[id];
            let beacon = row.stamps.last_beacon()?;
            Some(Reported {
                row: id,
                conn: beacon.conn,
                is_live: !row.live.is_empty(),
            })
        })
    }

    /// The row of a key in its wire form, or in the spelling of a client's id.
    pub(crate) fn find_wire(&self, key: &str) -> Option<RowId> {
        let by_id = || PresenceKey::of_name(key).and_then(|key| self.store.find_named(&key));
        match key.strip_prefix("CONN:") {
            Some(id) => self.store.find(&RowKey::Connection(id.into())).or_else(by_id),
            None => by_id(),
        }
    }

    /// The keys of all rows in their wire form, self first.
    pub(crate) fn wire_keys(&self) -> impl Iterator<Item = String> {
        let rows = self.store.ids().map(|id| self.store[id].key.to_wire());
        core::iter::once(self.self_row.key.to_wire()).chain(rows)
    }

    /// Whether the row that [`find_wire`](Self::find_wire) finds has its `ip` as its key, and not a name or an id.
    pub(crate) fn is_keyed_by_ip(&self, key: &str) -> bool {
        let row = self.find_wire(key);
        row.is_some_and(|id| key_from(&self.store[id]) == KeyFrom::Ip)
    }

    /// The data about a row; `None` is the gateway's own.
    pub(crate) fn details(&mut self, id: Option<RowId>, now: Now) -> RowDetails {
        self.settle(now);
        let Some(id) = id else {
            return self.self_details(now);
        };
        let roster_ttl_ms = self.config.ttl_ms;
        let row = &mut self.store[id];
        let shared = self.people.shared(row);
        let members = members(row.entry(self.clock, shared));
        let row = &self.store[id];
        let ttl_ms = row.own_ttl_ms.unwrap_or(roster_ttl_ms);
        let members = members
            .into_iter()
            .map(|(name, value)| written(row, name, value))
            .collect();
        RowDetails {
            key: row.key.clone(),
            key_from: key_from(row),
            is_owned: row.owner().is_some(),
            members,
            live: row.live.iter().map(|live| (live.seat, live.conn)).collect(),
            reporter: row.holder,
            ends: if row.live.is_empty() {
                Ends::At {
                    at_ms: row.proof_ms.saturating_add(ttl_ms).saturating_add(1),
                    ttl_ms,
                    was_connected: row.was_connected,
                }
            } else {
                Ends::AfterClose
            },
        }
    }

    fn self_details(&mut self, now: Now) -> RowDetails {
        self.self_row.written_ms = now.age_ms;
        let began_ms = self.began_ms;
        let members = members(self.self_row.entry(self.clock, None));
        let own = |(name, value): (Box<str>, Box<str>)| Written {
            at_ms: if &*name == "ts" { now.age_ms } else { began_ms },
            name,
            value,
            source: Source::Gateway,
            conn: 0,
        };
        RowDetails {
            key: RowKey::SelfRow,
            key_from: KeyFrom::Gateway,
            is_owned: false,
            members: members.into_iter().map(own).collect(),
            live: Vec::new(),
            reporter: None,
            ends: Ends::Never,
        }
    }
}

/// The members of an entry with their values as JSON, in the order of the list.
fn members(entry: &PresenceEntry) -> Vec<(Box<str>, Box<str>)> {
    let entry = RawEntry::read(&json_text(entry)).unwrap_or_default();
    let own = |(name, value): (&str, &str)| (name.into(), value.into());
    entry.members().map(own).collect()
}

fn key_from(row: &Row) -> KeyFrom {
    let RowKey::Named(key) = &row.key else {
        return KeyFrom::Connection;
    };
    let fields = &row.fields;
    let stated = KeyMembers {
        instance_id: fields.instance_id.as_deref(),
        device_id: fields.device_id.as_deref(),
        host: fields.host.as_deref(),
        ip: fields.ip.as_deref(),
        text: fields.text.as_deref(),
    };
    stated.source_of(key)
}

/// The members of a row that can state its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyMembers<'a> {
    pub(crate) instance_id: Option<&'a str>,
    pub(crate) device_id: Option<&'a str>,
    pub(crate) host: Option<&'a str>,
    pub(crate) ip: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
}

impl KeyMembers<'_> {
    /// The first of the members that states this key.
    pub(crate) fn source_of(&self, key: &PresenceKey) -> KeyFrom {
        // The key of a beacon without ids comes from its text, which may differ from the row's members.
        let parsed = self.text.and_then(parse_text);
        let sources = [
            (self.instance_id, KeyFrom::InstanceId),
            (self.device_id, KeyFrom::DeviceId),
            (self.host, KeyFrom::Host),
            (parsed.map(|parsed| parsed.host), KeyFrom::Host),
            (self.ip, KeyFrom::Ip),
            (parsed.map(|parsed| parsed.ip), KeyFrom::Ip),
        ];
        let is_of = |text: Option<&str>| text.and_then(PresenceKey::of_name).as_ref() == Some(key);
        let found = sources.into_iter().find(|(text, _)| is_of(*text));
        found.map_or(KeyFrom::Text, |(_, from)| from)
    }
}

/// A member with its last writer.
fn written(row: &Row, name: Box<str>, value: Box<str>) -> Written {
    let by = |source, conn, at_ms| (source, conn, at_ms);
    let moment = |live: &Live| (live.conn, live.written_ms);
    let newest = row.live.last().map(moment);
    let with_id = row
        .live
        .iter()
        .rev()
        .find(|live| live.has_instance_id_of(&row.fields));
    let stamped = |member: Stated| {
        row.stamps.of(member).map(|stamp| {
            let source = match stamp.origin {
                Origin::Handshake => Source::Handshake,
                Origin::Beacon => Source::Beacon,
            };
            by(source, stamp.conn, stamp.at_ms)
        })
    };
    // The later write. At one moment, a beacon comes after a handshake.
    let live_or = |live: Option<(u64, u64)>, member: Stated| match (live, stamped(member)) {
        (Some((conn, at_ms)), stamp) if stamp.is_none_or(|(_, _, stamped_ms)| stamped_ms < at_ms) => {
            Some(by(Source::Handshake, conn, at_ms))
        }
        (_, stamp) => stamp,
    };
    let field = Field::ALL.into_iter().find(|field| field.name() == &*name);
    let found = match (field, &*name) {
        (Some(field), _) => field_writer(row, field).or_else(|| stamped(field.into())),
        (None, "instanceId") => live_or(with_id.map(moment), Stated::INSTANCE_ID),
        (None, "deviceId") if row.owner().is_some() => {
            let proof = newest.or_else(|| {
                let stamp = row.stamps.of(Stated::ROLES)?;
                Some((stamp.conn, stamp.at_ms))
            });
            proof.map(|(conn, at_ms)| by(Source::Handshake, conn, at_ms))
        }
        (None, "deviceId") => stamped(Stated::DEVICE_ID),
        (None, "roles") => live_or(newest, Stated::ROLES),
        (None, "scopes") => live_or(newest, Stated::SCOPES),
        (None, "lastInputSeconds" | "lastActivityAt") => match row.input_conn {
            Some(conn) => Some(by(Source::NodeEvent, conn, row.written_ms)),
            None => stamped(Stated::LAST_INPUT),
        },
        _ => None,
    };
    // The gateway writes times, and the reason of a close.
    let (source, conn, at_ms) = found.unwrap_or((Source::Gateway, 0, row.written_ms));
    Written {
        name,
        value,
        source,
        conn,
        at_ms,
    }
}

fn field_writer(row: &Row, field: Field) -> Option<(Source, u64, u64)> {
    let conn = row.writers.writer(field)?;
    let at = row.live.binary_search_by_key(&conn, |live| live.conn).ok()?;
    // A text of a handshake is made of host and mode.
    let source = if field == Field::Text {
        Source::Derived
    } else {
        Source::Handshake
    };
    Some((source, conn, row.live[at].written_ms))
}
