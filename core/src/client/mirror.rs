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

/// The bounds and thresholds of a [`Mirror`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MirrorConfig {
    /// How long a row lives after its last proof of life, in ms.
    pub ttl_ms: u64,
    /// The maximum number of rows, the gateway's own included; at most [`MAX_ROWS`].
    pub max_rows: usize,
    /// The ages at which statuses change.
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
    /// [`InvalidSetting`] names the first setting that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        within("ttl_ms", self.ttl_ms, 1..=MAX_SAFE_INTEGER)?;
        within("max_rows", count(self.max_rows), 1..=count(MAX_ROWS))?;
        self.thresholds.validate()
    }

    /// Returns the configuration of a mirror without a gateway: the gateway's defaults.
    #[must_use]
    pub fn standalone() -> Self {
        Self {
            max_rows: DEFAULT_MAX_ENTRIES,
            ..Self::default()
        }
    }
}

/// The rule for the removal of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RemovalRule {
    /// The gateway: listed rows stay.
    Gateway,
    /// The gateway is unreachable: rows are removed after twice the TTL.
    Lost,
    /// The mirror itself, by the gateway's rules.
    Mirror,
}

/// A copy of a gateway's roster, with one row per instance even where the gateway keeps one per connection;
/// or the roster of a pasted list.
///
/// All times are ms since the Unix epoch **on the server's clock** ([`ServerClock`]); without a gateway, on
/// any wall clock.
///
/// * `apply_*` applies the gateway's messages.
/// * [`settle`](Self::settle) updates statuses and removes rows; it is next due at
///   [`next_change_ms`](Self::next_change_ms). `apply_*` also settles.
/// * [`take_diff`](Self::take_diff) returns the changes since its last call.
/// * All other methods only read. A row's status is that of the last settling; ages are at the given time.
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
    removal_rule: RemovalRule,
    /// One row per instance.
    rows: BTreeMap<Arc<str>, Arc<Row>>,
    /// `None` unless the gateway sends keys.
    keyed: Option<Keyed>,
    /// When the last full list arrived.
    listed_ms: Option<u64>,
    changes: Changes,
    #[cfg(test)]
    merges: usize,
    /// The period from the last settling on in which no status changes and no row is removed. Changed rows
    /// narrow it.
    settled: Range<u64>,
}

impl Mirror {
    /// Creates the mirror of a gateway, whose list decides which rows exist. Offline until the first list.
    #[must_use]
    pub fn new(config: MirrorConfig) -> Self {
        Self::with_removal_rule(config, RemovalRule::Lost)
    }

    /// Creates a roster without a gateway: applies TTL and cap by the gateway's rules.
    #[must_use]
    pub fn standalone(config: MirrorConfig) -> Self {
        Self::with_removal_rule(config, RemovalRule::Mirror)
    }

    fn with_removal_rule(config: MirrorConfig, removal_rule: RemovalRule) -> Self {
        Self {
            config,
            removal_rule,
            rows: BTreeMap::new(),
            keyed: None,
            listed_ms: None,
            changes: Changes::default(),
            #[cfg(test)]
            merges: 0,
            settled: 0..u64::MAX,
        }
    }

    /// Returns the rows in list order: the gateway's own first, then by descending `ts`; ties in the
    /// gateway's order (SPEC 1.6).
    #[must_use]
    pub fn rows(&self) -> Vec<&Row> {
        let freshness = |row: &Row| if row.is_self() { 0 } else { u64::MAX - row.ts };
        let rows = self.rows.values().map(|row| &**row).collect();
        ranked(rows, |row: &&Row| (freshness(row), row.place())).collect()
    }

    /// Returns the row with that key.
    #[must_use]
    pub fn row(&self, key: &str) -> Option<&Row> {
        self.rows.get(key).map(|row| &**row)
    }

    /// Returns all of the gateway's rows, in its order.
    pub fn raw_list(&self) -> impl Iterator<Item = &RawEntry> {
        self.raws().into_iter().map(|raw| &raw.entry)
    }

    /// Returns all of the gateway's rows with their instances, in its order.
    fn raws(&self) -> Vec<&Raw> {
        let raws: Vec<&Raw> = self
            .rows
            .values()
            .flat_map(|row| &row.raws)
            .map(|raw| &**raw)
            .collect();
        ranked(raws, |raw| (raw.place, 0)).collect()
    }

    /// Returns the findings about the gateway's list (SPEC 6). Their indexes refer to
    /// [`raw_list`](Self::raw_list).
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let list: Vec<&RawEntry> = self.raw_list().collect();
        findings(&list, None)
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns the number of rows that left; [`len`](Self::len) includes them.
    #[must_use]
    pub fn left_len(&self) -> usize {
        self.rows.values().filter(|row| row.has_left).count()
    }

    /// Returns whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns whether the gateway is unreachable, so that the rows may be outdated. Always false for a
    /// standalone roster.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.removal_rule == RemovalRule::Lost
    }
}

#[cfg(test)]
mod tests;
