//! Merging of the rows of one instance (SPEC 3, "One row per instance").

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::raw::Raw;
use crate::model::RawEntry;
use crate::model::entry::MAX_SET;
use crate::model::json::{array_text, items};
use crate::model::raw_entry::Draft;
use crate::model::status::has_left;

/// Placeholder of newer mac apps for an unknown last input (reference 5.2).
const UNKNOWN_LAST_INPUT: u64 = 2_592_000;

/// The merged row.
pub(crate) struct Merged {
    pub(crate) entry: RawEntry,
    pub(crate) ts: u64,
    pub(crate) last_input_at_ms: Option<u64>,
    /// Whether each of the rows is `disconnect`.
    pub(crate) has_left: bool,
}

/// Merges rows, given in list order. `raws` is not empty.
///
/// Rows that are not `disconnect` come first, then the others fill missing members; within each group the
/// freshest comes first, ties in list order. A `disconnect` row gives no `reason` to a row that did not leave.
pub(crate) fn merge(raws: &[Arc<Raw>]) -> Merged {
    let ts = raws.iter().map(|raw| raw.ts).max().unwrap_or(0);
    let has_left = has_left(raws.iter().map(|raw| raw.entry.str("reason")));
    let order = in_order(raws, |raw| (raw.entry.is_disconnect(), u64::MAX - raw.ts));
    let input_seconds = last_input_seconds(&order, ts);
    let entry = match *order {
        [first, ref others @ ..] => {
            let mut merged = Draft::new(&first.entry);
            fill(&mut merged, others, has_left);
            merged.set_integer("ts", Some(ts));
            merged.set_integer("lastInputSeconds", input_seconds);
            if !others.is_empty() {
                unite(&mut merged, raws);
            }
            merged.finish()
        }
        [] => RawEntry::default(),
    };
    Merged {
        // Times before the epoch count as the epoch.
        last_input_at_ms: input_seconds.map(|seconds| ts.saturating_sub(seconds.saturating_mul(1_000))),
        entry,
        ts,
        has_left,
    }
}

/// The rows by `rank`, ties in list order. They are few, so an insertion sort suffices, which is less code.
fn in_order(raws: &[Arc<Raw>], rank: fn(&Raw) -> (bool, u64)) -> Vec<&Raw> {
    let mut order: Vec<&Raw> = Vec::with_capacity(raws.len());
    for raw in raws {
        let at = order.partition_point(|other| rank(other) <= rank(raw));
        order.insert(at, raw);
    }
    order
}

/// Takes missing members from the other rows.
fn fill<'a>(merged: &mut Draft<'a>, others: &[&'a Raw], has_left: bool) {
    for raw in others {
        let gives_reason = has_left || !raw.entry.is_disconnect();
        for (name, value) in raw.entry.members() {
            if (gives_reason || name != "reason") && value != "null" {
                merged.fill(name, value);
            }
        }
    }
}

/// Writes the members that are united over the rows that are not `disconnect`.
fn unite(merged: &mut Draft<'_>, raws: &[Arc<Raw>]) {
    let mut live = in_order(raws, |raw| (false, raw.ts));
    live.retain(|raw| !raw.entry.is_disconnect());
    if live.is_empty() {
        return;
    }
    let numbers = |name| live.iter().filter_map(move |raw| raw.entry.integer(name));
    merged.set_integer("onlineSince", numbers("onlineSince").min());
    merged.set_integer("lastActivityAt", numbers("lastActivityAt").max());
    for name in ["roles", "scopes"] {
        match union(&live, name) {
            Some(list) => merged.set(name, list.into()),
            None => merged.remove(name),
        }
    }
}

/// The last input of the first row in `order` that has one, counted back from `ts`.
fn last_input_seconds(order: &[&Raw], ts: u64) -> Option<u64> {
    let (raw, seconds) = order.iter().find_map(|raw| Some((raw, raw.input_seconds()?)))?;
    let later = ts.saturating_sub(raw.ts) / 1_000;
    (seconds != UNKNOWN_LAST_INPUT).then(|| seconds.saturating_add(later))
}

/// The first [`MAX_SET`] items of the lists called `name`, without repeats, in the order of `rows`; `None` if there
/// are none.
fn union(rows: &[&Raw], name: &str) -> Option<String> {
    let mut union: Vec<&str> = Vec::new();
    let lists = rows.iter().filter_map(|raw| items(raw.entry.get(name)?));
    for item in lists.flatten().map(RawValue::get) {
        if union.len() < MAX_SET && !union.contains(&item) {
            union.push(item);
        }
    }
    (!union.is_empty()).then(|| array_text(&mut union.into_iter().map(String::from)))
}
