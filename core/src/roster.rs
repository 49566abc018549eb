//! Who is connected: the roster (SPEC 1).
//!
//! This file is the product's rules: which writes are the same instance, how they merge, how long
//! a row lives, which rows go when there are too many, and in what order they are listed.

mod activity;
mod classes;
mod encode;
mod index;
mod journal;
mod order;
mod ownership;
mod people;
mod report;
mod row;
mod sets;
pub(crate) mod size;
mod table;
mod writers;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use self::ownership::{Aim, Disputes, Move};
pub use self::report::Report;
use self::row::{Detached, Live, Row, stamp};
pub use self::size::{MAX_ROW_BYTES, MIN_LIST_BYTES, ROW_SHARE_BYTES, max_list_bytes};
use self::table::{Device, Table};
use self::writers::Said;
use crate::model::address::is_loopback;
use crate::model::entry::{MAX_SAFE_INTEGER, PresenceEntry};
use crate::model::key::{PresenceKey, RowKey};
use crate::model::placeholder::Kind;
use crate::model::setting::{InvalidSetting, count, within};
use crate::model::text::trim;
use crate::model::time::Now;
use crate::model::{ClientInfo, Role, SharedText};

/// How long a row lives after its last proof of life, in ms (SPEC 1.5).
pub const DEFAULT_TTL_MS: u64 = 300_000;

/// Most rows, self included (SPEC 1.5).
pub const DEFAULT_MAX_ENTRIES: usize = 200;

/// The wall clock and the age clock may drift apart by this much, in ms, before the wall clock is
/// taken to have stepped (SPEC 1.5).
pub const CLOCK_STEP_MS: u64 = 2_000;

/// Bounds of a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosterConfig {
    /// How long a row lives after its last proof of life, in ms.
    pub ttl_ms: u64,
    /// Most rows, self included; less than 2 counts as 2.
    pub max_entries: usize,
    /// Seed of the hash tables; no output depends on it. Unguessable where keys come from strangers.
    pub hash_seed: u64,
}

/// The shortest TTL, in ms: pings come four times as often.
const MIN_TTL_MS: u64 = 1_000;
/// The greatest cap: rows have numbers of 32 bits.
const MOST_ENTRIES: u64 = 1 << 30;

impl RosterConfig {
    /// Checks the bounds: a TTL of 1,000 ms to 2^53 - 1 ms, a cap of 2 to 2^30 rows.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the one that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        within("ttl_ms", self.ttl_ms, MIN_TTL_MS..=MAX_SAFE_INTEGER)?;
        within("max_entries", count(self.max_entries), 2..=MOST_ENTRIES)
    }
}

impl Default for RosterConfig {
    fn default() -> Self {
        Self {
            ttl_ms: DEFAULT_TTL_MS,
            max_entries: DEFAULT_MAX_ENTRIES,
            hash_seed: 0,
        }
    }
}

/// What a handshake writes (SPEC 1.4, "Connect").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectWrite<'a> {
    /// The connection: a number never used twice in the roster's life.
    pub conn: u64,
    /// The caller's own number for it, returned in its [`Move`].
    pub seat: u32,
    /// The connection's id on the wire: the key of last resort.
    pub conn_id: &'a str,
    /// Who the client is.
    pub client: &'a Arc<ClientInfo>,
    /// Its role.
    pub role: Role,
    /// Its scopes.
    pub scopes: &'a Arc<[Box<str>]>,
    /// The *verified* device id.
    pub device_id: Option<&'a str>,
    /// Its address; a loopback one is ignored.
    pub remote_ip: Option<&'a str>,
    /// The id of the person behind it, from a trusted proxy.
    pub user: Option<&'a str>,
}

/// A row of a roster. Never refers to another row, also after its own is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowId {
    slot: u32,
    serial: u64,
}

/// What a beacon would write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeaconTarget {
    /// A row that is there.
    Row(RowId),
    /// A new row with this key.
    Key(RowKey),
}

/// Whose quota the rows count against that a beacon makes about others (SPEC 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody's: the beacon is about the connection's own row, or its sender is an admin.
    Unlimited,
    /// This connection's: a tenth of the cap, its own oldest go first.
    Connection(u64),
}

/// Why a row was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// No proof of life for longer than the TTL.
    Expired,
    /// There were too many rows.
    Evicted,
    /// Its device connected again under another id.
    Replaced,
}

/// How many rows went because there were too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evictions {
    /// Rows without a live connection.
    pub closed: u64,
    /// Rows with a live connection.
    pub live: u64,
    /// Rows about others, beyond the quota of the connection that reported them.
    pub over_quota: u64,
}

impl Evictions {
    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        self.closed + self.live + self.over_quota
    }
}

/// What a roster has done so far: shows that the work follows the changes, not the number of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Entries written as JSON, self included.
    pub rows_encoded: u64,
    /// Entries hashed for a digest, self included.
    pub rows_digested: u64,
}

/// The roster. Every change that readers can see counts [`version`](Self::version) up.
///
/// ```
/// use presence_core::model::beacon::Beacon;
/// use presence_core::roster::{Holder, Roster, RosterConfig};
/// use presence_core::{Now, PresenceEntry};
///
/// let mut now = Now { age_ms: 0, wall_ms: 1_700_000_000_000 };
/// let gateway = PresenceEntry { host: Some("pi".into()), ..PresenceEntry::default() };
/// let mut roster = Roster::new(RosterConfig::default(), gateway, now);
///
/// let beacon = Beacon { instance_id: Some("Mac-1".into()), ..Beacon::new("hello") };
/// roster.beacon(&beacon, Holder::Unlimited, now).unwrap();
/// assert_eq!(roster.list(now).len(), 2);
///
/// now = now.after(300_001);
/// assert_eq!(roster.list(now).len(), 1, "the gateway itself stays");
/// ```
#[derive(Debug)]
pub struct Roster {
    config: RosterConfig,
    self_row: Row,
    self_key: Option<PresenceKey>,
    table: Table,
    /// Leads from the age clock to the wall clock.
    offset_ms: i64,
    version: u64,
    rows_made: u64,
    /// Counts what makes every encoded row stale: clock shifts. Starts at 1.
    epoch: u64,
    /// Until when rows wait for a pong that a suspension outdated.
    spared_until_ms: u64,
    encoder: encode::ListCache,
    journal: journal::Journal,
    work: Work,
    evictions: Evictions,
    removals: u64,
    disputes: Disputes,
    /// What [`take_moves`](Self::take_moves) returns next.
    moves: Vec<Move>,
    /// What the list takes at most, in bytes: the sizes of all rows.
    bytes: usize,
    people: people::People,
    activity: activity::Activity,
    /// The moment of the last [`settle`](Self::settle).
    settled_ms: u64,
}

/// The beacon was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BeaconError {
    /// It carries the gateway's own `instanceId`.
    #[error("instanceId belongs to the gateway itself")]
    SelfInstance,
    /// It would make a row without a connection, and all other rows have one.
    #[error("the roster is full: all {rows} rows have live connections (raise --max-entries on the gateway)")]
    Full {
        /// Number of rows, self included.
        rows: usize,
    },
    /// The row would have too many bytes.
    #[error("at /{member}: the row must NOT have more than {MAX_ROW_BYTES} bytes encoded")]
    RowTooLarge {
        /// The longest of the beacon's members.
        member: &'static str,
    },
    /// The list would have too many bytes.
    #[error("at /{member}: the list must NOT have more than {max} bytes encoded")]
    ListTooLarge {
        /// The longest of the beacon's members.
        member: &'static str,
        /// Most bytes of a list.
        max: usize,
    },
}

impl Roster {
    /// A roster that holds the gateway's own row.
    #[must_use]
    pub fn new(config: RosterConfig, mut self_entry: PresenceEntry, now: Now) -> Self {
        for (kind, member) in [
            (Kind::Host, &mut self_entry.host),
            (Kind::Ip, &mut self_entry.ip),
            (Kind::Version, &mut self_entry.version),
        ] {
            member.take_if(|text| kind.is_placeholder(text));
        }
        let self_key = self_entry.instance_id.as_deref().and_then(PresenceKey::parse);
        let mut self_row = Row::new(RowKey::SelfRow, 0, now.age_ms);
        self_row.add_sets(&self_entry.roles, &self_entry.scopes, MAX_ROW_BYTES);
        self_row.fields = self_entry;
        self_row.bytes = size::of_entry(&self_row.fields);
        Self {
            config,
            bytes: "[]".len() + self_row.bytes,
            self_row,
            self_key,
            table: Table::new(config.hash_seed),
            offset_ms: offset(now),
            version: 1,
            rows_made: 0,
            epoch: 1,
            spared_until_ms: 0,
            encoder: encode::ListCache::default(),
            journal: journal::Journal::default(),
            work: Work::default(),
            evictions: Evictions::default(),
            removals: 0,
            disputes: Disputes::default(),
            moves: Vec::new(),
            people: people::People::default(),
            activity: activity::Activity::default(),
            settled_ms: now.age_ms,
        }
    }

    // ---- writes -------------------------------------------------------------------------------

    /// A handshake succeeded: writes the connection's row and binds the connection to it. Connections that
    /// leave that row for it are in [`take_moves`](Self::take_moves) afterwards.
    pub fn connect(&mut self, write: &ConnectWrite<'_>, now: Now) -> RowId {
        self.settle(now);
        let row = self.write_connect(write, now);
        self.version += 1;
        if let Some(device_id) = write.device_id {
            self.replace_left_behind(row, write, device_id);
        }
        self.enforce_cap(row.slot);
        self.tell_activity();
        row
    }

    /// A pong arrived on a live connection whose row is gone: writes the row from the handshake and binds
    /// the connection to it, if there is room or a row without a live connection can go (SPEC 1.4). Returns
    /// `None`, and changes nothing, if not.
    pub fn restore(&mut self, write: &ConnectWrite<'_>, now: Now) -> Option<RowId> {
        self.settle(now);
        let is_there = self.landing(write).slot.is_some();
        if !self.has_bytes_without_live_rows() || !is_there && !self.has_room_without_live_rows() {
            return None;
        }
        let row = self.write_connect(write, now);
        self.version += 1;
        self.enforce_cap(row.slot);
        self.tell_activity();
        Some(row)
    }

    /// A connection whose row is gone writes it anew from its handshake, as the first half of its
    /// own beacon (SPEC 1.4): no version of its own. If the beacon is refused, call
    /// [`keep_rebuilt`](Self::keep_rebuilt).
    pub fn rebuild(&mut self, write: &ConnectWrite<'_>, now: Now) -> RowId {
        self.settle(now);
        self.write_connect(write, now)
    }

    /// The beacon that a row was rebuilt for was refused: the row alone is the change.
    pub fn keep_rebuilt(&mut self, row: RowId) {
        self.version += 1;
        self.enforce_cap(row.slot);
        self.tell_activity();
    }

    /// A beacon arrived (SPEC 1.3, reference 1.3). An absent member never erases a stored one.
    ///
    /// # Errors
    /// [`BeaconError::SelfInstance`] if it claims to be the gateway, [`BeaconError::Full`] if it needs a
    /// new row and could only push out rows with live connections, [`BeaconError::RowTooLarge`] and
    /// [`BeaconError::ListTooLarge`] if the row or the list would have too many bytes. A refused beacon
    /// changes nothing.
    pub fn beacon<'a>(
        &mut self,
        report: impl Into<Report<'a>>,
        holder: Holder,
        now: Now,
    ) -> Result<RowId, BeaconError> {
        self.write_beacon(report.into(), None, holder, now)
    }

    /// A beacon arrived that is about the row of its connection whatever its ids ([`Aim::Connection`]): writes
    /// that row without ids. Where it is not listed, writes the row that the handshake would get, with the
    /// handshake's ids unless these are another device's (SPEC 1.2, 1.4).
    ///
    /// # Errors
    /// As [`beacon`](Self::beacon).
    pub fn own_beacon<'a>(
        &mut self,
        report: impl Into<Report<'a>>,
        write: &ConnectWrite<'a>,
        row: Option<RowId>,
        now: Now,
    ) -> Result<RowId, BeaconError> {
        let (mut instance_id, mut device_id) = (None, None);
        let target = match row.filter(|&row| self.contains(row)) {
            Some(row) => BeaconTarget::Row(row),
            None => {
                let landing = self.landing(write);
                if !landing.is_apart {
                    let own_id = write.client.instance_id.as_deref();
                    instance_id = Kind::Id.present(own_id).filter(|id| !self.is_self(Some(id)));
                    device_id = write.device_id;
                }
                match landing.slot {
                    Some(slot) => BeaconTarget::Row(self.id(slot)),
                    None => BeaconTarget::Key(landing.key),
                }
            }
        };
        let report = report.into().with_ids(instance_id, device_id);
        self.write_beacon(report, Some(target), Holder::Unlimited, now)
    }

    fn write_beacon(
        &mut self,
        mut report: Report<'_>,
        target: Option<BeaconTarget>,
        holder: Holder,
        now: Now,
    ) -> Result<RowId, BeaconError> {
        if report.instance().is_some() && report.instance() == self.self_key.as_ref() {
            return Err(BeaconError::SelfInstance);
        }
        self.settle(now);
        if let Some(instance) = report.instance() {
            self.table.fetch(instance);
        }
        let found = match target {
            Some(BeaconTarget::Row(row)) => self.slot(row).map_or_else(|| self.find(report.key()), Ok),
            Some(BeaconTarget::Key(key)) => self.find(key),
            None => self.resolve_beacon(&report),
        };
        let is_owned = |&slot: &u32| self.table.slab[slot].owner().is_some();
        if found.as_ref().is_ok_and(is_owned) {
            // A claim never overwrites a proof.
            report = report.without_device();
        }
        let max_bytes = self.fitting(&report, found.as_ref().ok().copied())?;
        let slot = match found {
            Ok(slot) => {
                self.rekey(slot, report.instance());
                slot
            }
            Err(_) if !self.has_room_without_live_rows() => {
                return Err(BeaconError::Full { rows: self.len() });
            }
            Err(key) => self.make_row(key, holder, now),
        };
        let row = &mut self.table.slab[slot];
        let is_changed = report.write(row);
        if report.clears_last_input() {
            row.last_input_at = None;
            row.input_conn = None;
        } else if let Some(seconds) = report.last_input_seconds {
            row.last_input_at = Some(moment_before(now.age_ms, seconds));
            row.input_conn = None;
        }
        if is_changed {
            self.measure(slot);
        }
        let beacon = report.beacon;
        if self.table.slab[slot].add_sets(&beacon.roles, &beacon.scopes, max_bytes) {
            self.measure(slot);
        }
        self.wrote(slot, now, true);
        self.note_change(slot);
        if let Some(device) = report.device() {
            self.table.set_device(slot, Some(Device::claimed(device.clone())));
        }
        self.index_user(slot);
        self.version += 1;
        // Taken first: with a cap of nothing the row goes at once.
        let row = self.id(slot);
        self.enforce_quota(holder);
        self.enforce_cap(slot);
        self.tell_activity();
        Ok(row)
    }

    /// A pong arrived on a live connection of the row: it was alive now. Silent: no new version. Does
    /// nothing if the row is gone.
    pub fn touch(&mut self, row: RowId, now: Now) {
        self.settle(now);
        if let Some(slot) = self.slot(row) {
            self.wrote(slot, now, true);
            self.note_touch(slot);
        }
    }

    /// A live connection of the row is over. The row's last close writes; any other takes along what the
    /// connection wrote last (SPEC 1.4). `proof`
    /// says whether the close shows life: our own close for silence does not.
    pub fn disconnect(&mut self, row: RowId, conn: u64, proof: bool, now: Now) {
        self.settle(now);
        let Some(slot) = self.slot(row) else { return };
        let max_bytes = self.max_row_bytes(slot);
        let row = &mut self.table.slab[slot];
        match row.detach(conn, max_bytes) {
            Detached::Nothing => {}
            Detached::Last => {
                row.fields.reason = Some("disconnect".into());
                self.measure(slot);
                self.wrote(slot, now, proof);
                if !proof {
                    self.table.close_silently(slot);
                }
                self.note_change(slot);
                self.version += 1;
            }
            Detached::Visibly => {
                row.outdate();
                self.measure(slot);
                self.encoder.clear();
                self.note_change(slot);
                self.version += 1;
            }
        }
        self.index_user(slot);
        self.tell_activity();
    }

    // ---- time ---------------------------------------------------------------------------------

    /// Brings the roster to `now`: follows a step of the wall clock, drops what expired. Every
    /// write does this first; call it alone when [`poll_timeout`](Self::poll_timeout) is due.
    pub fn settle(&mut self, now: Now) {
        self.settled_ms = now.age_ms;
        let target = offset(now);
        if target.abs_diff(self.offset_ms) > CLOCK_STEP_MS {
            self.offset_ms = target;
            self.epoch += 1;
            self.encoder.clear();
            self.note_shift();
            self.version += 1;
        }
        self.expire(now.age_ms);
        self.tell_activity();
    }

    /// When [`settle`](Self::settle) is next due, on `Now::age_ms`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let expiry = self.table.next_to_expire().map(|slot| {
            self.table.slab[slot]
                .proof_ms
                .saturating_add(self.config.ttl_ms)
                .saturating_add(1)
        });
        let spared = self.table.next_spared().map(|_| self.spared_until_ms);
        [expiry, spared, self.activity_due_ms()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The machine slept: rows with live connections that would be past the TTL before `until_ms`
    /// (one pong window from now) are spared until then; call before anything else at the new time
    /// (SPEC 1.5).
    pub fn spare_live_rows(&mut self, until_ms: u64) {
        let ttl_ms = self.config.ttl_ms;
        self.table.spare(|row| is_over(row.proof_ms, ttl_ms, until_ms));
        self.spared_until_ms = self.spared_until_ms.max(until_ms);
    }

    // ---- reading ------------------------------------------------------------------------------

    /// The list: newest `ts` first, ties in the order the rows were made, self touched first (SPEC 1.6).
    pub fn list(&mut self, now: Now) -> Vec<PresenceEntry> {
        self.settle(now);
        let offset_ms = self.offset_ms;
        self.self_row.written_ms = now.age_ms;
        let mut entries = Vec::with_capacity(self.len());
        entries.push(self.self_row.entry(offset_ms, None).clone());
        for slot in self.ordered_slots() {
            let row = &mut self.table.slab[slot];
            let shared = self.people.shared(row);
            entries.push(row.entry(offset_ms, shared).clone());
        }
        entries
    }

    /// The list as JSON text, shared: an unchanged list is encoded once, an unchanged row too.
    pub fn encode_list(&mut self, now: Now) -> SharedText {
        self.settle(now);
        encode::list(self, now)
    }

    /// The list as JSON text, and after it the other members of a snapshot (SPEC 2.1):
    /// `[...],"keys":[...],"version":..,"digest":".."`; shared likewise.
    pub fn encode_snapshot(&mut self, now: Now) -> SharedText {
        self.settle(now);
        self.note_telling();
        encode::snapshot(self, now)
    }

    /// Counts the changes readers can see; starts at 1 (SPEC 2, "Presence version").
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Number of rows, self included.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a roster is never empty")]
    pub fn len(&self) -> usize {
        self.table.len() + 1
    }

    /// What it has done so far.
    #[must_use]
    pub fn work(&self) -> Work {
        self.work
    }

    /// How many rows went because there were too many, so far.
    #[must_use]
    pub fn evictions(&self) -> Evictions {
        self.evictions
    }

    /// How many rows went so far, for whatever reason.
    pub(crate) fn removals(&self) -> u64 {
        self.removals
    }

    /// Number of proofs of life so far, for [`unlists_after`](Self::unlists_after).
    pub(crate) fn proofs(&self) -> u64 {
        self.table.proofs()
    }

    /// Whether this handshake may evict a row that was proven alive after the first `proofs` proofs, or take it over
    /// from its connections.
    pub(crate) fn unlists_after(
        &self,
        proofs: u64,
        client: &ClientInfo,
        device_id: Option<&str>,
        conn_id: &str,
    ) -> bool {
        let slab = &self.table.slab;
        let mut rows = (self.len() + 1).saturating_sub(self.max_entries());
        let mut bytes = self.bytes_lacking();
        let evicted = self.table.in_eviction_order().take_while(|&slot| {
            let goes = rows > 0 || bytes > 0;
            rows = rows.saturating_sub(1);
            bytes = bytes.saturating_sub(slab[slot].bytes);
            goes
        });
        let taken_over = self.taken_over(client, device_id, conn_id);
        evicted
            .chain(taken_over)
            .any(|slot| slab[slot].proof_number > proofs)
    }

    /// Fewer bytes than the encoded list has.
    #[must_use]
    pub(crate) fn min_list_bytes(&self) -> usize {
        self.bytes.saturating_sub(size::UNUSED * self.len())
    }

    /// The clock that `ts` is on: ms since the Unix epoch.
    #[must_use]
    pub fn wall_ms(&self, now: Now) -> u64 {
        stamp(now.age_ms, self.offset_ms)
    }

    /// The key of a row; `None` if the row is gone.
    #[must_use]
    pub fn key(&self, row: RowId) -> Option<&RowKey> {
        self.slot(row).map(|slot| &self.table.slab[slot].key)
    }

    /// Whether the row still is there.
    #[must_use]
    pub fn contains(&self, row: RowId) -> bool {
        self.slot(row).is_some()
    }

    /// The key a handshake resolves to, whether it makes a row or not (SPEC 1.2).
    #[must_use]
    pub fn connect_key(&self, client: &ClientInfo, device_id: Option<&str>, conn_id: &str) -> RowKey {
        self.instance_key(client)
            .or_else(|| key_of(device_id))
            .map_or_else(|| RowKey::Connection(conn_id.into()), RowKey::Named)
    }

    /// What a beacon would write to.
    #[must_use]
    pub fn beacon_target(&self, report: &Report<'_>) -> BeaconTarget {
        match self.resolve_beacon(report) {
            Ok(slot) => BeaconTarget::Row(self.id(slot)),
            Err(key) => BeaconTarget::Key(key),
        }
    }

    // ---- identity -----------------------------------------------------------------------------

    /// The row goes by the instanceId from now on.
    fn rekey(&mut self, slot: u32, instance: Option<&PresenceKey>) {
        if let Some(instance) = instance
            && !matches!(&self.table.slab[slot].key, RowKey::Named(key) if key == instance)
        {
            let old_key = self.table.set_key(slot, RowKey::Named(instance.clone()));
            self.note_rekey(slot, old_key);
        }
    }

    /// The row that a beacon is about, with the deviceId join, or the key of a new one (SPEC 1.2).
    fn resolve_beacon(&self, report: &Report<'_>) -> Result<u32, RowKey> {
        let by_device = |takes_over: bool| {
            report.device().and_then(|device| {
                self.row_of_device(device, true, takes_over)
                    .or_else(|| self.row_of_device(device, false, takes_over))
            })
        };
        let by_ids = match report.instance() {
            Some(instance) => self.table.find_named(instance).or_else(|| by_device(true)),
            None => by_device(false),
        };
        by_ids.map_or_else(|| self.find(report.key()), Ok)
    }

    /// The row of a key, or the key back.
    fn find(&self, key: RowKey) -> Result<u32, RowKey> {
        self.table.find(&key).ok_or(key)
    }

    fn instance_key(&self, client: &ClientInfo) -> Option<PresenceKey> {
        // The gateway's own id in a connect counts as absent (SPEC 1.2).
        key_of(client.instance_id.as_deref()).filter(|key| self.self_key.as_ref() != Some(key))
    }

    /// Whether this is the gateway's own `instanceId`.
    #[must_use]
    pub fn is_self(&self, instance_id: Option<&str>) -> bool {
        self.self_key.is_some() && key_of(instance_id) == self.self_key
    }

    // ---- merge --------------------------------------------------------------------------------

    fn write_connect(&mut self, write: &ConnectWrite<'_>, now: Now) -> RowId {
        let client = write.client;
        let instance = self.instance_key(client);
        let own_id = Kind::Id
            .present(client.instance_id.as_deref())
            .filter(|id| !self.is_self(Some(id)));
        let landing = self.landing(write);
        let slot = match landing.slot {
            Some(slot) => slot,
            None => {
                self.disputes.apart += u64::from(landing.is_apart);
                self.make_row(landing.key, Holder::Unlimited, now)
            }
        };
        let max_bytes = self.max_row_bytes(slot).max(ROW_SHARE_BYTES);
        let mut others = Vec::new();
        if !landing.is_apart {
            self.rekey(slot, instance.as_ref());
            if let Some(device) = key_of(write.device_id) {
                others = self.own(slot, device);
            }
            let row = &mut self.table.slab[slot];
            overlay_id(&mut row.fields.instance_id, own_id);
            overlay(&mut row.fields.device_id, write.device_id);
            if row.owner().is_none() && size::of_ids(&row.fields) > MAX_ROW_BYTES + 1 {
                row.fields.device_id = None;
                self.table.set_device(slot, None);
            }
        }
        let row = &mut self.table.slab[slot];
        let ip = write.remote_ip.filter(|ip| !is_loopback(ip));
        let live = Live {
            conn: write.conn,
            seat: write.seat,
            conn_id: write.conn_id.into(),
            role: write.role,
            scopes: write.scopes.clone(),
            said: Said::new(client, write.role, ip, write.user),
        };
        let newest = row.live.last();
        self.disputes.shared +=
            u64::from(newest.is_some_and(|newest| newest.said.has_other_host(&live.said)));
        row.attach(live, now.age_ms, max_bytes);
        self.measure(slot);
        self.wrote(slot, now, true);
        self.note_change(slot);
        self.index_user(slot);
        // A row with a connection of its own counts against nobody's quota.
        self.table.set_holder(slot, None);
        self.move_apart(others, now);
        self.id(slot)
    }

    fn wrote(&mut self, slot: u32, now: Now, proof: bool) {
        let row = &mut self.table.slab[slot];
        row.written_ms = now.age_ms;
        row.outdate();
        if proof {
            row.proof_ms = now.age_ms;
            self.table.refresh(slot);
        }
        self.encoder.clear();
    }

    // ---- life and bounds ----------------------------------------------------------------------

    fn make_row(&mut self, key: RowKey, holder: Holder, now: Now) -> u32 {
        self.rows_made += 1;
        let slot = self.table.insert(Row::new(key, self.rows_made, now.age_ms));
        self.note_key(slot);
        self.measure(slot);
        if let Holder::Connection(conn) = holder {
            self.table.set_holder(slot, Some(conn));
        }
        slot
    }

    fn expire(&mut self, now_ms: u64) {
        let ttl_ms = self.config.ttl_ms;
        while let Some(slot) = self.table.expired(|proof_ms| is_over(proof_ms, ttl_ms, now_ms)) {
            self.remove(slot, Removal::Expired);
        }
        while now_ms >= self.spared_until_ms
            && let Some(slot) = self.table.next_spared()
        {
            self.remove(slot, Removal::Expired);
        }
    }

    // ---- bytes --------------------------------------------------------------------------------

    /// A text or a set of the row changed: what the row and the list take.
    fn measure(&mut self, slot: u32) {
        let row = &mut self.table.slab[slot];
        let bytes = size::of_entry(&row.fields);
        self.bytes = self.bytes - row.bytes + bytes;
        row.bytes = bytes;
    }

    fn max_list_bytes(&self) -> usize {
        max_list_bytes(self.max_entries())
    }

    /// Most bytes that the row may take, for itself and for the list.
    fn max_row_bytes(&self, slot: u32) -> usize {
        let room = self.max_list_bytes().saturating_sub(self.bytes);
        // The comma is no part of the row.
        (self.table.slab[slot].bytes + room).min(MAX_ROW_BYTES + 1)
    }

    /// Most bytes that the row may take that a beacon is about.
    fn fitting(&self, report: &Report<'_>, slot: Option<u32>) -> Result<usize, BeaconError> {
        let empty;
        let (fields, bytes) = match slot {
            Some(slot) => {
                let row = &self.table.slab[slot];
                (&row.fields, row.bytes)
            }
            None => {
                empty = PresenceEntry::default();
                (&empty, 0)
            }
        };
        let max_list = self.max_list_bytes();
        let max_bytes = (bytes + max_list.saturating_sub(self.bytes)).min(MAX_ROW_BYTES + 1);
        if bytes + report.max_growth() <= max_bytes {
            return Ok(max_bytes);
        }
        let after = report.size_after(fields);
        if after > MAX_ROW_BYTES + 1 {
            let member = report.longest();
            return Err(BeaconError::RowTooLarge { member });
        }
        // A list that is too large already may become smaller.
        if after > max_bytes.max(bytes) {
            return Err(BeaconError::ListTooLarge {
                member: report.longest(),
                max: max_list,
            });
        }
        Ok(max_bytes)
    }

    /// Most rows, self included: there is room for one other row at least.
    fn max_entries(&self) -> usize {
        self.config.max_entries.max(2)
    }

    /// Whether a new row fits once all rows without a live connection are gone.
    fn has_room_without_live_rows(&self) -> bool {
        self.len() < self.max_entries().saturating_add(self.table.not_live())
    }

    /// How many bytes the list lacks for any row, its comma included.
    fn bytes_lacking(&self) -> usize {
        (self.bytes + MAX_ROW_BYTES + 1).saturating_sub(self.max_list_bytes())
    }

    /// Whether the list has bytes for any row once all rows without a live connection are gone.
    fn has_bytes_without_live_rows(&self) -> bool {
        let slab = &self.table.slab;
        let mut lacking = self.bytes_lacking();
        let mut others = self
            .table
            .in_eviction_order()
            .take_while(|&slot| slab[slot].live.is_empty());
        while lacking > 0
            && let Some(slot) = others.next()
        {
            lacking = lacking.saturating_sub(slab[slot].bytes);
        }
        lacking == 0
    }

    /// The row `kept` was just written and stays.
    fn enforce_cap(&mut self, kept: u32) {
        while self.len() > self.max_entries() || self.bytes > self.max_list_bytes() {
            let Some(slot) = self.table.in_eviction_order().find(|&slot| slot != kept) else {
                return;
            };
            if self.table.slab[slot].live.is_empty() {
                self.evictions.closed += 1;
            } else {
                self.evictions.live += 1;
            }
            self.remove(slot, Removal::Evicted);
        }
    }

    fn enforce_quota(&mut self, holder: Holder) {
        let Holder::Connection(conn) = holder else { return };
        let quota = (self.max_entries() / 10).max(1);
        while let Some((held, oldest)) = self.table.held_by(conn)
            && held > quota
        {
            self.evictions.over_quota += 1;
            self.remove(oldest, Removal::Evicted);
        }
    }

    /// A verified device connected: the rows that it proved, of the same role, client and mode that nobody is
    /// connected to any more were left behind by earlier loads of the same page (SPEC 1.2).
    fn replace_left_behind(&mut self, kept: RowId, write: &ConnectWrite<'_>, device_id: &str) {
        let Some(device) = PresenceKey::parse(device_id) else {
            return;
        };
        let mode = PresenceKey::of_name(&write.client.mode);
        let left_behind: Vec<u32> = self
            .table
            .of_device(&device, true)
            .filter(|&slot| {
                let row = &self.table.slab[slot];
                slot != kept.slot
                    && row.live.is_empty()
                    && row.fields.roles.iter().any(|role| **role == *write.role.as_str())
                    && row.fields.client_id.as_deref() == Some(&write.client.id)
                    && row.fields.mode.as_deref().and_then(PresenceKey::of_name) == mode
            })
            .collect();
        for slot in left_behind {
            self.remove(slot, Removal::Replaced);
        }
    }

    fn remove(&mut self, slot: u32, why: Removal) {
        self.unindex_user(slot);
        if let Some(row) = self.table.remove(slot) {
            self.bytes -= row.bytes;
            self.note_removal(&row, why);
        }
        self.encoder.clear();
        self.removals += 1;
        self.version += 1;
    }

    // ---- slots --------------------------------------------------------------------------------

    fn id(&self, slot: u32) -> RowId {
        RowId {
            slot,
            serial: self.table.slab[slot].serial,
        }
    }

    fn slot(&self, id: RowId) -> Option<u32> {
        self.table.alive(id.slot, id.serial).then_some(id.slot)
    }

    /// Slots in list order, self not among them. The freshness order is almost this order, which
    /// the sort makes use of.
    fn ordered_slots(&self) -> Vec<u32> {
        let mut slots = self.table.slots();
        slots.sort_by_key(|&slot| {
            let row = &self.table.slab[slot];
            (core::cmp::Reverse(row.written_ms), row.serial)
        });
        slots
    }
}

fn key_of(raw: Option<&str>) -> Option<PresenceKey> {
    raw.and_then(PresenceKey::parse)
}

/// An absent member never erases a stored one (SPEC 1.4). Returns whether the stored one changed.
fn overlay(stored: &mut Option<Box<str>>, new: Option<&str>) -> bool {
    match new {
        Some(new) if stored.as_deref() != Some(new) => {
            *stored = Some(new.into());
            true
        }
        _ => false,
    }
}

/// [`overlay`] for ids: a blank one identifies nothing and never erases one that does.
fn overlay_id(stored: &mut Option<Box<str>>, new: Option<&str>) -> bool {
    let identifies = |id: &str| !trim(id).is_empty();
    let new = new.filter(|new| identifies(new) || !stored.as_deref().is_some_and(identifies));
    overlay(stored, new)
}

/// What leads from the age clock to the wall clock.
fn offset(now: Now) -> i64 {
    let wall = i64::try_from(now.wall_ms.min(MAX_SAFE_INTEGER)).unwrap_or(0);
    let age = i64::try_from(now.age_ms.min(MAX_SAFE_INTEGER)).unwrap_or(0);
    wall - age
}

/// The moment `seconds` before `now_ms`; may lie before the clock's origin.
fn moment_before(now_ms: u64, seconds: u64) -> i64 {
    let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let span = i64::try_from(seconds.min(MAX_SAFE_INTEGER).saturating_mul(1_000)).unwrap_or(i64::MAX);
    now_ms.saturating_sub(span)
}

/// Whether a proof of life is older than the TTL.
fn is_over(proof_ms: u64, ttl_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(proof_ms) > ttl_ms
}
