//! How the rows of one instance become one (SPEC 3, "One row per instance").

use alloc::vec::Vec;

use super::{Raw, Row};
use crate::model::entry::TIME_MEMBERS;
use crate::model::json::Json;
use crate::model::raw_entry::RawEntry;
use crate::model::status::has_left;

/// What newer mac apps send instead of their last input: nobody knows it (reference 5.2).
const UNKNOWN_LAST_INPUT: u64 = 2_592_000;
/// Two reports of one moment in whole seconds differ by less than this, in ms.
const SAME_MOMENT_MS: u64 = 2_000;

/// What rows say together.
pub(super) struct Merged {
    pub(super) entry: RawEntry,
    pub(super) ts: u64,
    pub(super) last_input_at_ms: Option<u64>,
    /// Each of the rows is `disconnect`.
    pub(super) has_left: bool,
}

impl Merged {
    /// A row that is alone and needs no change.
    pub(super) fn alone(raw: &Raw) -> Option<Self> {
        raw.is_plain.then(|| Self {
            entry: raw.entry.clone(),
            ts: raw.ts,
            last_input_at_ms: raw.input_seconds.map(|seconds| input_at(raw.ts, seconds)),
            has_left: raw.entry.is_disconnect(),
        })
    }

    fn new(entry: RawEntry, ts: u64, has_left: bool) -> Self {
        let seconds = entry.integer("lastInputSeconds");
        Self {
            last_input_at_ms: seconds.map(|seconds| input_at(ts, seconds)),
            entry,
            ts,
            has_left,
        }
    }
}

/// When an entry is of, as its numbers say.
pub(super) struct Numbers {
    pub(super) ts: Option<u64>,
    pub(super) input_seconds: Option<u64>,
    /// Merged alone, the entry would be as it is.
    pub(super) are_plain: bool,
}

impl Numbers {
    pub(super) fn of(entry: &RawEntry) -> Self {
        let (ts, is_ts_plain) = entry.integer_as_written("ts");
        let (input_seconds, is_input_plain) = entry.integer_as_written("lastInputSeconds");
        let is_known = input_seconds != Some(UNKNOWN_LAST_INPUT);
        Self {
            ts,
            input_seconds,
            are_plain: ts.is_some() && is_ts_plain && is_input_plain && is_known,
        }
    }
}

/// Merges rows, given in list order. `raws` is not empty.
///
/// Rows that are not `disconnect` speak first, then the others fill what is still missing; in each
/// lot the freshest speaks first, ties in list order. A `disconnect` row gives no `reason` to a row that did not leave.
pub(super) fn merge(raws: &[&Raw]) -> Merged {
    let ts = raws.iter().map(|raw| raw.ts).max().unwrap_or(0);
    let order = in_order(raws, |raw| {
        (u64::from(raw.entry.is_disconnect()), u64::MAX - raw.ts)
    });
    let has_left = has_left(raws.iter().map(|raw| raw.entry.str("reason")));
    let mut merged = order.first().map(|raw| raw.entry.clone()).unwrap_or_default();
    for raw in order.iter().skip(1) {
        let gives_reason = has_left || !raw.entry.is_disconnect();
        for (name, value) in raw.entry.members() {
            let is_given = gives_reason || **name != *"reason";
            if is_given && merged.get(name).is_none() && *value != Json::Null {
                merged.set(name, value.clone());
            }
        }
    }
    merged.set_integer("ts", ts);
    set_or_remove(&mut merged, "lastInputSeconds", last_input_seconds(&order, ts));
    if raws.len() == 1 {
        return Merged::new(merged, ts, has_left);
    }
    let mut live = in_order(raws, |raw| (raw.ts, 0));
    live.retain(|raw| !raw.entry.is_disconnect());
    if !live.is_empty() {
        let since = live
            .iter()
            .filter_map(|raw| raw.entry.integer("onlineSince"))
            .min();
        set_or_remove(&mut merged, "onlineSince", since);
        let activity = live
            .iter()
            .filter_map(|raw| raw.entry.integer("lastActivityAt"))
            .max();
        set_or_remove(&mut merged, "lastActivityAt", activity);
        for name in ["roles", "scopes"] {
            let union = union(&live, name);
            if union.is_empty() {
                merged.remove(name);
            } else {
                merged.set(name, Json::Array(union));
            }
        }
    }
    Merged::new(merged, ts, has_left)
}

fn set_or_remove(entry: &mut RawEntry, name: &str, value: Option<u64>) {
    match value {
        Some(value) => entry.set_integer(name, value),
        None => entry.remove(name),
    }
}

/// The rows by `rank`, ties in list order.
fn in_order<'r>(raws: &[&'r Raw], rank: fn(&Raw) -> (u64, u64)) -> Vec<&'r Raw> {
    let mut order: Vec<&Raw> = Vec::with_capacity(raws.len());
    for &raw in raws {
        let at = order.partition_point(|other| rank(other) <= rank(raw));
        order.insert(at, raw);
    }
    order
}

/// The last input as the first row in `order` that reports one has it, counted back from `ts`.
fn last_input_seconds(order: &[&Raw], ts: u64) -> Option<u64> {
    let (raw, seconds) = order.iter().find_map(|raw| Some((raw, raw.input_seconds?)))?;
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

/// Whether a row says already what its merged rows say now, but for the time they were written.
pub(super) fn says_the_same(row: &Row, merged: &Merged) -> bool {
    let is_same = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => a.abs_diff(b) < SAME_MOMENT_MS,
        (a, b) => a == b,
    };
    let is_same_member = |name| is_same(row.entry.integer(name), merged.entry.integer(name));
    is_same(row.last_input_at_ms, merged.last_input_at_ms)
        && row.entry.eq_without(&merged.entry, &TIME_MEMBERS)
        && ["onlineSince", "lastActivityAt"].into_iter().all(is_same_member)
}

/// The moment of the last input; before the epoch counts as the epoch.
fn input_at(ts: u64, seconds: u64) -> u64 {
    ts.saturating_sub(seconds.saturating_mul(1_000))
}
