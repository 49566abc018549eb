//! How the rows of one instance become one (SPEC 3, "One row per instance").

use alloc::vec::Vec;

use super::Raw;
use crate::client::json::Json;
use crate::client::order::Rank;
use crate::client::raw::RawEntry;

/// What newer mac apps send instead of their last input: nobody knows it (reference 5.2).
const UNKNOWN_LAST_INPUT: u64 = 2_592_000;
/// Two reports of one moment in whole seconds differ by less than this, in ms.
const SAME_MOMENT_MS: u64 = 2_000;

/// Merges rows, given in list order, into one entry with its `ts`. `raws` is not empty.
///
/// Rows that are not `disconnect` speak first, then the others fill what is still missing; in each
/// lot the freshest speaks first, ties in list order.
pub(super) fn merge(raws: &[&Raw]) -> (RawEntry, u64) {
    let ts = raws.iter().map(|raw| raw.ts).max().unwrap_or(0);
    let order = in_order(raws, |raw| {
        (u64::from(raw.entry.is_disconnect()), u64::MAX - raw.ts)
    });
    let mut merged = order.first().map(|raw| raw.entry.clone()).unwrap_or_default();
    for raw in order.iter().skip(1) {
        for (name, value) in raw.entry.members() {
            if merged.get(name).is_none() && *value != Json::Null {
                merged.set(name, value.clone());
            }
        }
    }
    merged.set_integer("ts", ts);
    match last_input_seconds(&order, ts) {
        Some(seconds) => merged.set_integer("lastInputSeconds", seconds),
        None => merged.remove("lastInputSeconds"),
    }
    if raws.len() == 1 {
        return (merged, ts);
    }
    let mut live = in_order(raws, |raw| (raw.ts, 0));
    live.retain(|raw| !raw.entry.is_disconnect());
    if !live.is_empty() {
        for name in ["roles", "scopes"] {
            let union = union(&live, name);
            if union.is_empty() {
                merged.remove(name);
            } else {
                merged.set(name, Json::Array(union));
            }
        }
    }
    (merged, ts)
}

/// The rows by `rank`, ties in list order.
fn in_order<'r>(raws: &[&'r Raw], rank: fn(&Raw) -> Rank) -> Vec<&'r Raw> {
    let mut order: Vec<&Raw> = Vec::with_capacity(raws.len());
    for &raw in raws {
        let at = order.partition_point(|other| rank(other) <= rank(raw));
        order.insert(at, raw);
    }
    order
}

/// The last input as the first row in `order` that reports one has it, counted back from `ts`.
fn last_input_seconds(order: &[&Raw], ts: u64) -> Option<u64> {
    let (raw, seconds) = order
        .iter()
        .find_map(|raw| Some((raw, raw.entry.integer("lastInputSeconds")?)))?;
    let later = ts.saturating_sub(raw.ts) / 1_000;
    (seconds != UNKNOWN_LAST_INPUT).then(|| seconds.saturating_add(later))
}

/// The items of the lists called `name`, without repeats, in the order of `rows`.
fn union(rows: &[&Raw], name: &str) -> Vec<Json> {
    let mut union: Vec<Json> = Vec::new();
    for item in rows
        .iter()
        .filter_map(|raw| raw.entry.get(name)?.as_array())
        .flatten()
    {
        if !union.contains(item) {
            union.push(item.clone());
        }
    }
    union
}

/// Whether two states of a row say the same but for the time they were written.
pub(super) fn says_the_same(a: &RawEntry, b: &RawEntry) -> bool {
    let same_input = match (last_input_at(a), last_input_at(b)) {
        (Some(a), Some(b)) => a.abs_diff(b) < SAME_MOMENT_MS,
        (a, b) => a == b,
    };
    same_input && a.eq_without(b, &["ts", "lastInputSeconds"])
}

/// The moment of the last input of an entry; before the epoch counts as the epoch.
pub(super) fn last_input_at(entry: &RawEntry) -> Option<u64> {
    let seconds = entry.integer("lastInputSeconds")?;
    Some(entry.ts()?.saturating_sub(seconds.saturating_mul(1_000)))
}
