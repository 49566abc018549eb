//! The rows of all sources, and what those of one instance are together.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::SourceId;
use crate::digest::of_raw;
use crate::instance::{self, Raw, SELF_KEY};
use crate::model::RawEntry;
use crate::model::json::json_text;
use crate::model::raw_entry::Draft;

/// Where a row of a source comes in: rows of this gateway in the order they were made, then those of the others by name
/// and key. Decides between rows that are as fresh as each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// `None`: this gateway.
    source: Option<SourceId>,
    number: u64,
    key: Arc<str>,
}

impl Place {
    /// Of the row of this gateway with that number and wire key.
    pub(super) fn of_own(number: u64, key: Arc<str>) -> Self {
        let source = None;
        Self { source, number, key }
    }

    /// Of the row with that key of an observed gateway.
    pub(super) fn of_source(source: SourceId, key: Arc<str>) -> Self {
        Self {
            source: Some(source),
            number: 0,
            key,
        }
    }
}

/// Two last inputs that were rounded to seconds are the same if they differ by less than this, in ms.
const SAME_INPUT_MS: u64 = 2_000;

/// All rows, by the instance that they are of.
#[derive(Debug, Default)]
pub(super) struct Merged {
    groups: BTreeMap<Arc<str>, Group>,
    /// The group of each row of a source.
    group_of: BTreeMap<Place, Arc<str>>,
    /// Groups that changed since [`merge`](Self::merge).
    changed: BTreeSet<Arc<str>>,
    /// Counts what changed in the merged rows.
    revision: u64,
}

/// The rows of one instance.
#[derive(Debug, Default)]
struct Group {
    parts: BTreeMap<Place, Arc<Raw>>,
    row: Option<Row>,
}

/// One instance as readers see it.
#[derive(Debug)]
pub(super) struct Row {
    /// Its key on the wire.
    pub(super) key: Arc<str>,
    /// What standard clients are sent.
    pub(super) entry: RawEntry,
    /// What clients that take deltas are sent: it says in `gateway` where the row is from, unless this gateway has it.
    pub(super) keyed: RawEntry,
    pub(super) ts: u64,
    /// What it counts in the digest.
    pub(super) digest: u64,
    place: Place,
    is_self: bool,
}

impl Merged {
    /// Replaces a row of a source; `None`: it is gone.
    pub(super) fn set(&mut self, place: Place, raw: Option<Arc<Raw>>) {
        let old = match &raw {
            Some(raw) => self.group_of.insert(place.clone(), raw.group.clone()),
            None => self.group_of.remove(&place),
        };
        let is_elsewhere = |old: &Arc<str>| raw.as_ref().is_none_or(|raw| raw.group != *old);
        if let Some(old) = old.filter(is_elsewhere)
            && let Some(group) = self.groups.get_mut(&old)
        {
            group.parts.remove(&place);
            self.changed.insert(old);
        }
        if let Some(raw) = raw {
            self.changed.insert(raw.group.clone());
            let group = self.groups.entry(raw.group.clone()).or_default();
            group.parts.insert(place, raw);
        }
    }

    /// Brings the rows up to date; returns whether any says more than that it was heard of again. `names` are those of
    /// the sources.
    pub(super) fn merge(&mut self, names: &[&str]) -> bool {
        let mut is_news = false;
        for key in core::mem::take(&mut self.changed) {
            self.revision += 1;
            let Some(group) = self.groups.get_mut(&key) else {
                continue;
            };
            let row = group.merged(&key, names);
            is_news |= match (&group.row, &row) {
                (Some(old), Some(new)) => old.key != new.key || new.says_more_than(&old.keyed, old.ts),
                (old, new) => old.is_some() || new.is_some(),
            };
            group.row = row;
            if group.row.is_none() {
                self.groups.remove(&key);
            }
        }
        is_news
    }

    /// Whether nothing changed since the last [`merge`](Self::merge).
    pub(super) fn is_settled(&self) -> bool {
        self.changed.is_empty()
    }

    /// Counts what changed, as of the last [`merge`](Self::merge).
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The rows, in any order that is the same for the same rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.groups.values().filter_map(|group| group.row.as_ref())
    }

    /// The rows in list order: this gateway itself, then the freshest first, ties by their places.
    pub(super) fn list(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows().collect();
        rows.sort_by(|a, b| {
            let order = |row: &Row| (!row.is_self, u64::MAX - row.ts);
            order(a).cmp(&order(b)).then_with(|| a.place.cmp(&b.place))
        });
        rows
    }
}

impl Row {
    /// Whether it says more than that it was heard of again, since its entry was `before` with that `ts`.
    pub(super) fn says_more_than(&self, before: &RawEntry, ts: u64) -> bool {
        if *before == self.keyed {
            return false;
        }
        let input = |entry: &RawEntry, ts: u64| {
            let seconds = entry.integer("lastInputSeconds")?;
            Some(ts.saturating_sub(seconds.saturating_mul(1_000)))
        };
        let is_same_input = match (input(before, ts), input(&self.keyed, self.ts)) {
            (Some(a), Some(b)) => a.abs_diff(b) < SAME_INPUT_MS,
            (a, b) => a == b,
        };
        self.ts < ts || !is_same_input || !before.eq_without(&self.keyed, &["ts", "lastInputSeconds"])
    }
}

impl Group {
    fn merged(&self, group: &str, names: &[&str]) -> Option<Row> {
        let (place, _) = self.parts.first_key_value()?;
        let raws: Vec<Arc<Raw>> = self.parts.values().cloned().collect();
        let merged = instance::merge(&raws);
        let (key, keyed) = match place.source {
            None => (place.key.clone(), merged.entry.clone()),
            Some(first) => {
                let name = |id: SourceId| names.get(usize::from(id.0)).copied().unwrap_or_default();
                let freshest = self.parts.iter().max_by(|a, b| {
                    let live = |raw: &Raw| (!raw.entry.is_disconnect(), raw.ts);
                    // Of two as fresh as each other the first counts.
                    live(a.1).cmp(&live(b.1)).then_with(|| b.0.cmp(a.0))
                });
                let via = freshest.and_then(|(place, _)| place.source).unwrap_or(first);
                let mut draft = Draft::new(&merged.entry);
                draft.set("gateway", Cow::Owned(json_text(name(via))));
                let key = super::wire_key(name(first), &place.key);
                (key.into(), draft.finish())
            }
        };
        Some(Row {
            digest: of_raw(&key, &keyed),
            key,
            entry: merged.entry,
            keyed,
            ts: merged.ts,
            place: place.clone(),
            is_self: group == SELF_KEY,
        })
    }
}
