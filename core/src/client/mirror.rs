//! The client's copy of the roster: one row per instance, aged on the server's clock (SPEC 3).

mod apply;
mod changes;
mod delta;
mod explain;
mod keyed;
mod life;
mod row;
mod view;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

pub use self::changes::RosterDiff;
pub use self::delta::DeltaOutcome;
pub use self::row::Row;
pub use self::view::RowView;
pub use crate::wire::presence::MAX_ROWS;

use self::changes::Changes;
use self::keyed::Keyed;
use crate::findings::{Finding, findings};
use crate::instance::Raw;
use crate::model::RawEntry;
use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::ranked::ranked;
use crate::model::setting::{InvalidSetting, count, within};
use crate::model::status::Thresholds;
use crate::roster::{DEFAULT_MAX_ENTRIES, DEFAULT_TTL_MS};

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
/// assert_eq!(rows[0].raw().count(), 2);
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
    /// One row per instance.
    rows: BTreeMap<Arc<str>, Arc<Row>>,
    /// `None` unless the gateway sends keys.
    keyed: Option<Keyed>,
    /// When the last full list came.
    listed_ms: Option<u64>,
    changes: Changes,
    #[cfg(test)]
    merges: usize,
    /// From the last settling on: the moments at which no status changes and no row goes. Changed rows narrow it.
    settled: Range<u64>,
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
            rows: BTreeMap::new(),
            keyed: None,
            listed_ms: None,
            changes: Changes::default(),
            #[cfg(test)]
            merges: 0,
            settled: 0..u64::MAX,
        }
    }

    /// The rows in the order of the list: the gateway itself, then the freshest first; ties in the
    /// gateway's order (SPEC 1.6).
    #[must_use]
    pub fn rows(&self) -> Vec<&Row> {
        let freshness = |row: &Row| if row.is_self() { 0 } else { u64::MAX - row.ts };
        let rows = self.rows.values().map(|row| &**row).collect();
        ranked(rows, |row: &&Row| (freshness(row), row.place())).collect()
    }

    /// The row with that key.
    #[must_use]
    pub fn row(&self, key: &str) -> Option<&Row> {
        self.rows.get(key).map(|row| &**row)
    }

    /// All of the gateway's rows, in its order.
    pub fn raw_list(&self) -> impl Iterator<Item = &RawEntry> {
        self.raws().into_iter().map(|raw| &raw.entry)
    }

    /// All of the gateway's rows with the instances they belong to, in its order.
    fn raws(&self) -> Vec<&Raw> {
        let raws: Vec<&Raw> = self
            .rows
            .values()
            .flat_map(|row| &row.raws)
            .map(|raw| &**raw)
            .collect();
        ranked(raws, |raw| (raw.place, 0)).collect()
    }

    /// What is wrong in the gateway's list, and which of its rows look like one client (SPEC 6). Indexes are those of
    /// [`raw_list`](Self::raw_list).
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let list: Vec<&RawEntry> = self.raw_list().collect();
        findings(&list, None)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns the number of rows that left; [`len`](Self::len) counts them too.
    #[must_use]
    pub fn left_len(&self) -> usize {
        self.rows.values().filter(|row| row.has_left).count()
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
}

#[cfg(test)]
mod tests;
