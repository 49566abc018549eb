//! How rows get into a mirror and out of it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::group::{Namer, SELF_KEY, keyed_group};
use super::merge::{Merged, merge};
use super::row::{Raw, Row};
use super::{Keeper, MAX_ROWS, Mirror};
use crate::digest::Digest;
use crate::model::RawEntry;
use crate::wire::presence::{Delta, Snapshot};

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

/// What a mirror knows of a gateway that sends keys.
#[derive(Debug)]
pub(super) struct Keyed {
    /// The version that deltas start from.
    version: u64,
    /// The keys of the rows that the gateway's rows are merged into, by wire key.
    groups: BTreeMap<Arc<str>, Arc<str>>,
    /// The place of the next row that the gateway adds.
    next_place: u64,
    /// Of all rows, while it is compared: not if the gateway's own snapshot states none or disagrees, nor once
    /// the mirror dropped rows that the gateway may still have.
    digest: Option<Digest>,
}

impl Keyed {
    fn agrees_with(&self, stated: &str) -> bool {
        self.digest.is_some_and(|digest| digest.to_hex() == stated)
    }

    /// Counts a row in.
    fn count(&mut self, raw: &mut Raw) {
        if let (Some(digest), Some(key)) = (&mut self.digest, &raw.wire_key) {
            raw.digest = crate::digest::of_raw(key, &raw.entry);
            digest.add(raw.digest);
        }
    }

    /// Takes a row out.
    fn uncount(&mut self, raw: &Raw) {
        if let Some(digest) = &mut self.digest {
            digest.remove(raw.digest);
        }
    }
}

impl Mirror {
    /// A full list arrived: it replaces what was there.
    pub fn apply_list(&mut self, entries: Vec<RawEntry>, now_ms: u64) {
        let mut namer = Namer::default();
        let mut listed: BTreeMap<Arc<str>, Vec<Raw>> = BTreeMap::new();
        for (place, entry) in (0..).zip(entries.into_iter().take(self.most_listed())) {
            let group = listed.entry(namer.name(&entry).into()).or_default();
            group.push(Raw::new(place, entry, None, now_ms));
        }
        self.keyed = None;
        self.replace(listed, now_ms);
    }

    /// A keyed list arrived: it replaces what was there, and deltas start from its version.
    pub fn apply_snapshot(&mut self, snapshot: Snapshot, now_ms: u64) {
        let mut keyed = Keyed {
            version: snapshot.version,
            groups: BTreeMap::new(),
            next_place: 0,
            digest: snapshot.digest.as_ref().map(|_| Digest::default()),
        };
        let mut listed: BTreeMap<Arc<str>, Vec<Raw>> = BTreeMap::new();
        for (key, entry) in snapshot.rows.into_iter().take(self.most_listed()) {
            let mut raw = Raw::new(keyed.next_place, entry, Some((&*key).into()), now_ms);
            keyed.next_place += 1;
            keyed.count(&mut raw);
            listed
                .entry(keyed_group(&raw.entry, &key).into())
                .or_default()
                .push(raw);
        }
        // Before the mirror's own cap: the digest is of what the gateway lists.
        if !keyed.agrees_with(snapshot.digest.as_deref().unwrap_or("")) {
            keyed.digest = None;
        }
        self.keyed = Some(keyed);
        self.replace(listed, now_ms);
    }

    /// A delta arrived. After [`DeltaOutcome::Gap`] the mirror may hold anything until the next snapshot.
    pub fn apply_delta(&mut self, delta: Delta, now_ms: u64) -> DeltaOutcome {
        let Some(version) = self.version().filter(|&version| delta.from <= version) else {
            return DeltaOutcome::Gap;
        };
        // Touches alone come with from = to: nothing to catch up with, but news.
        let is_touch_only = delta.from == delta.to && version == delta.to;
        if version >= delta.to && !is_touch_only {
            return DeltaOutcome::Old;
        }
        if !is_touch_only {
            for key in &delta.removals {
                self.remove(key, now_ms);
            }
            for (key, entry) in delta.upserts {
                self.upsert(&key, entry, now_ms);
            }
        }
        for (key, ts) in &delta.touched {
            if let Some(group) = self.group_of(key) {
                let touch = |raws: &mut Vec<Raw>| {
                    let raw = raws.iter_mut().find(|raw| raw.wire_key.as_deref() == Some(key));
                    raw.into_iter().for_each(|raw| raw.touch(*ts));
                };
                self.edit(&group, now_ms, touch);
            }
        }
        let agrees = self.keyed.as_mut().is_none_or(|keyed| {
            keyed.version = delta.to;
            let stated = delta.digest.as_deref().filter(|_| keyed.digest.is_some());
            stated.is_none_or(|stated| keyed.agrees_with(stated))
        });
        self.settle(now_ms);
        self.enforce_cap(now_ms);
        if agrees {
            DeltaOutcome::Applied
        } else {
            DeltaOutcome::Gap
        }
    }

    /// The version that the next delta must start from; `None` if the gateway sends full lists.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.keyed.as_ref().map(|keyed| keyed.version)
    }

    /// The digest of the rows as the gateway sent them; of no rows unless it sends keys.
    #[must_use]
    pub fn digest(&self) -> Digest {
        if let Some(digest) = self.keyed.as_ref().and_then(|keyed| keyed.digest) {
            return digest;
        }
        let mut digest = Digest::default();
        for raw in self.rows.values().flat_map(|row| &row.raws) {
            if let Some(key) = &raw.wire_key {
                digest.add(crate::digest::of_raw(key, &raw.entry));
            }
        }
        digest
    }

    /// The gateway's `tick`: it lives, and its own row is as fresh as on any list it would send now.
    pub fn touch_self(&mut self, ts: u64, now_ms: u64) {
        if let Some(row) = self.rows.get(SELF_KEY).filter(|row| row.ts < ts) {
            let key = row.key.clone();
            self.edit(&key, now_ms, |raws| {
                raws.first_mut().into_iter().for_each(|raw| raw.touch(ts));
            });
        }
    }

    /// The gateway cannot be reached any more.
    pub fn handle_offline(&mut self, now_ms: u64) {
        if self.keeper == Keeper::Gateway {
            self.keep_by(Keeper::Lost);
        }
        self.settle(now_ms);
    }

    fn keep_by(&mut self, keeper: Keeper) {
        self.changes.note_offline(self.is_offline());
        self.keeper = keeper;
    }

    // ---- the gateway's rows -------------------------------------------------------------------

    fn most_listed(&self) -> usize {
        match self.keeper {
            Keeper::Mirror => MAX_ROWS,
            Keeper::Gateway | Keeper::Lost => self.config.max_rows.min(MAX_ROWS),
        }
    }

    /// Replaces all rows by those listed, which are by the keys of the rows they are merged into.
    fn replace(&mut self, listed: BTreeMap<Arc<str>, Vec<Raw>>, now_ms: u64) {
        if self.keeper == Keeper::Lost {
            self.keep_by(Keeper::Gateway);
        }
        self.listed_ms = Some(now_ms);
        let is_gone = |key: &&Arc<str>| !listed.contains_key(*key);
        let gone: Vec<Arc<str>> = self.rows.keys().filter(is_gone).cloned().collect();
        for key in &gone {
            self.set(key, Vec::new(), now_ms);
        }
        for (key, raws) in listed {
            for raw in &raws {
                if let (Some(keyed), Some(wire_key)) = (&mut self.keyed, &raw.wire_key) {
                    keyed.groups.insert(wire_key.clone(), key.clone());
                }
            }
            self.set(&key, raws, now_ms);
        }
        self.settle(now_ms);
        self.enforce_cap(now_ms);
    }

    fn group_of(&self, wire_key: &str) -> Option<Arc<str>> {
        self.keyed.as_ref()?.groups.get(wire_key).cloned()
    }

    fn upsert(&mut self, wire_key: &str, entry: RawEntry, now_ms: u64) {
        let most = self.most_listed();
        // A known row keeps its place in the list.
        let place = self.remove(wire_key, now_ms);
        let Some(keyed) = &mut self.keyed else { return };
        if place.is_none() && keyed.groups.len() >= most {
            return;
        }
        let place = place.unwrap_or_else(|| {
            keyed.next_place += 1;
            keyed.next_place - 1
        });
        let mut raw = Raw::new(place, entry, Some(wire_key.into()), now_ms);
        keyed.count(&mut raw);
        let group: Arc<str> = keyed_group(&raw.entry, wire_key).into();
        keyed.groups.insert(wire_key.into(), group.clone());
        self.edit(&group, now_ms, |raws| {
            let at = raws.partition_point(|other| other.place < place);
            raws.insert(at, raw);
        });
    }

    /// Forgets a row of the gateway's; returns its place.
    fn remove(&mut self, wire_key: &str, now_ms: u64) -> Option<u64> {
        let keyed = self.keyed.as_mut()?;
        let group = keyed.groups.remove(wire_key)?;
        let mut removed = None;
        self.edit(&group, now_ms, |raws| {
            let at = raws
                .iter()
                .position(|raw| raw.wire_key.as_deref() == Some(wire_key));
            removed = at.map(|at| raws.remove(at));
        });
        let removed = removed?;
        self.keyed.as_mut()?.uncount(&removed);
        Some(removed.place)
    }

    // ---- rows: all changes come through here ----------------------------------------------------

    /// Drops rows that the gateway may still have.
    pub(super) fn drop_rows(&mut self, keys: &[Arc<str>], now_ms: u64) {
        for key in keys {
            let wire_keys = self.rows.get(key).into_iter().flat_map(|row| &row.raws);
            if let Some(keyed) = &mut self.keyed {
                keyed.digest = None;
                for wire_key in wire_keys.filter_map(|raw| raw.wire_key.as_deref()) {
                    keyed.groups.remove(wire_key);
                }
            }
            self.set(key, Vec::new(), now_ms);
        }
    }

    /// Changes which of the gateway's rows a row is merged from.
    fn edit(&mut self, key: &Arc<str>, now_ms: u64, edit: impl FnOnce(&mut Vec<Raw>)) {
        let mut raws = self.rows.get(key).map_or_else(Vec::new, |row| row.raws.clone());
        edit(&mut raws);
        self.set(key, raws, now_ms);
    }

    /// Merges a row from these rows of the gateway's; removes it if there are none.
    fn set(&mut self, key: &Arc<str>, raws: Vec<Raw>, now_ms: u64) {
        let before = self.rows.get_mut(key);
        if let Some(row) = before
            && row.raws == raws
        {
            // They may stand elsewhere in the list.
            Arc::make_mut(row).raws = raws;
            return;
        }
        self.changes.note(key, self.rows.get(key));
        if raws.is_empty() {
            self.rows.remove(key);
            self.changes.forget_new(key);
            return;
        }
        let Merged {
            entry,
            ts,
            last_input_at_ms,
            has_left,
        } = merge(&raws);
        let age_ms = now_ms.saturating_sub(ts);
        let row = Row {
            key: key.clone(),
            raws,
            entry,
            ts,
            last_input_at_ms,
            has_left,
            status: self.config.thresholds.display_status(has_left, age_ms),
            stamp: self.next_stamp,
        };
        self.next_stamp += 1;
        self.rows.insert(key.clone(), Arc::new(row));
    }
}
