//! How deltas change a mirror.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Mirror;
use crate::instance::{Raw, grouped};
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
        // The rows that it changes, as they were and as they are.
        let mut changed: Vec<Arc<Raw>> = Vec::new();
        if !is_touch_only {
            for key in &delta.removals {
                changed.extend(keyed.remove(key));
            }
            for (key, entry) in delta.upserts {
                let before = keyed.remove(&key);
                // A known row keeps its place in the list.
                let place = before.as_ref().map(|raw| raw.place);
                if place.is_some() || keyed.raws.len() < most {
                    changed.push(keyed.add(&key, place, entry, now_ms));
                }
                changed.extend(before);
            }
        }
        for (key, ts) in &delta.touched {
            changed.extend(keyed.touch(key, *ts));
        }
        keyed.version = delta.to;
        let stated = delta.digest.as_deref().filter(|_| keyed.digest.is_some());
        let agrees = stated.is_none_or(|stated| keyed.agrees_with(stated));
        for changed in grouped(changed).chunk_by(|a, b| a.group == b.group) {
            if let Some(first) = changed.first() {
                self.merge_again(&first.group, changed, now_ms);
            }
        }
        self.settle(now_ms);
        self.enforce_cap(now_ms);
        if agrees {
            DeltaOutcome::Applied
        } else {
            DeltaOutcome::Gap
        }
    }

    /// Merges a row from what is listed of its raw rows and of the `changed` ones.
    fn merge_again(&mut self, key: &Arc<str>, changed: &[Arc<Raw>], now_ms: u64) {
        let before = self.rows.get(key).into_iter().flat_map(|row| &row.raws);
        let listed = |raw: &Arc<Raw>| self.keyed.as_ref()?.raws.get(raw.wire_key.as_ref()?).cloned();
        let raws = before.chain(changed).filter_map(listed);
        let raws = grouped(raws.filter(|raw| raw.group == *key).collect());
        self.set(key, raws, now_ms);
    }
}
