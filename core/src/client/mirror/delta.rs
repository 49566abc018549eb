//! Applies deltas to a mirror.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Mirror;
use crate::instance::{Raw, grouped};
use crate::wire::presence::Delta;

/// The result of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeltaOutcome {
    /// The mirror is equal to the gateway's roster.
    Applied,
    /// The delta is older than the mirror.
    Old,
    /// A delta is missing, or the digests differ: request `presence.snapshot`.
    Gap,
}

impl Mirror {
    /// Applies a delta. After [`DeltaOutcome::Gap`] the mirror is undefined until the next snapshot.
    pub fn apply_delta(&mut self, delta: Delta, now_ms: u64) -> DeltaOutcome {
        let most = self.most_listed();
        let Some(keyed) = self.keyed.as_mut().filter(|keyed| delta.from <= keyed.version) else {
            return DeltaOutcome::Gap;
        };
        // Deltas with only touches have from = to: the version is equal, but they apply.
        let is_touch_only = delta.from == delta.to && keyed.version == delta.to;
        if keyed.version >= delta.to && !is_touch_only {
            return DeltaOutcome::Old;
        }
        // The changed rows, before and after.
        let mut changed: Vec<Arc<Raw>> = Vec::new();
        if !is_touch_only {
            for key in &delta.removals {
                changed.extend(keyed.remove(key));
            }
            for (key, entry) in delta.upserts {
                let before = keyed.remove(&key);
                // A known row keeps its position in the list.
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

    /// Merges a row from its listed raw rows and the `changed` ones.
    fn merge_again(&mut self, key: &Arc<str>, changed: &[Arc<Raw>], now_ms: u64) {
        let before = self.rows.get(key).into_iter().flat_map(|row| &row.raws);
        let listed = |raw: &Arc<Raw>| self.keyed.as_ref()?.raws.get(raw.wire_key.as_ref()?).cloned();
        let raws = before.chain(changed).filter_map(listed);
        let raws = grouped(raws.filter(|raw| raw.group == *key).collect());
        self.set(key, raws, now_ms);
    }
}
