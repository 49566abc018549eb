//! One row with the gateway's data about it, and how handshakes, closes and beacons merge into it
//! (SPEC 1.4).

mod class;
mod device;
mod field;
mod handshake_fields;
mod live;
mod merge;
#[cfg(feature = "recording")]
mod saved;
mod sets;
mod stamps;
#[cfg(feature = "server")]
mod turns;
mod user;
mod writers;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem::take;

use serde_json::value::RawValue;

pub(super) use self::class::{Class, Place};
pub(super) use self::device::Device;
pub(super) use self::field::{Field, Fields};
pub(super) use self::handshake_fields::HandshakeFields;
pub(super) use self::live::{Detached, Live};
pub(super) use self::merge::{overlay, overlay_id};
#[cfg(feature = "recording")]
pub(crate) use self::saved::SavedRow;
use self::sets::Sets;
pub(super) use self::stamps::{Origin, Stamp, Stamps, Stated};
#[cfg(feature = "server")]
pub(crate) use self::turns::{HostTurn, TurnState};
pub(super) use self::user::{Part, Shared};
pub(super) use self::writers::Writers;
use super::clock::Clock;
use crate::model::entry::{MAX_SAFE_INTEGER, PresenceEntry};
use crate::model::key::{PresenceKey, RowKey};
use crate::model::text::trim;

/// The entry as it was last encoded.
#[derive(Clone, Debug, Default)]
pub(super) struct Encoded {
    pub(super) text: Box<RawValue>,
    /// The roster's revision then.
    pub(super) revision: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) key: RowKey,
    /// The serial number of the row; ties in the list keep this order.
    pub(super) number: u64,
    /// The fields. Its times are derived: see [`Row::entry`].
    pub(super) fields: PresenceEntry,
    /// When it was last written or touched (`ts`), on the age clock.
    pub(super) written_ms: u64,
    /// Its last proof of life, on the age clock.
    pub(super) proof_ms: u64,
    /// The serial number of that proof, which orders proofs of one millisecond.
    pub(super) proof_number: u64,
    /// Its own TTL after that proof, in ms, if that is shorter than the roster's.
    pub(super) own_ttl_ms: Option<u64>,
    /// The queue that it is in.
    pub(super) place: Place,
    /// Whether it ever had a connection.
    pub(super) was_connected: bool,
    /// The moment of the last user input, on the age clock; may lie before its origin.
    pub(super) last_input_at: Option<i64>,
    /// The connection of the node that reported the last input; `None` if a beacon did.
    pub(super) input_conn: Option<u64>,
    /// Its contribution to the data that rows of its user share.
    pub(super) part: Option<Box<Part>>,
    pub(super) live: Vec<Live>,
    /// When the current stay began, on the age clock; not meaningful while `live` is empty.
    online_since_ms: u64,
    /// The last writer of each field.
    pub(super) writers: Writers,
    /// The writers of members that are not live connections.
    pub(super) stamps: Stamps,
    /// The connections whose beacons wrote its host in turn, if there are any.
    #[cfg(feature = "server")]
    pub(super) turns: Option<Box<TurnState>>,
    /// The sources of roles and scopes.
    sets: Sets,
    /// The `deviceId` in the device index.
    pub(super) device: Option<Device>,
    /// Serial of the connection whose quota this row counts against.
    pub(super) holder: Option<u64>,
    /// The roster's revision when the row last changed.
    pub(super) revision: u64,
    pub(super) encoded: Encoded,
    /// Greatest size of the entry and a comma in a list, in bytes.
    pub(super) bytes: usize,
}

impl Row {
    pub(super) fn new(key: RowKey, number: u64, now_ms: u64) -> Self {
        Self {
            key,
            number,
            fields: PresenceEntry::default(),
            written_ms: now_ms,
            proof_ms: now_ms,
            proof_number: 0,
            own_ttl_ms: None,
            place: Place::Ageing(Class::Reported),
            was_connected: false,
            last_input_at: None,
            input_conn: None,
            part: None,
            live: Vec::new(),
            online_since_ms: 0,
            writers: Writers::default(),
            stamps: Stamps::default(),
            #[cfg(feature = "server")]
            turns: None,
            sets: Sets::default(),
            device: None,
            holder: None,
            revision: 0,
            encoded: Encoded::default(),
            bytes: 0,
        }
    }

    /// When it expires by its own TTL, if it has one.
    pub(super) fn own_end_ms(&self) -> Option<u64> {
        Some(self.proof_ms.saturating_add(self.own_ttl_ms?))
    }

    /// Whether the row's `instanceId` identifies it: a blank one does not; placeholders are never stored.
    pub(super) fn has_instance_id(&self) -> bool {
        let id = self.fields.instance_id.as_deref();
        id.is_some_and(|id| !trim(id).is_empty())
    }

    /// Writes the handshake of a connection, and adds the connection.
    pub(super) fn attach(&mut self, mut live: Live, now_ms: u64, max_bytes: usize) {
        if self.live.is_empty() {
            self.online_since_ms = now_ms;
            if !live.handshake.has_user() {
                self.fields.user_id = None;
            }
        }
        // The ids of the handshake are already written, and may leave less room.
        self.writers.shed(&mut self.fields, max_bytes);
        live.handshake.fit(&mut self.fields, max_bytes);
        self.writers
            .write(&mut self.fields, &live.handshake, live.conn, max_bytes);
        self.was_connected = true;
        // Sorted by connect order, because an evicted row gets its connections back in any order.
        let at = self.live.partition_point(|other| other.conn < live.conn);
        self.live.insert(at, live);
        self.sets.attach(&self.live, at);
        self.derive_sets(max_bytes);
    }

    /// Removes a connection and, if others are left, the members that it wrote last.
    pub(super) fn detach(&mut self, conn: u64, max_bytes: usize) -> Detached {
        let Ok(at) = self.live.binary_search_by_key(&conn, |live| live.conn) else {
            return Detached::Nothing;
        };
        let gone = self.live.remove(at);
        // The last input that a node reported ends with its connection (SPEC 1.4).
        let is_input_gone = self.input_conn == Some(conn);
        if is_input_gone {
            self.last_input_at = None;
            self.input_conn = None;
        }
        if self.live.is_empty() {
            // Members stay. Roles and scopes of connections that the row does not show are dropped.
            self.live = Vec::new();
            let fields = self.writers.of(conn);
            self.stamps.write(gone.stamp(fields, &self.fields));
            // The close itself writes it.
            self.stamps.remove(Field::Reason.into());
            self.writers.clear();
            self.sets.detach_last(&gone, &self.fields);
            return Detached::Last;
        }
        self.sets.detach(&gone);
        if gone.has_instance_id_of(&self.fields)
            && !self.live.iter().any(|live| live.has_instance_id_of(&self.fields))
        {
            self.stamps.write(gone.stamp_of_id());
        }
        let remaining = self.live.iter().rev().map(|live| (live.conn, &live.handshake));
        let mut is_changed = is_input_gone;
        is_changed |= self
            .writers
            .withdraw(&mut self.fields, conn, remaining, max_bytes);
        // Members that became longer leave less room for them.
        is_changed |= self.derive_sets(max_bytes);
        if is_changed {
            Detached::Visibly
        } else {
            Detached::Nothing
        }
    }

    /// Removes all connections and the members that they wrote last.
    pub(super) fn detach_all(&mut self) -> Vec<Live> {
        self.writers.withdraw_all(&mut self.fields);
        if self.input_conn.take().is_some() {
            self.last_input_at = None;
        }
        self.sets.detach_all();
        take(&mut self.live)
    }

    /// The serial of the connection that wrote it last; 0 if it is unknown.
    pub(super) fn last_writer(&self) -> u64 {
        let beacon = self.stamps.last_beacon();
        match (self.live.last(), beacon) {
            (Some(live), Some(beacon)) if live.written_ms < beacon.at_ms => beacon.conn,
            (Some(live), _) => live.conn,
            (None, beacon) => beacon.map_or(0, |beacon| beacon.conn),
        }
    }

    /// The device whose key owns the row (SPEC 1.2).
    pub(super) fn owner(&self) -> Option<&PresenceKey> {
        self.device
            .as_ref()
            .filter(|device| device.is_proven)
            .map(|device| &device.key)
    }

    /// Adds roles and scopes from a beacon, as far as the row has room; returns whether any is new.
    pub(super) fn add_sets(&mut self, roles: &[Box<str>], scopes: &[Box<str>], max_bytes: usize) -> bool {
        if roles.is_empty() && scopes.is_empty() {
            return false;
        }
        let has_new = self.sets.add(roles, scopes);
        if !has_new && !self.sets.are_cut() && self.bytes <= max_bytes {
            return false;
        }
        let is_changed = self.derive_sets(max_bytes);
        self.sets.retain_shown(&self.fields);
        is_changed
    }

    /// Sets roles and scopes to those of the connections and those that beacons added, as far as the row has
    /// room; returns whether they changed.
    fn derive_sets(&mut self, max_bytes: usize) -> bool {
        self.sets.show(&mut self.fields, &self.live, max_bytes)
    }

    /// When the current stay began, on the age clock, if there is one.
    pub(super) fn online_since_ms(&self) -> Option<u64> {
        (!self.live.is_empty()).then_some(self.online_since_ms)
    }

    /// When the current or last stay began, on the age clock.
    #[cfg(feature = "changes")]
    pub(super) fn last_online_since_ms(&self) -> u64 {
        self.online_since_ms
    }

    /// Updates the entry's times from the row's moments and those that the rows of its user share, and returns
    /// the entry.
    pub(super) fn entry(&mut self, clock: Clock, shared: Option<Shared>) -> &PresenceEntry {
        self.fields.ts = clock.wall_ms(self.written_ms);
        let written = i64::try_from(self.written_ms).unwrap_or(i64::MAX);
        self.fields.last_input_seconds = self
            .last_input_at
            .map(|at| (written.saturating_sub(at).max(0) as u64 / 1_000).min(MAX_SAFE_INTEGER));
        let (since, input) = match shared {
            Some(shared) => (shared.online_since_ms, shared.last_input_at),
            None => (Some(self.online_since_ms), self.last_input_at),
        };
        let since = since.filter(|_| !self.live.is_empty());
        self.fields.online_since = since.map(|since_ms| clock.wall_ms(since_ms));
        self.fields.last_activity_at = input.map(|at| clock.input_wall_ms(at));
        &self.fields
    }
}
