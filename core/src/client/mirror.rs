//! The client's copy of the roster: one row per instance, aged on the server's clock (SPEC 3).

mod delta;
mod diff;
mod group;
mod life;
mod merge;
mod view;
mod write;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use self::delta::DeltaOutcome;
pub use self::diff::RosterDiff;
pub use self::view::RowView;

use self::diff::Told;
use self::group::SELF_KEY;
use crate::digest::Digest;
use crate::findings::{Finding, findings};
use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::raw_entry::RawEntry;
use crate::model::setting::{InvalidSetting, count, within};
use crate::model::status::{Status, Thresholds};
use crate::roster::{DEFAULT_MAX_ENTRIES, DEFAULT_TTL_MS};

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
    /// Checks the bounds: a TTL of 1 ms to 2^53 - 1 ms, 1 to [`MAX_ROWS`] rows, and the thresholds.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        within("ttl_ms", self.ttl_ms, 1..=MAX_SAFE_INTEGER)?;
        within("max_rows", count(self.max_rows), 1..=count(MAX_ROWS))?;
        self.thresholds.validate()
    }

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
/// use presence_core::model::RawEntry;
/// use presence_core::client::{Mirror, MirrorConfig};
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
    /// The rows as the gateway listed them, by ascending place.
    raws: Vec<Raw>,
    /// The place of the next row that the gateway adds.
    next_place: u64,
    /// One row per instance, by ascending key. Rows without members are gone and not yet told of.
    #[expect(clippy::vec_box, reason = "a row that comes moves those behind it")]
    rows: Vec<Box<Row>>,
    next_revision: u64,
    next_stamp: u64,
    /// The list at hand has the gateway's own row already.
    has_self: bool,
    /// Where keys are written before they are looked for: most are there, or stay.
    key_text: String,
    /// The version that deltas start from; `None` unless the gateway sends keys.
    version: Option<u64>,
    /// Of all rows, while it is compared.
    digest: Digest,
    /// Whether deltas must lead to the digest they state: not if the gateway's own snapshot states none or
    /// disagrees, nor once the mirror dropped rows that the gateway may still have.
    compares_digests: bool,
    /// When the last full list came.
    listed_ms: Option<u64>,
    /// From when to when nothing changes by itself: [`settle`](Self::settle) has nothing to do.
    settled: core::ops::Range<u64>,
    /// Something may be different from what was told.
    is_dirty: bool,
    /// Whether the roster was offline when that was last told, if it changed since.
    was_offline: Option<bool>,
}

/// One row of the gateway's list.
#[derive(Debug)]
struct Raw {
    /// Where it stands in the gateway's list.
    place: u64,
    entry: RawEntry,
    ts: u64,
    /// Seconds between its last input and `ts`, if they are told.
    input_seconds: Option<u64>,
    /// Its last input as it was told, if it was: the `ts` it belonged to, and the seconds before that.
    told_input: Option<(u64, u64)>,
    /// Alone, it is merged as it is: its numbers are there and written as they are to be shown.
    is_plain: bool,
    /// The key of the row it is merged into.
    group: Arc<str>,
    wire_key: Option<Box<str>>,
    /// Of the wire key, to find it by; 0 without one.
    key_hash: u64,
    /// What it counts in the digest; 0 if that is not compared.
    digest: u64,
}

/// One instance, merged from all rows the gateway lists for it.
#[derive(Debug)]
pub struct Row {
    key: Arc<str>,
    /// Places of its raw rows, ascending; none when it is gone.
    members: Vec<u64>,
    entry: RawEntry,
    ts: u64,
    last_input_at_ms: Option<u64>,
    /// Each of its raw rows is `disconnect`.
    has_left: bool,
    status: Status,
    /// Counts changes of what the row says, over the whole mirror.
    revision: u64,
    /// Counts merges, over the whole mirror.
    stamp: u64,
    /// Its members are not what it was merged from.
    is_affected: bool,
    /// How many rows without any id share its name; kept in the first of them.
    namesakes: u64,
    /// What it was like when it was last told of.
    told: Option<Told>,
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

    /// Another one whenever its [`entry`](Self::entry) or the rows it is merged from may be different; later ones are
    /// greater. From 1 on.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// When its last input was, as far as anybody knows.
    #[must_use]
    pub fn last_input_at_ms(&self) -> Option<u64> {
        self.last_input_at_ms
    }

    /// Active, Idle, Stale or Left, as of the last settling.
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
            raws: Vec::new(),
            next_place: 0,
            rows: Vec::new(),
            next_revision: 1,
            next_stamp: 1,
            has_self: false,
            key_text: String::new(),
            version: None,
            digest: Digest::default(),
            compares_digests: false,
            listed_ms: None,
            settled: 0..0,
            is_dirty: false,
            was_offline: None,
        }
    }

    /// The rows in the order of the list: the gateway itself, then the freshest first; ties in the
    /// gateway's order (SPEC 1.6).
    #[must_use]
    pub fn rows(&self) -> Vec<&Row> {
        // A rank is two numbers; where the row is takes the lower bits of the second.
        const INDEX_BITS: u32 = 20;
        let rank = |(index, row): (usize, &Row)| {
            let place = *row.members.first()?;
            let first = if row.is_self() { 0 } else { u64::MAX - row.ts };
            Some((first, place << INDEX_BITS | index as u64))
        };
        let rows = self.rows.iter().map(|row| &**row);
        let mut ranks: Vec<(u64, u64)> = rows.enumerate().filter_map(rank).collect();
        let index = |(_, second): (u64, u64)| (second & ((1 << INDEX_BITS) - 1)) as usize;
        ranks.sort_unstable();
        ranks
            .into_iter()
            .filter_map(|rank| self.rows.get(index(rank)).map(|row| &**row))
            .collect()
    }

    fn present(&self) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .map(|row| &**row)
            .filter(|row| !row.members.is_empty())
    }

    /// The row with that key.
    #[must_use]
    pub fn row(&self, key: &str) -> Option<&Row> {
        let row = self.rows.get(self.find_row(key).ok()?)?;
        (!row.members.is_empty()).then_some(row)
    }

    /// The gateway's rows that a row is merged from, in the gateway's order.
    pub fn raw<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = &'a RawEntry> {
        row.members
            .iter()
            .filter_map(|&place| self.raws.get(self.raw_at(place)?))
            .map(|raw| &raw.entry)
    }

    /// All of the gateway's rows, in its order.
    pub fn raw_list(&self) -> impl Iterator<Item = &RawEntry> {
        self.raws.iter().map(|raw| &raw.entry)
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
        self.present().count()
    }

    /// Returns the number of rows that left; [`len`](Self::len) counts them too.
    #[must_use]
    pub fn left_len(&self) -> usize {
        self.present().filter(|row| row.has_left).count()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the gateway cannot be reached, so that the rows are only what was last known. Never
    /// for a roster of its own.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.keeper == Keeper::Lost
    }
}

#[cfg(test)]
mod tests;
