//! How deltas change a mirror.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use super::Mirror;
use super::apply::Groups;
use super::keyed::{Keyed, Spot};
use super::row::{Raw, Row};
use crate::model::RawEntry;
use crate::wire::presence::Delta;

/// What became of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeltaOutcome {
    /// The mirror holds what the gateway holds.
    Applied,
    /// It is older than what the mirror holds.
    Old,
    /// Something is missing, or the digests disagree: ask for `presence.snapshot`.
    Gap,
}

impl Mirror {
    /// A delta arrived. After [`DeltaOutcome::Gap`] the mirror may hold anything until the next snapshot.
    pub fn apply_delta(&mut self, delta: Delta, now_ms: u64) -> DeltaOutcome {
        let most = self.most_listed();
        let Some(keyed) = self.keyed.as_mut().filter(|keyed| delta.from <= keyed.version) else {
            return DeltaOutcome::Gap;
        };
        // Touches alone come with from = to: nothing to catch up with, but news.
        let is_touch_only = delta.from == delta.to && keyed.version == delta.to;
        if keyed.version >= delta.to && !is_touch_only {
            return DeltaOutcome::Old;
        }
        let mut edits = Edits {
            keyed,
            rows: &self.rows,
            groups: Groups::new(),
        };
        if !is_touch_only {
            for key in &delta.removals {
                edits.remove(key);
            }
            for (key, entry) in delta.upserts {
                edits.upsert(&key, entry, most, now_ms);
            }
        }
        for (key, ts) in &delta.touched {
            edits.touch(key, *ts);
        }
        let Edits { keyed, groups, .. } = edits;
        keyed.version = delta.to;
        let stated = delta.digest.as_deref().filter(|_| keyed.digest.is_some());
        let agrees = stated.is_none_or(|stated| keyed.agrees_with(stated));
        for (key, raws) in groups {
            self.set(&key, raws.into_values().collect(), now_ms);
        }
        self.settle(now_ms);
        self.enforce_cap(now_ms);
        if agrees {
            DeltaOutcome::Applied
        } else {
            DeltaOutcome::Gap
        }
    }
}

/// The changes of a delta, collected so that each row is merged once.
struct Edits<'a> {
    keyed: &'a mut Keyed,
    /// The rows before the delta.
    rows: &'a BTreeMap<Arc<str>, Arc<Row>>,
    /// The changed groups, as they are after it.
    groups: Groups,
}

impl Edits<'_> {
    fn upsert(&mut self, wire_key: &str, entry: RawEntry, most: usize, now_ms: u64) {
        // A known row keeps its place in the list.
        let place = self.remove(wire_key);
        if place.is_some() || self.keyed.spots.len() < most {
            let (group, raw) = self.keyed.add(wire_key, place, entry, now_ms);
            self.group(group).insert(raw.place, raw);
        }
    }

    /// Removes one of the gateway's rows; returns its place.
    fn remove(&mut self, wire_key: &str) -> Option<u64> {
        let Spot { group, place } = self.keyed.spots.remove(wire_key)?;
        let removed = self.group(group).remove(&place)?;
        self.keyed.uncount(&removed);
        Some(place)
    }

    fn touch(&mut self, wire_key: &str, ts: u64) {
        if let Some(Spot { group, place }) = self.keyed.spots.get(wire_key).cloned()
            && let Some(raw) = self.group(group).get_mut(&place)
        {
            raw.touch(ts);
        }
    }

    fn group(&mut self, key: Arc<str>) -> &mut BTreeMap<u64, Raw> {
        let row = self.rows.get(&key);
        self.groups.entry(key).or_insert_with(|| {
            let mut raws = BTreeMap::new();
            for raw in row.into_iter().flat_map(|row| &row.raws) {
                raws.insert(raw.place, raw.clone());
            }
            raws
        })
    }
}
