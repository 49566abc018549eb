//! The payload of `presence.delta`: the log of changes as JSON text (SPEC 2.1).

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::take;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::json::json_text;
use crate::model::key::RowKey;
use crate::model::time::Now;
use crate::roster::change_log::{Changes, Pending};
use crate::roster::{Removal, Roster, RowId};

impl Roster {
    /// Starts or ends the tracking of changes for [`encode_delta`](Self::encode_delta). Starting takes one
    /// walk over all rows.
    pub fn track_changes(&mut self, is_on: bool, now: Now) {
        if self.log.pending.is_some() == is_on {
            return;
        }
        self.settle(now);
        self.log.pending = None;
        if is_on {
            let own = self.digest_of_self();
            let ids: Vec<RowId> = self.store.ids().collect();
            let known = ids
                .into_iter()
                .map(|id| (id, self.store[id].written_ms, self.digest_of(id)));
            self.log.pending = Some(Box::new(Pending::new(known, own, now.age_ms)));
        }
    }

    /// Whether so many keys were removed since the last delta that a snapshot has to replace the next one.
    #[must_use]
    pub fn is_beyond_deltas(&self) -> bool {
        self.log.pending.as_ref().is_some_and(|pending| pending.is_over)
    }

    /// The payload of `presence.delta`: all changes since the last call. Rows that were added and removed since the
    /// last delta or snapshot are left out. Empty while changes are not tracked.
    pub fn encode_delta(&mut self, from: u64, now: Now) -> String {
        self.settle(now);
        if let Some(pending) = &mut self.log.pending {
            for user in take(&mut pending.users) {
                self.people.rows(&user).for_each(|id| pending.moments(id));
            }
        }
        let digest = self.digest().to_hex();
        let pending = self.log.pending.as_deref_mut();
        let changes = pending.map_or_else(Changes::default, |pending| {
            pending.take(now.age_ms, |id| self.store[id].written_ms)
        });
        let own_key = RowKey::SelfRow.to_wire();
        let own_entry = changes.is_self_changed.then(|| self.encode_self(now));
        for &id in &changes.changed {
            self.encoder().0.row(id);
        }
        let own_entry = own_entry.as_deref().map(|entry| (own_key.clone(), entry));
        let own_ts = changes
            .is_self_touched
            .then(|| (own_key, self.clock.wall_ms(now.age_ms)));
        let changed = changes.changed.iter().map(|&id| &self.store[id]);
        let changed = changed.map(|row| (row.key.to_wire(), &*row.encoded.text));
        let touched = changes.touched.iter().map(|&id| &self.store[id]);
        let touched = touched.map(|row| (row.key.to_wire(), self.clock.wall_ms(row.written_ms)));
        let upserts = own_entry.into_iter().chain(changed);
        json_text(&Delta {
            from,
            to: self.version(),
            upserts: upserts.map(|(key, entry)| Upsert { key, entry }).collect(),
            removals: self.removals_in(&changes.removed),
            touched: own_ts.into_iter().chain(touched).collect(),
            digest,
        })
    }

    /// The keys of rows that were removed since the last call, with reasons; empty while changes are not tracked.
    pub(crate) fn take_removals(&mut self, now: Now) -> Vec<(RowKey, Removal)> {
        self.settle(now);
        let pending = self.log.pending.as_deref_mut();
        let changes = pending.map(|pending| pending.take(now.age_ms, |id| self.store[id].written_ms));
        changes.map(|changes| changes.removed).unwrap_or_default()
    }

    /// A key that exists again is among the upserts; for one that was removed twice the last reason counts.
    fn removals_in(&self, removed: &[(RowKey, Removal)]) -> Vec<Removed> {
        let mut listed: BTreeSet<&RowKey> = BTreeSet::new();
        let gone = removed.iter().rev();
        let gone = gone.filter(|(key, _)| self.store.find(key).is_none() && listed.insert(key));
        let mut removals: Vec<Removed> = gone
            .map(|(key, why)| Removed {
                key: key.to_wire(),
                reason: why.as_str(),
            })
            .collect();
        removals.reverse();
        removals
    }
}

/// The payload of `presence.delta` (SPEC 2.1).
#[derive(Serialize)]
struct Delta<'a> {
    from: u64,
    to: u64,
    upserts: Vec<Upsert<'a>>,
    removals: Vec<Removed>,
    touched: Vec<(String, u64)>,
    digest: String,
}

#[derive(Serialize)]
struct Upsert<'a> {
    key: String,
    entry: &'a RawValue,
}

#[derive(Serialize)]
struct Removed {
    key: String,
    reason: &'static str,
}
