//! The client's copy of the roster: one row per instance, aged on the server's clock (SPEC 3).

mod delta;
mod diff;
mod group;
mod life;
mod merge;
mod view;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

pub use self::delta::DeltaOutcome;
pub use self::diff::RosterDiff;
pub use self::view::RowView;

use self::diff::Pending;
use self::group::{GroupKeys, SELF_KEY};
use super::json::Json;
use super::raw::RawEntry;
use crate::digest::Digest;
use crate::findings::{Finding, findings};
use crate::roster::{DEFAULT_MAX_ENTRIES, DEFAULT_TTL_MS};
use crate::status::{Status, Thresholds};

/// Most raw rows a mirror holds, whatever its gateway lists (SPEC 3).
pub const MAX_ROWS: usize = 10_000;

/// Bounds and thresholds of a [`Mirror`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MirrorConfig {
    /// How long a row lives after its last proof of life, in ms.
    pub ttl_ms: u64,
    /// Most rows, the gateway's own included; at most [`MAX_ROWS`].
    pub max_rows: usize,
    /// The ages at which statuses end.
    pub thresholds: Thresholds,
}

impl Default for MirrorConfig {
    fn default() -> Self {
        Self {
            ttl_ms: DEFAULT_TTL_MS,
            max_rows: MAX_ROWS,
            thresholds: Thresholds::default(),
        }
    }
}

impl MirrorConfig {
    /// The figures for a mirror without a gateway: the gateway's own.
    #[must_use]
    pub fn standalone() -> Self {
        Self {
            max_rows: DEFAULT_MAX_ENTRIES,
            ..Self::default()
        }
    }
}

/// Who decides when a row goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
    /// The gateway: what it lists stays.
    Gateway,
    /// Nobody for now: the gateway cannot be reached, rows go after twice the TTL.
    Lost,
    /// The mirror itself, as the gateway would.
    Mirror,
}

/// A copy of a gateway's roster, with one row per instance even where the gateway keeps one per
/// connection, or the roster of a list that somebody pasted.
///
/// All times are ms since the Unix epoch **on the server's clock** ([`ServerClock`]); without a
/// gateway, on any wall clock.
///
/// * `apply_*` takes in what the gateway sent.
/// * [`settle`](Self::settle) brings statuses and removals to a moment; it is next due at
///   [`next_change_ms`](Self::next_change_ms). `apply_*` settles by itself.
/// * [`take_diff`](Self::take_diff) says what became different since it was last asked.
/// * Everything else reads. A row's status is that of the last settling; ages are of the moment asked.
///
/// ```
/// use presence_core::Status;
/// use presence_core::client::{Mirror, MirrorConfig, RawEntry};
/// // Two connections of one tab, as a gateway of protocol 4 lists them.
/// let list = r#"[
///     {"instanceId": "Tab-1", "host": "WebChat", "reason": "connect", "ts": 200000},
///     {"instanceId": "tab-1", "ip": "10.0.0.7", "reason": "disconnect", "ts": 100000}
/// ]"#;
/// let mut mirror = Mirror::standalone(MirrorConfig::standalone());
/// mirror.apply_list(RawEntry::parse_list(list).unwrap(), 200_000);
///
/// let rows = mirror.rows();
/// assert_eq!(rows.len(), 1);
/// assert_eq!(rows[0].entry().str("ip"), Some("10.0.0.7"));
/// assert_eq!(rows[0].entry().str("reason"), Some("connect"));
/// assert_eq!(mirror.raw(rows[0]).count(), 2);
///
/// assert_eq!(mirror.next_change_ms(), Some(320_001));
/// mirror.settle(320_001);
/// assert_eq!(mirror.rows()[0].status(), Status::Idle);
/// ```
///
/// [`ServerClock`]: super::ServerClock
#[derive(Debug)]
pub struct Mirror {
    config: MirrorConfig,
    keeper: Keeper,
    /// The rows as the gateway listed them, by their place in its list.
    raws: BTreeMap<u64, Raw>,
    next_place: u64,
    /// Places by wire key; empty unless the gateway sends keys (SPEC 2.1).
    places: BTreeMap<Box<str>, u64>,
    /// One row per instance, by its stable key.
    rows: BTreeMap<Box<str>, Row>,
    next_revision: u64,
    /// The version that deltas start from; `None` unless the gateway sends keys.
    version: Option<u64>,
    digest: Digest,
    /// When the last full list came.
    listed_ms: Option<u64>,
    pending: Pending,
}

/// One row of the gateway's list.
#[derive(Debug)]
struct Raw {
    entry: RawEntry,
    ts: u64,
    /// The key of the row it is merged into.
    group: Box<str>,
    wire_key: Option<Box<str>>,
    /// What it counts in the digest; 0 without wire keys.
    digest: u64,
}

/// One instance, merged from all rows the gateway lists for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    key: Box<str>,
    /// Places of its raw rows, ascending.
    members: Vec<u64>,
    entry: RawEntry,
    ts: u64,
    status: Status,
    /// Counts changes of what the row says, over the whole mirror.
    revision: u64,
}

impl Row {
    /// Identifies the row from one moment to the next: the same instance keeps its key. Opaque.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The merged members, those unknown to this version included. `ts` and `lastInputSeconds` are
    /// integers and belong together.
    #[must_use]
    pub fn entry(&self) -> &RawEntry {
        &self.entry
    }

    /// When it was last heard of.
    #[must_use]
    pub fn ts(&self) -> u64 {
        self.ts
    }

    /// Active, Idle or Stale, as of the last settling.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether it is the gateway itself.
    #[must_use]
    pub fn is_self(&self) -> bool {
        *self.key == *SELF_KEY
    }

    /// Its age at `now_ms`, in ms; never negative.
    #[must_use]
    pub fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.ts)
    }
}

impl Mirror {
    /// The mirror of a gateway: its list decides who is there. Offline until the first list.
    #[must_use]
    pub fn new(config: MirrorConfig) -> Self {
        Self::with_keeper(config, Keeper::Lost)
    }

    /// A roster of its own, for a list without a gateway: applies TTL and cap as a gateway does.
    #[must_use]
    pub fn standalone(config: MirrorConfig) -> Self {
        Self::with_keeper(config, Keeper::Mirror)
    }

    fn with_keeper(config: MirrorConfig, keeper: Keeper) -> Self {
        Self {
            config,
            keeper,
            raws: BTreeMap::new(),
            next_place: 0,
            places: BTreeMap::new(),
            rows: BTreeMap::new(),
            next_revision: 1,
            version: None,
            digest: Digest::default(),
            listed_ms: None,
            pending: Pending::default(),
        }
    }

    // ---- what the gateway sent ----------------------------------------------------------------

    /// A full list arrived: it replaces what was there.
    pub fn apply_list(&mut self, entries: Vec<RawEntry>, now_ms: u64) {
        self.version = None;
        self.replace(entries.into_iter().map(|entry| (None, entry)), now_ms);
    }

    /// The gateway's `tick`: it lives, and its own row is as fresh as on any list it would send now.
    pub fn touch_self(&mut self, ts: u64, now_ms: u64) {
        let Some(row) = self.rows.get(SELF_KEY) else {
            return;
        };
        let Some(&place) = row.members.first() else { return };
        if row.ts < ts {
            self.touch(place, ts);
            self.rebuild(SELF_KEY, now_ms);
        }
    }

    /// The gateway cannot be reached any more.
    pub fn handle_offline(&mut self, now_ms: u64) {
        if self.keeper == Keeper::Gateway {
            self.keeper = Keeper::Lost;
            self.pending.note_offline(false);
        }
        self.settle(now_ms);
    }

    fn replace(&mut self, entries: impl Iterator<Item = (Option<Box<str>>, RawEntry)>, now_ms: u64) {
        if self.keeper == Keeper::Lost {
            self.keeper = Keeper::Gateway;
            self.pending.note_offline(true);
        }
        for row in self.rows.values_mut() {
            self.pending.note(&row.key, Some(row));
            row.members.clear();
        }
        self.raws.clear();
        self.places.clear();
        self.digest = Digest::default();
        self.next_place = 0;
        self.listed_ms = Some(now_ms);
        let mut keys = GroupKeys::default();
        let bound = if self.keeper == Keeper::Mirror {
            MAX_ROWS
        } else {
            self.config.max_rows.min(MAX_ROWS)
        };
        for (wire_key, entry) in entries.take(bound) {
            let group = keys.group_of(&entry, wire_key.as_deref());
            self.insert(entry, wire_key, group, now_ms);
        }
        let all: Vec<Box<str>> = self.rows.keys().cloned().collect();
        for key in all {
            self.rebuild(&key, now_ms);
        }
        self.settle(now_ms);
        self.enforce_cap();
    }

    fn insert(&mut self, entry: RawEntry, wire_key: Option<Box<str>>, group: Box<str>, now_ms: u64) {
        let place = self.next_place;
        self.next_place += 1;
        let digest = wire_key
            .as_deref()
            .map_or(0, |key| crate::digest::of_raw(key, &entry));
        self.digest.add(digest);
        if let Some(key) = &wire_key {
            self.places.insert(key.clone(), place);
        }
        self.join(&group, place);
        // A row without a time was heard of now, as far as anybody knows.
        let ts = entry.ts().unwrap_or(now_ms);
        self.raws.insert(
            place,
            Raw {
                entry,
                ts,
                group,
                wire_key,
                digest,
            },
        );
    }

    /// Makes a raw row a member of the row of that key.
    fn join(&mut self, group: &str, place: u64) {
        self.pending.note(group, self.rows.get(group));
        let row = self.rows.entry(group.into()).or_insert_with(|| Row {
            key: group.into(),
            members: Vec::new(),
            entry: RawEntry::default(),
            ts: 0,
            status: Status::Active,
            revision: 0,
        });
        let at = row.members.partition_point(|&member| member < place);
        row.members.insert(at, place);
    }

    /// Moves the `ts` of a raw row; its last input stays when it was.
    fn touch(&mut self, place: u64, ts: u64) {
        let Some(raw) = self.raws.get_mut(&place) else {
            return;
        };
        self.pending.note(&raw.group, self.rows.get(&raw.group));
        if let Some(seconds) = raw.entry.get("lastInputSeconds").and_then(Json::as_u64) {
            let later = ts.saturating_sub(raw.ts) / 1_000;
            raw.entry
                .set("lastInputSeconds", seconds.saturating_add(later).into());
        }
        raw.entry.set("ts", ts.into());
        raw.ts = ts;
    }

    /// Merges the row of that key anew from its raw rows; drops it if there are none.
    fn rebuild(&mut self, key: &str, now_ms: u64) {
        let Some(row) = self.rows.get_mut(key) else { return };
        let raws: Vec<&Raw> = row
            .members
            .iter()
            .filter_map(|place| self.raws.get(place))
            .collect();
        if raws.is_empty() {
            self.rows.remove(key);
            return;
        }
        let (entry, ts) = merge::merge(&raws);
        if row.revision == 0 || !merge::says_the_same(&row.entry, &entry) {
            row.revision = self.next_revision;
            self.next_revision += 1;
        }
        row.entry = entry;
        row.ts = ts;
        row.status = self.config.thresholds.status(row.age_ms(now_ms));
    }

    /// Removes a row with all its raw rows.
    fn remove(&mut self, key: &str) {
        let Some(row) = self.rows.remove(key) else { return };
        self.pending.note(key, Some(&row));
        for place in &row.members {
            self.drop_raw(*place);
        }
    }

    /// Forgets a raw row, not its membership.
    fn drop_raw(&mut self, place: u64) -> Option<Raw> {
        let raw = self.raws.remove(&place)?;
        self.digest.remove(raw.digest);
        if let Some(wire_key) = &raw.wire_key {
            self.places.remove(wire_key);
        }
        Some(raw)
    }

    // ---- reading ------------------------------------------------------------------------------

    /// The rows in the order of the list: the gateway itself, then the freshest first; ties in the
    /// gateway's order (SPEC 1.6).
    #[must_use]
    pub fn rows(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.values().collect();
        rows.sort_by_key(|row| {
            (
                !row.is_self(),
                core::cmp::Reverse(row.ts),
                row.members.first().copied(),
            )
        });
        rows
    }

    /// The row with that key.
    #[must_use]
    pub fn row(&self, key: &str) -> Option<&Row> {
        self.rows.get(key)
    }

    /// The gateway's rows that a row is merged from, in the gateway's order.
    pub fn raw<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = &'a RawEntry> {
        row.members
            .iter()
            .filter_map(|place| self.raws.get(place))
            .map(|raw| &raw.entry)
    }

    /// All of the gateway's rows, in its order.
    pub fn raw_list(&self) -> impl Iterator<Item = &RawEntry> {
        self.raws.values().map(|raw| &raw.entry)
    }

    /// What looks like the same client under two rows of the gateway's, and why (SPEC 6). Indexes are
    /// those of [`raw_list`](Self::raw_list).
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let list: Vec<&RawEntry> = self.raw_list().collect();
        findings(&list)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the gateway cannot be reached, so that the rows are only what was last known. Never
    /// for a roster of its own.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.keeper == Keeper::Lost
    }

    /// What became different since this was last asked; `None` if nothing did.
    pub fn take_diff(&mut self) -> Option<RosterDiff> {
        self.pending.take(&self.rows, self.keeper == Keeper::Lost)
    }

    /// Whether [`take_diff`](Self::take_diff) may have something to say.
    #[must_use]
    pub fn has_diff(&self) -> bool {
        !self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests;
