//! Changes that are not sent to delta clients yet.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::mem::take;

use slotmap::SecondaryMap;

use super::Removal;
use crate::digest::Digest;
use crate::model::key::RowKey;
use crate::roster::store::{Queue, RowId};

/// A row is sent as touched when pongs moved its `ts` by more than this, in ms (SPEC 2.1).
pub(crate) const TOUCH_TELL_MS: u64 = 30_000;

/// Most removed keys of a delta to a list of `rows` rows; with more, a snapshot replaces it (SPEC 2.1).
pub(crate) const fn max_removed(rows: usize) -> usize {
    2 * rows + 64
}

/// The contents of a delta.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Whether self is sent as a whole row.
    pub(crate) is_self_changed: bool,
    /// Whether self's `ts` moved far enough to be sent.
    pub(crate) is_self_touched: bool,
    /// Rows that are sent whole, in the order of their first change.
    pub(crate) changed: Queue,
    /// Keys that are gone, in order. Some may be there again, or may have gone twice.
    pub(crate) removed: Vec<(RowKey, Removal)>,
    /// Rows whose `ts` moved far enough to be sent.
    pub(crate) touched: Queue,
}

/// The state of a row for delta clients.
#[derive(Clone, Copy, Debug, Default)]
struct Note {
    /// `ts`, on the age clock, as delta clients were last sent it.
    sent_ms: u64,
    /// The row's part of the digest; `None` while it is not in it.
    digest: Option<u64>,
    /// Value of `tellings` when the row got its key.
    keyed_after: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// Counts deltas and snapshots: no client has a key that was added since the last one.
    pub(super) tellings: u64,
    /// Whether more keys were removed than are kept.
    pub(crate) is_over: bool,
    pub(super) is_self_changed: bool,
    /// Users whose rows all changed.
    pub(crate) users: BTreeSet<Box<str>>,
    notes: SecondaryMap<RowId, Note>,
    changed: Queue,
    touched: Queue,
    pub(super) removed: Vec<(RowKey, Removal)>,
    /// Rows whose digest is not in `digest` yet.
    undigested: Queue,
    /// Sum over the digests of all rows, self included.
    digest: Digest,
    /// When self's `ts` was last sent.
    self_sent_ms: u64,
}

impl Pending {
    /// `rows` are those of a snapshot, with the `ts` that they show and their digests; `own` is the digest
    /// of self.
    pub(crate) fn new(rows: impl Iterator<Item = (RowId, u64, u64)>, own: u64, now_ms: u64) -> Self {
        let mut pending = Self {
            tellings: 1,
            is_over: false,
            is_self_changed: false,
            users: BTreeSet::new(),
            notes: SecondaryMap::new(),
            changed: Queue::default(),
            touched: Queue::default(),
            removed: Vec::new(),
            undigested: Queue::default(),
            digest: Digest::default(),
            self_sent_ms: now_ms,
        };
        pending.digest.add(own);
        for (id, sent_ms, digest) in rows {
            pending.digest.add(digest);
            let note = Note {
                sent_ms,
                digest: Some(digest),
                keyed_after: 0,
            };
            pending.notes.insert(id, note);
        }
        pending
    }

    pub(super) fn changed(&mut self, id: RowId) {
        if let Some(old) = self.notes.get_mut(id).and_then(|note| note.digest.take()) {
            self.digest.remove(old);
        }
        self.undigested.insert(id);
        self.moments(id);
    }

    /// Logs a change of the row's times, which are not part of its digest.
    pub(crate) fn moments(&mut self, id: RowId) {
        // Inserting it again would move it to the end.
        if !self.changed.contains(&id) {
            self.changed.insert(id);
            self.touched.remove(&id);
        }
    }

    pub(super) fn touched(&mut self, id: RowId, written_ms: u64) {
        let sent_ms = self.notes.get(id).map_or(0, |note| note.sent_ms);
        let is_far = written_ms.saturating_sub(sent_ms) > TOUCH_TELL_MS;
        if is_far && !self.changed.contains(&id) && !self.touched.contains(&id) {
            self.touched.insert(id);
        }
    }

    pub(super) fn keyed(&mut self, id: RowId) {
        let keyed_after = self.tellings;
        match self.notes.get_mut(id) {
            Some(note) => note.keyed_after = keyed_after,
            None => {
                let note = Note {
                    keyed_after,
                    ..Note::default()
                };
                self.notes.insert(id, note);
            }
        }
    }

    pub(super) fn rekeyed(&mut self, id: RowId, old_key: RowKey, rows: usize) {
        if self.is_key_known(id) {
            self.key_gone(old_key, Removal::Replaced, rows);
        }
        self.keyed(id);
    }

    pub(super) fn removed(&mut self, id: RowId, key: &RowKey, why: Removal, rows: usize) {
        if self.is_key_known(id) {
            self.key_gone(key.clone(), why, rows);
        }
        if let Some(old) = self.notes.remove(id).and_then(|note| note.digest) {
            self.digest.remove(old);
        }
        for queue in [&mut self.changed, &mut self.touched, &mut self.undigested] {
            queue.remove(&id);
        }
    }

    #[cfg(test)]
    pub(super) fn queues(&self) -> [&Queue; 3] {
        [&self.changed, &self.touched, &self.undigested]
    }

    fn is_key_known(&self, id: RowId) -> bool {
        self.notes
            .get(id)
            .is_some_and(|note| note.keyed_after < self.tellings)
    }

    /// Logs a removed key. Each snapshot makes the current keys known, so their number needs a bound.
    fn key_gone(&mut self, key: RowKey, why: Removal, rows: usize) {
        if self.removed.len() >= max_removed(rows) {
            self.removed.clear();
            self.is_over = true;
        }
        if !self.is_over {
            self.removed.push((key, why));
        }
    }

    /// Takes the changes since the last call; `written_ms` returns the `ts` that a row shows.
    pub(crate) fn take(&mut self, now_ms: u64, written_ms: impl Fn(RowId) -> u64) -> Changes {
        self.tellings += 1;
        self.is_over = false;
        let is_self_changed = take(&mut self.is_self_changed);
        let is_far = now_ms.saturating_sub(self.self_sent_ms) > TOUCH_TELL_MS;
        if is_self_changed || is_far {
            self.self_sent_ms = now_ms;
        }
        for &id in self.changed.iter().chain(&self.touched) {
            if let Some(note) = self.notes.get_mut(id) {
                note.sent_ms = written_ms(id);
            }
        }
        Changes {
            is_self_changed,
            is_self_touched: is_far && !is_self_changed,
            changed: take(&mut self.changed),
            removed: take(&mut self.removed),
            touched: take(&mut self.touched),
        }
    }

    pub(super) fn digest(&mut self, mut digest_of: impl FnMut(RowId) -> u64) -> Digest {
        for id in take(&mut self.undigested) {
            let digest = digest_of(id);
            self.digest.add(digest);
            if let Some(note) = self.notes.get_mut(id) {
                note.digest = Some(digest);
            }
        }
        self.digest
    }
}
