//! Changes of the mirror's rows.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::keyed::Keyed;
use super::row::Row;
use super::{MAX_ROWS, Mirror, RemovalRule};
use crate::digest::Digest;
use crate::instance::{Merged, Namer, Raw, SELF_KEY, grouped, merge};
use crate::model::RawEntry;
use crate::wire::presence::Snapshot;

impl Mirror {
    /// Replaces all rows by those of a full list.
    pub fn apply_list(&mut self, entries: Vec<RawEntry>, now_ms: u64) {
        let mut namer = Namer::default();
        let raw = |(place, entry)| Arc::new(Raw::new(namer.name(&entry), place, entry, None, now_ms));
        let entries = entries.into_iter().take(self.most_listed());
        let raws = (0..).zip(entries).map(raw).collect();
        self.keyed = None;
        self.replace(raws, now_ms);
    }

    /// Replaces all rows by those of a keyed list; deltas start from its version.
    pub fn apply_snapshot(&mut self, snapshot: Snapshot, now_ms: u64) {
        let mut keyed = Keyed {
            version: snapshot.version,
            raws: BTreeMap::new(),
            next_place: 0,
            digest: snapshot.digest.as_ref().map(|_| Digest::default()),
        };
        for (key, entry) in snapshot.rows.into_iter().take(self.most_listed()) {
            // Keys are unique: a row with a repeated key is dropped.
            if !keyed.raws.contains_key(&*key) {
                keyed.add(&key, None, entry, now_ms);
            }
        }
        // Checked before the mirror's own cap applies, because the digest covers the gateway's whole list.
        if !keyed.agrees_with(snapshot.digest.as_deref().unwrap_or("")) {
            keyed.digest = None;
        }
        let raws = keyed.raws.values().cloned().collect();
        self.keyed = Some(keyed);
        self.replace(raws, now_ms);
    }

    /// Returns the version that the next delta must start from; `None` if the gateway sends full lists.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.keyed.as_ref().map(|keyed| keyed.version)
    }

    /// Returns the digest of the rows as the gateway sent them; that of an empty list unless it sends keys.
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

    /// Handles the gateway's `tick`: refreshes its own row, as any list at this time would.
    pub fn touch_self(&mut self, ts: u64, now_ms: u64) {
        if let Some(row) = self.rows.get(SELF_KEY).filter(|row| row.ts < ts) {
            let (key, mut raws) = (row.key.clone(), row.raws.clone());
            for raw in &mut raws {
                Arc::make_mut(raw).touch(ts);
                if let (Some(keyed), Some(wire_key)) = (&mut self.keyed, &raw.wire_key) {
                    keyed.raws.insert(wire_key.clone(), raw.clone());
                }
            }
            self.set(&key, raws, now_ms);
        }
    }

    /// Handles the loss of the gateway.
    pub fn handle_offline(&mut self, now_ms: u64) {
        if self.removal_rule == RemovalRule::Gateway {
            self.set_removal_rule(RemovalRule::Lost);
        }
        self.settle(now_ms);
    }

    fn set_removal_rule(&mut self, removal_rule: RemovalRule) {
        self.changes.note_offline(self.is_offline());
        self.removal_rule = removal_rule;
        self.settled = 0..0;
    }

    // ---- the gateway's rows -------------------------------------------------------------------

    pub(super) fn most_listed(&self) -> usize {
        match self.removal_rule {
            RemovalRule::Mirror => MAX_ROWS,
            RemovalRule::Gateway | RemovalRule::Lost => self.config.max_rows.min(MAX_ROWS),
        }
    }

    /// Replaces all rows by those merged from `raws`.
    fn replace(&mut self, raws: Vec<Arc<Raw>>, now_ms: u64) {
        if self.removal_rule == RemovalRule::Lost {
            self.set_removal_rule(RemovalRule::Gateway);
        }
        self.listed_ms = Some(now_ms);
        let raws = grouped(raws);
        // Both are sorted.
        let mut listed = raws.iter().map(|raw| &raw.group).peekable();
        let mut is_gone = |key: &&Arc<str>| {
            while listed.next_if(|group| group < key).is_some() {}
            listed.peek() != Some(key)
        };
        let gone: Vec<Arc<str>> = self.rows.keys().filter(&mut is_gone).cloned().collect();
        for key in &gone {
            self.set(key, Vec::new(), now_ms);
        }
        for group in raws.chunk_by(|a, b| a.group == b.group) {
            if let Some(first) = group.first() {
                self.set(&first.group, group.into(), now_ms);
            }
        }
        // All rows are new.
        self.settled = 0..0;
        self.settle(now_ms);
        self.enforce_cap(now_ms);
    }

    // ---- rows: all changes go through these ------------------------------------------------------

    /// Drops rows that the gateway may still have.
    pub(super) fn drop_rows(&mut self, keys: &[Arc<str>], now_ms: u64) {
        for key in keys {
            let wire_keys = self.rows.get(key).into_iter().flat_map(|row| &row.raws);
            if let Some(keyed) = &mut self.keyed {
                keyed.digest = None;
                for wire_key in wire_keys.filter_map(|raw| raw.wire_key.as_deref()) {
                    keyed.raws.remove(wire_key);
                }
            }
            self.set(key, Vec::new(), now_ms);
        }
    }

    /// Merges a row from these rows of the gateway; removes it if there are none.
    pub(super) fn set(&mut self, key: &Arc<str>, raws: Vec<Arc<Raw>>, now_ms: u64) {
        let mut before = self.rows.get_mut(key);
        if let Some(row) = &mut before
            && row.raws == raws
        {
            // Their positions in the list may have changed.
            if row
                .raws
                .iter()
                .map(|raw| raw.place)
                .ne(raws.iter().map(|raw| raw.place))
            {
                self.changes.note(key, Some(&**row));
            }
            // Their keys on the wire may have changed, too.
            Arc::make_mut(row).raws = raws;
            return;
        }
        self.changes.note(key, before.as_deref());
        if raws.is_empty() {
            self.rows.remove(key);
            self.changes.record_removal(key);
            return;
        }
        #[cfg(test)]
        {
            self.merges += 1;
        }
        let Merged {
            entry,
            ts,
            last_input_at_ms,
            has_left,
        } = merge(&raws);
        let age_ms = now_ms.saturating_sub(ts);
        let row = Arc::new(Row {
            key: key.clone(),
            raws,
            entry,
            ts,
            last_input_at_ms,
            has_left,
            status: self.config.thresholds.display_status(has_left, age_ms),
        });
        if let Some(before) = before {
            *before = row.clone();
        } else {
            self.rows.insert(key.clone(), row.clone());
        }
        self.narrow(&row, now_ms);
    }
}
