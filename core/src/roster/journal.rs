//! What changed since it was last told, and the digest of everything: for delta clients (SPEC 2.1).
//!
//! Costs nothing while nobody asked for deltas.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::{Removal, Roster, Row, RowId, Work, encode, stamp};
use crate::client::json::write_string;
use crate::digest::{Digest, of_entry};
use crate::key::RowKey;
use crate::time::Now;

/// A row is told as touched when pongs moved its `ts` by more than this, in ms (SPEC 2.1).
const TOUCH_TELL_MS: u64 = 30_000;

#[derive(Debug, Default)]
pub(super) struct Journal {
    is_on: bool,
    /// Rows that were written, each once.
    changed: Vec<RowId>,
    /// Keys that are gone, in order.
    removed: Vec<(RowKey, Removal)>,
    /// Rows whose `ts` moved far enough to be told, each once.
    touched: Vec<RowId>,
    /// Rows whose digest is not in `digest` yet.
    undigested: Vec<RowId>,
    /// Sum over the digests of all rows, self included.
    digest: Digest,
    /// When self's `ts` was last told.
    self_told_ms: u64,
    /// Self is to be told as a whole row.
    is_self_changed: bool,
}

/// What a row must remember for the journal.
#[derive(Debug, Default)]
pub(super) struct Noted {
    is_changed: bool,
    is_touched: bool,
    /// `ts`, on the age clock, as delta clients were last told.
    told_ms: u64,
    /// The row's part of the roster's digest; `None` while it is not in it.
    digest: Option<u64>,
}

impl Roster {
    /// Starts or ends keeping what [`encode_delta`](Self::encode_delta) tells. Starting takes one walk
    /// over all rows.
    pub fn track_changes(&mut self, is_on: bool, now: Now) {
        if self.journal.is_on == is_on {
            return;
        }
        self.settle(now);
        self.journal = Journal {
            is_on,
            self_told_ms: now.age_ms,
            ..Journal::default()
        };
        let offset_ms = self.offset_ms;
        for slot in self.table.slots() {
            let row = &mut self.table.slab[slot];
            row.noted = Noted {
                told_ms: row.written_ms,
                ..Noted::default()
            };
            if is_on {
                let digest = digest_of(row, offset_ms, &mut self.work);
                row.noted.digest = Some(digest);
                self.journal.digest.add(digest);
            }
        }
        if is_on {
            let own = digest_of(&mut self.self_row, offset_ms, &mut self.work);
            self.journal.digest.add(own);
        }
    }

    /// The digest of all rows now. Kept as rows change while changes are tracked, else one walk.
    pub fn digest(&mut self) -> Digest {
        let offset_ms = self.offset_ms;
        if !self.journal.is_on {
            let mut digest = Digest::default();
            digest.add(digest_of(&mut self.self_row, offset_ms, &mut self.work));
            for slot in self.table.slots() {
                digest.add(digest_of(&mut self.table.slab[slot], offset_ms, &mut self.work));
            }
            return digest;
        }
        for id in core::mem::take(&mut self.journal.undigested) {
            let Some(slot) = self.slot(id) else { continue };
            let row = &mut self.table.slab[slot];
            if row.noted.digest.is_none() {
                let digest = digest_of(row, offset_ms, &mut self.work);
                row.noted.digest = Some(digest);
                self.journal.digest.add(digest);
            }
        }
        self.journal.digest
    }

    /// The payload of `presence.delta` without its closing brace: everything since the last call.
    pub fn encode_delta(&mut self, from: u64, now: Now) -> String {
        self.settle(now);
        let digest = self.digest().to_hex();
        let mut text = String::new();
        let _ = write!(text, r#"{{"from":{from},"to":{},"upserts":["#, self.version);
        let changed = core::mem::take(&mut self.journal.changed);
        let (offset_ms, epoch) = (self.offset_ms, self.epoch);
        let mut separator = "";
        let mut push = |row: &mut Row, work: &mut Work| {
            text.push_str(separator);
            separator = ",";
            text.push_str(r#"{"key":"#);
            write_string(&mut text, &row.key.to_wire());
            text.push_str(r#","entry":"#);
            text.push_str(encode::encoded(row, offset_ms, epoch, work));
            text.push('}');
        };
        if core::mem::take(&mut self.journal.is_self_changed) {
            encode::renew_self(&mut self.self_row, now);
            self.journal.self_told_ms = now.age_ms;
            push(&mut self.self_row, &mut self.work);
        }
        for id in changed {
            let Some(slot) = self.slot(id) else { continue };
            let row = &mut self.table.slab[slot];
            row.noted.is_changed = false;
            row.noted.told_ms = row.written_ms;
            push(row, &mut self.work);
        }
        text.push_str(r#"],"removals":["#);
        let removed = core::mem::take(&mut self.journal.removed);
        // A key that was made anew since is among the upserts.
        let gone = removed
            .into_iter()
            .filter(|(key, _)| self.table.find(key).is_none());
        for (index, (key, why)) in gone.enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(r#"{"key":"#);
            write_string(&mut text, &key.to_wire());
            let _ = write!(text, r#","reason":"{}"}}"#, why.as_str());
        }
        text.push_str(r#"],"touched":["#);
        self.push_touched(&mut text, now);
        let _ = write!(text, r#"],"digest":"{digest}""#);
        text
    }

    fn push_touched(&mut self, text: &mut String, now: Now) {
        let offset_ms = self.offset_ms;
        let mut separator = "";
        if now.age_ms.saturating_sub(self.journal.self_told_ms) > TOUCH_TELL_MS {
            self.journal.self_told_ms = now.age_ms;
            let _ = write!(text, r#"["SELF",{}]"#, stamp(now.age_ms, offset_ms));
            separator = ",";
        }
        for id in core::mem::take(&mut self.journal.touched) {
            let Some(slot) = self.slot(id) else { continue };
            let row = &mut self.table.slab[slot];
            row.noted.is_touched = false;
            if row.noted.told_ms == row.written_ms {
                continue;
            }
            row.noted.told_ms = row.written_ms;
            text.push_str(separator);
            separator = ",";
            text.push('[');
            write_string(text, &row.key.to_wire());
            let _ = write!(text, ",{}]", stamp(row.written_ms, offset_ms));
        }
    }

    // ---- notes --------------------------------------------------------------------------------

    pub(super) fn note_change(&mut self, slot: u32) {
        if !self.journal.is_on {
            return;
        }
        let id = self.id(slot);
        let noted = &mut self.table.slab[slot].noted;
        if let Some(old) = noted.digest.take() {
            self.journal.digest.remove(old);
            self.journal.undigested.push(id);
        } else if !noted.is_changed {
            self.journal.undigested.push(id);
        }
        if !noted.is_changed {
            noted.is_changed = true;
            self.journal.changed.push(id);
        }
    }

    pub(super) fn note_touch(&mut self, slot: u32) {
        if !self.journal.is_on {
            return;
        }
        let id = self.id(slot);
        let row = &mut self.table.slab[slot];
        let moved_ms = row.written_ms.saturating_sub(row.noted.told_ms);
        if moved_ms > TOUCH_TELL_MS && !row.noted.is_changed && !row.noted.is_touched {
            row.noted.is_touched = true;
            self.journal.touched.push(id);
        }
    }

    pub(super) fn note_removal(&mut self, row: &Row, why: Removal) {
        if !self.journal.is_on {
            return;
        }
        if let Some(old) = row.noted.digest {
            self.journal.digest.remove(old);
        }
        self.journal.removed.push((row.key.clone(), why));
    }

    /// The row goes on under another key: its old one is gone.
    pub(super) fn note_rekey(&mut self, old_key: RowKey) {
        if self.journal.is_on {
            self.journal.removed.push((old_key, Removal::Replaced));
        }
    }

    /// Every `ts` shifted: all rows are told whole, for a touch would say that time passed since their
    /// last input. No digest changes: `ts` is not in it.
    pub(super) fn note_shift(&mut self) {
        if !self.journal.is_on {
            return;
        }
        self.journal.is_self_changed = true;
        for slot in self.table.slots() {
            let id = self.id(slot);
            let noted = &mut self.table.slab[slot].noted;
            if !noted.is_changed {
                noted.is_changed = true;
                self.journal.changed.push(id);
            }
        }
    }
}

impl Removal {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Replaced => "replaced",
        }
    }
}

fn digest_of(row: &mut Row, offset_ms: i64, work: &mut Work) -> u64 {
    work.rows_digested += 1;
    let key = row.key.to_wire();
    of_entry(&key, row.entry(offset_ms))
}
