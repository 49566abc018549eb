//! Rows of other gateways, and their comparison.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::model::RawEntry;
use crate::model::entry::TIME_MEMBERS;

/// A row of another gateway, with its moments on this gateway's age clock; they may lie before its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRow {
    /// The row's key in its gateway's roster.
    pub key: Box<str>,
    /// Its members. Members that state a time are ignored; the fields below replace them.
    pub entry: RawEntry,
    /// The time of its last proof of life (`ts`), in ms.
    pub heard_ms: i64,
    /// The start of its presence, in ms.
    pub online_since_ms: Option<i64>,
    /// The time of its last input, in ms.
    pub last_activity_ms: Option<i64>,
    /// Whether it is the row of the gateway itself.
    pub is_gateway: bool,
}

/// Changes in the rows of another gateway.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceUpdate {
    /// New and changed rows.
    pub put: Vec<SourceRow>,
    /// Keys of removed rows.
    pub removed: Vec<Box<str>>,
    /// Whether the gateway is reachable. Ignored for a peer, whose lease determines that.
    pub is_here: bool,
}

/// State of another gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceInfo<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it is a gateway of the fleet, in contrast to an observed one.
    pub is_peer: bool,
    /// Whether it is reachable; for a peer, whether its lease runs.
    pub is_here: bool,
    /// Number of its rows, its own included.
    pub rows: usize,
    /// The number of rows omitted so far because of bounds on their number or size.
    pub left_out: u64,
}

/// The order of eviction: whether a row is connected, the time of its last proof of life, and its key.
pub(super) type Rank = (bool, i64, Arc<str>);

/// Orders rows that left before others, then by ascending proof of life; ties by key.
pub(super) fn rank(row: &SourceRow) -> Rank {
    (!row.entry.is_disconnect(), row.heard_ms, (*row.key).into())
}

/// Keeps moments as in `old` where only the estimate of the other clock changed, so that a row with only a
/// newer proof of life is only touched.
pub(super) fn keep_moments(row: &mut SourceRow, old: &SourceRow) {
    row.online_since_ms = old.online_since_ms;
    row.last_activity_ms = old.last_activity_ms;
    if is_near(Some(row.heard_ms), Some(old.heard_ms)) {
        row.heard_ms = row.heard_ms.max(old.heard_ms);
    }
}

/// Returns whether two rows are equal, apart from the time of the last proof of life.
pub(super) fn has_equal_content(old: &SourceRow, new: &SourceRow) -> bool {
    old.entry.eq_without(&new.entry, &TIME_MEMBERS)
        && is_near(old.online_since_ms, new.online_since_ms)
        && is_near(old.last_activity_ms, new.last_activity_ms)
        && is_near(last_input_ms(old), last_input_ms(new))
}

fn last_input_ms(row: &SourceRow) -> Option<i64> {
    let seconds = row.entry.integer("lastInputSeconds")?;
    Some(row.heard_ms.saturating_sub(signed(seconds.saturating_mul(1_000))))
}

/// Whether two moments are equal up to 2 s, the error of estimating another clock.
fn is_near(a: Option<i64>, b: Option<i64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.abs_diff(b) < 2_000,
        (a, b) => a == b,
    }
}

pub(super) fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
