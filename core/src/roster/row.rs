//! One row with what the gateway knows beyond its fields.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::take;

use super::classes::{Class, Place};
use super::journal::Noted;
use super::people::{Part, Shared};
use super::sets::Sets;
use super::table::Device;
use super::writers::{Said, Writers};
use crate::model::Role;
use crate::model::entry::{MAX_SAFE_INTEGER, PresenceEntry};
use crate::model::key::{PresenceKey, RowKey};
use crate::model::text::trim;

/// A live connection of a row, in connect order.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// The connection's serial.
    pub(super) conn: u64,
    /// The caller's number for the connection.
    pub(super) seat: u32,
    /// The connection's id on the wire.
    pub(super) conn_id: Box<str>,
    pub(super) role: Role,
    pub(super) scopes: Arc<[Box<str>]>,
    pub(super) said: Said,
}

/// What taking a connection off a row did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detached {
    /// Nothing that can be seen.
    Nothing,
    /// A member of the row changed.
    Visibly,
    /// It was the last one.
    Last,
}

/// The entry as it was last encoded. A write leaves the text where it is: to free it would touch memory that
/// nothing else of the write needs.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    pub(super) text: Box<str>,
    /// The epoch it was encoded in; [`STALE`] if the row was written since.
    pub(super) epoch: u64,
    /// What its user's rows shared then: see [`Shared::revision`].
    pub(super) revision: u64,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) key: RowKey,
    /// Counts all rows ever made; ties in the list keep this order.
    pub(super) serial: u64,
    /// The fields. Its times are derived: see [`Row::entry`].
    pub(super) fields: PresenceEntry,
    /// When it was last written or touched (`ts`), on the age clock.
    pub(super) written_ms: u64,
    /// Its last proof of life, on the age clock.
    pub(super) proof_ms: u64,
    /// Counts all proofs of life: the order of those of one millisecond.
    pub(super) proof_number: u64,
    /// Where its table keeps it.
    pub(super) place: Place,
    /// Whether it ever had a connection.
    pub(super) was_connected: bool,
    /// The moment of the last user input, on the age clock; may lie before its origin.
    pub(super) last_input_at: Option<i64>,
    /// The connection of the node that reported the last input; `None` if a beacon did.
    pub(super) input_conn: Option<u64>,
    /// Its part in what the rows of its user share.
    pub(super) part: Option<Box<Part>>,
    pub(super) live: Vec<Live>,
    /// When the current stay began, on the age clock; means nothing while `live` is empty.
    online_since_ms: u64,
    /// Who wrote which field last.
    pub(super) writers: Writers,
    /// Where roles and scopes come from.
    sets: Sets,
    /// The `deviceId`, as the device index has it.
    pub(super) device: Option<Device>,
    /// Serial of the connection whose quota this row counts against.
    pub(super) holder: Option<u64>,
    pub(super) noted: Noted,
    pub(super) encoded: Encoded,
    /// What the entry and a comma take in a list at most, in bytes.
    pub(super) bytes: usize,
}

/// The epoch of no roster: what was encoded shows the row as it was.
const STALE: u64 = 0;

impl Row {
    pub(super) fn new(key: RowKey, serial: u64, now_ms: u64) -> Self {
        Self {
            key,
            serial,
            fields: PresenceEntry::default(),
            written_ms: now_ms,
            proof_ms: now_ms,
            proof_number: 0,
            place: Place::Ageing(Class::Reported),
            was_connected: false,
            last_input_at: None,
            input_conn: None,
            part: None,
            live: Vec::new(),
            online_since_ms: 0,
            writers: Writers::default(),
            sets: Sets::default(),
            device: None,
            holder: None,
            noted: Noted::default(),
            encoded: Encoded::default(),
            bytes: 0,
        }
    }

    /// Whether the row's `instanceId` identifies it: a blank one does not, and placeholders are never stored.
    pub(super) fn has_instance_id(&self) -> bool {
        let id = self.fields.instance_id.as_deref();
        id.is_some_and(|id| !trim(id).is_empty())
    }

    /// Writes the handshake of a connection, and adds the connection.
    pub(super) fn attach(&mut self, mut live: Live, now_ms: u64, max_bytes: usize) {
        if self.live.is_empty() {
            self.online_since_ms = now_ms;
            if !live.said.has_user() {
                self.fields.user_id = None;
            }
        }
        // The ids of the handshake are written already: they may leave less room than there was.
        self.writers.shed(&mut self.fields, max_bytes);
        live.said.fit(&mut self.fields, max_bytes);
        self.writers
            .write(&mut self.fields, &live.said, live.conn, max_bytes);
        self.was_connected = true;
        // In connect order: a row that was evicted gets its connections back in any order.
        let at = self.live.partition_point(|other| other.conn < live.conn);
        self.live.insert(at, live);
        self.sets.attach(&self.live, at);
        self.derive_sets(max_bytes);
    }

    /// Takes a connection off, and with it what it wrote last if others are left.
    pub(super) fn detach(&mut self, conn: u64, max_bytes: usize) -> Detached {
        let Ok(at) = self.live.binary_search_by_key(&conn, |live| live.conn) else {
            return Detached::Nothing;
        };
        let gone = self.live.remove(at);
        // What a node reported of its user goes with its connection (SPEC 1.4).
        let is_input_gone = self.input_conn == Some(conn);
        if is_input_gone {
            self.last_input_at = None;
            self.input_conn = None;
        }
        if self.live.is_empty() {
            // Members stay. What the connections had and the row does not show goes with them.
            self.live = Vec::new();
            self.writers.forget_all();
            self.sets.detach_last(&gone, &self.fields);
            return Detached::Last;
        }
        self.sets.detach(&gone);
        let remaining = self.live.iter().rev().map(|live| (live.conn, &live.said));
        let mut is_changed = is_input_gone;
        is_changed |= self
            .writers
            .withdraw(&mut self.fields, conn, remaining, max_bytes);
        // What became longer leaves less room for them.
        is_changed |= self.derive_sets(max_bytes);
        if is_changed {
            Detached::Visibly
        } else {
            Detached::Nothing
        }
    }

    /// Takes all connections off, and with them what they wrote last.
    pub(super) fn detach_all(&mut self) -> Vec<Live> {
        self.writers.withdraw_all(&mut self.fields);
        if self.input_conn.take().is_some() {
            self.last_input_at = None;
        }
        self.sets.detach_all();
        take(&mut self.live)
    }

    /// The device whose key owns the row (SPEC 1.2).
    pub(super) fn owner(&self) -> Option<&PresenceKey> {
        self.device
            .as_ref()
            .filter(|device| device.is_proven)
            .map(|device| &device.key)
    }

    /// The row was written: what was encoded shows it as it was.
    pub(super) fn outdate(&mut self) {
        self.encoded.epoch = STALE;
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
        self.sets.forget_hidden(&self.fields);
        is_changed
    }

    /// Makes roles and scopes of those of the connections and those that beacons added, as far as the row has
    /// room; returns whether they changed.
    fn derive_sets(&mut self, max_bytes: usize) -> bool {
        self.sets.show(&mut self.fields, &self.live, max_bytes)
    }

    /// Reads a little of all that a beacon compares and writes, so that what no cache holds is fetched at
    /// once, not piece by piece as the beacon's members come to it.
    pub(super) fn fetch(&self) {
        let fields = &self.fields;
        let texts = [
            &fields.host,
            &fields.ip,
            &fields.version,
            &fields.platform,
            &fields.device_family,
            &fields.model_identifier,
            &fields.mode,
            &fields.reason,
            &fields.instance_id,
            &fields.text,
        ]
        .map(Option::as_deref);
        let key = match &self.key {
            RowKey::Named(key) => Some(key.as_str()),
            RowKey::SelfRow | RowKey::Connection(_) => None,
        };
        let mut read = self.proof_ms ^ self.encoded.epoch;
        for text in key.into_iter().chain(texts.into_iter().flatten()) {
            // A short text may lie across two cache lines.
            let bytes = text.as_bytes();
            read ^= u64::from(bytes.first().copied().unwrap_or_default());
            read ^= u64::from(bytes.last().copied().unwrap_or_default());
        }
        core::hint::black_box(read);
    }

    /// When the current stay began, on the age clock, if there is one.
    pub(super) fn online_since_ms(&self) -> Option<u64> {
        (!self.live.is_empty()).then_some(self.online_since_ms)
    }

    /// Brings the entry's times up to the row's moments, and to those that the rows of its user share, and
    /// returns the entry. `offset_ms` leads from the age clock to the gateway's wall clock.
    pub(super) fn entry(&mut self, offset_ms: i64, shared: Option<Shared>) -> &PresenceEntry {
        self.fields.ts = stamp(self.written_ms, offset_ms);
        let written = i64::try_from(self.written_ms).unwrap_or(i64::MAX);
        self.fields.last_input_seconds = self
            .last_input_at
            .map(|at| (written.saturating_sub(at).max(0) as u64 / 1_000).min(MAX_SAFE_INTEGER));
        let (since, input) = match shared {
            Some(shared) => (shared.online_since_ms, shared.last_input_at),
            None => (Some(self.online_since_ms), self.last_input_at),
        };
        let since = since.filter(|_| !self.live.is_empty());
        self.fields.online_since = since.map(|since_ms| stamp(since_ms, offset_ms));
        self.fields.last_activity_at = input.map(|at| stamp_input(at, offset_ms));
        &self.fields
    }
}

/// A moment of the age clock as `ts`.
pub(super) fn stamp(age_ms: u64, offset_ms: i64) -> u64 {
    age_ms.saturating_add_signed(offset_ms).min(MAX_SAFE_INTEGER)
}

/// The moment of an input as it goes over the wire; before the epoch counts as the epoch.
pub(super) fn stamp_input(at: i64, offset_ms: i64) -> u64 {
    u64::try_from(at.saturating_add(offset_ms)).map_or(0, |at| at.min(MAX_SAFE_INTEGER))
}
