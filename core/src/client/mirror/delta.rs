//! Deltas: the gateway sends what changed instead of the whole list (SPEC 2.1).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::Mirror;
use super::group::GroupKeys;
use crate::client::json::Json;
use crate::client::raw::RawEntry;

/// What became of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeltaOutcome {
    /// The mirror holds what the gateway holds.
    Applied,
    /// It is older than what the mirror holds.
    Old,
    /// Something is missing: ask for `presence.snapshot`.
    Gap,
}

impl Mirror {
    /// A keyed list arrived: `{presence, keys, version, digest}`, from a hello snapshot, a
    /// `presence.snapshot` event or the answer to that method. Returns whether it was one; if so, it
    /// replaces what was there, and deltas start from its version.
    pub fn apply_keyed(&mut self, snapshot: &Json, now_ms: u64) -> bool {
        let (Some(list), Some(keys), Some(version)) = (
            snapshot.get("presence").and_then(Json::as_array),
            snapshot.get("keys").and_then(Json::as_array),
            snapshot.get("version").and_then(Json::as_u64),
        ) else {
            return false;
        };
        let keyed: Vec<(Option<Box<str>>, RawEntry)> = keys
            .iter()
            .zip(list)
            .filter_map(|(key, entry)| Some((Some(Box::from(key.as_str()?)), RawEntry::new(entry)?)))
            .collect();
        if keyed.len() != list.len() || keys.len() != list.len() {
            return false;
        }
        self.version = Some(version);
        self.replace(keyed.into_iter(), now_ms);
        true
    }

    /// The payload of a `presence.delta` event arrived.
    ///
    /// A delta that cannot be read counts as a gap: the resync brings the mirror back in any case.
    pub fn apply_delta(&mut self, delta: &Json, now_ms: u64) -> DeltaOutcome {
        let (Some(version), Some(from), Some(to)) = (
            self.version,
            delta.get("from").and_then(Json::as_u64),
            delta.get("to").and_then(Json::as_u64),
        ) else {
            return DeltaOutcome::Gap;
        };
        if version < from {
            return DeltaOutcome::Gap;
        }
        // Touches alone come with from = to: nothing to catch up with, but news.
        let is_touch_only = from == to && version == to;
        if version >= to && !is_touch_only {
            return DeltaOutcome::Old;
        }
        let mut affected: BTreeSet<Box<str>> = BTreeSet::new();
        if !is_touch_only {
            for removal in items(delta, "removals") {
                if let Some(key) = removal.get("key").and_then(Json::as_str) {
                    self.drop_keyed(key, &mut affected);
                }
            }
            for upsert in items(delta, "upserts") {
                let key = upsert.get("key").and_then(Json::as_str);
                let entry = upsert.get("entry").and_then(RawEntry::new);
                let (Some(key), Some(entry)) = (key, entry) else {
                    return DeltaOutcome::Gap;
                };
                self.upsert(key, entry, now_ms, &mut affected);
            }
        }
        for touch in items(delta, "touched") {
            let Some([key, ts]) = touch.as_array() else {
                continue;
            };
            let place = key.as_str().and_then(|key| self.places.get(key)).copied();
            if let (Some(place), Some(ts)) = (place, ts.as_u64())
                && let Some(raw) = self.raws.get(&place)
            {
                affected.insert(raw.group.clone());
                self.touch(place, ts);
            }
        }
        for key in &affected {
            self.rebuild(key, now_ms);
        }
        self.version = Some(to);
        self.settle(now_ms);
        DeltaOutcome::Applied
    }

    /// The version that the next delta must start from; `None` if the gateway sends full lists.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// Whether the mirror's rows are those that `digest` is of.
    #[must_use]
    pub fn agrees_with(&self, digest: &str) -> bool {
        self.digest.to_hex() == digest
    }

    fn upsert(&mut self, key: &str, entry: RawEntry, now_ms: u64, affected: &mut BTreeSet<Box<str>>) {
        let group = GroupKeys::default().group_of(&entry, Some(key));
        affected.insert(group.clone());
        let Some(&place) = self.places.get(key) else {
            if self.raws.len() < self.config.max_rows {
                self.insert(entry, Some(key.into()), group, now_ms);
            }
            return;
        };
        // A known row keeps its place in the list.
        if let Some(old) = self.drop_raw(place) {
            self.leave(&old.group, place, affected);
        }
        let next_place = core::mem::replace(&mut self.next_place, place);
        self.insert(entry, Some(key.into()), group, now_ms);
        self.next_place = next_place;
    }

    fn drop_keyed(&mut self, key: &str, affected: &mut BTreeSet<Box<str>>) {
        let Some(&place) = self.places.get(key) else {
            return;
        };
        if let Some(raw) = self.drop_raw(place) {
            self.leave(&raw.group, place, affected);
        }
    }

    /// Takes a raw row out of the row it was merged into.
    fn leave(&mut self, group: &str, place: u64, affected: &mut BTreeSet<Box<str>>) {
        self.pending.note(group, self.rows.get(group));
        if let Some(row) = self.rows.get_mut(group) {
            row.members.retain(|&member| member != place);
        }
        affected.insert(group.into());
    }
}

fn items<'a>(delta: &'a Json, name: &str) -> &'a [Json] {
    delta.get(name).and_then(Json::as_array).unwrap_or_default()
}
