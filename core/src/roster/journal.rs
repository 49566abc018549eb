//! What changed since it was last told, and the digest of everything: for delta clients (SPEC 2.1).
//!
//! Costs nothing while nobody asked for deltas.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::people::Siblings;
use super::{Removal, Roster, Row, RowId, Work, encode, stamp};
use crate::digest::{Digest, of_entry};
use crate::model::json::write_string;
use crate::model::key::RowKey;
use crate::model::time::Now;

/// A row is told as touched when pongs moved its `ts` by more than this, in ms (SPEC 2.1).
const TOUCH_TELL_MS: u64 = 30_000;

/// What the lists of the journal may hold beyond what the rows explain.
const SLACK: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Journal {
    is_on: bool,
    /// Counts deltas and snapshots: a key that came since the last one is known to nobody.
    tellings: u64,
    /// More keys were removed than `removed` may hold: only a snapshot tells everything.
    is_over: bool,
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
    /// Users whose rows all show something else.
    people: BTreeSet<Box<str>>,
}

impl Journal {
    /// The other rows of a user show something else.
    pub(super) fn note_siblings(&mut self, user: &str, siblings: Siblings) {
        if !self.is_on {
            return;
        }
        if siblings.are_gone {
            self.people.remove(user);
        } else if siblings.has_new_stay {
            self.people.insert(user.into());
        }
    }
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
    /// Number of tellings before the row got its key.
    keyed_after: u64,
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
            // The rows that are there are known from a snapshot.
            tellings: 1,
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

    /// Whether more keys were removed since the last delta than one tells: send a snapshot in its place.
    #[must_use]
    pub fn is_beyond_deltas(&self) -> bool {
        self.journal.is_over
    }

    /// A snapshot is given out: its rows are known from now on.
    pub(super) fn note_telling(&mut self) {
        self.journal.tellings += 1;
    }

    /// The payload of `presence.delta` without its closing brace: everything since the last call. Rows that came
    /// and went since the last delta or snapshot are not in it.
    pub fn encode_delta(&mut self, from: u64, now: Now) -> String {
        self.settle(now);
        self.note_people();
        let digest = self.digest().to_hex();
        self.note_telling();
        self.journal.is_over = false;
        let mut text = String::new();
        let _ = write!(text, r#"{{"from":{from},"to":{},"upserts":["#, self.version);
        let changed = core::mem::take(&mut self.journal.changed);
        let (offset_ms, epoch) = (self.offset_ms, self.epoch);
        let mut separator = "";
        let people = &self.people;
        let mut push = |row: &mut Row, work: &mut Work| {
            let shared = people.shared(row);
            text.push_str(separator);
            separator = ",";
            text.push_str(r#"{"key":"#);
            write_string(&mut text, &row.key.to_wire());
            text.push_str(r#","entry":"#);
            text.push_str(encode::encoded(row, offset_ms, epoch, shared, work));
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
        // A key that was made anew since is among the upserts; of one that went twice the last reason counts.
        let mut listed: BTreeSet<&RowKey> = BTreeSet::new();
        let mut gone: Vec<&(RowKey, Removal)> = removed
            .iter()
            .rev()
            .filter(|(key, _)| self.table.find(key).is_none() && listed.insert(key))
            .collect();
        gone.reverse();
        for (index, (key, why)) in gone.into_iter().enumerate() {
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
        self.drop_stale_notes();
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

    /// The last input of these rows, and of all rows of these users, is another.
    pub(super) fn note_inputs(&mut self, rows: BTreeSet<u32>, people: BTreeSet<Box<str>>) {
        if self.journal.is_on {
            for slot in rows {
                self.note_moments(slot);
            }
            self.journal.people.extend(people);
        }
    }

    /// Notes the rows of users that show something else.
    fn note_people(&mut self) {
        for user in core::mem::take(&mut self.journal.people) {
            let slots: Vec<u32> = self.people.rows(&user).collect();
            for slot in slots {
                self.note_moments(slot);
            }
        }
    }

    /// The row shows other moments. They are not in its digest.
    fn note_moments(&mut self, slot: u32) {
        let id = self.id(slot);
        let noted = &mut self.table.slab[slot].noted;
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
        if row.noted.keyed_after < self.journal.tellings {
            self.note_key_gone(row.key.clone(), why);
        }
    }

    /// The row got its key just now.
    pub(super) fn note_key(&mut self, slot: u32) {
        self.table.slab[slot].noted.keyed_after = self.journal.tellings;
    }

    fn note_key_gone(&mut self, key: RowKey, why: Removal) {
        let removed = &mut self.journal.removed;
        if removed.len() >= 2 * self.table.len() + SLACK {
            removed.clear();
            self.journal.is_over = true;
        }
        if !self.journal.is_over {
            removed.push((key, why));
        }
    }

    /// Keeps the notes of rows that are gone from growing without bound: each list holds at most twice as many
    /// as there are rows.
    fn drop_stale_notes(&mut self) {
        let most = 2 * self.table.len() + SLACK;
        let table = &self.table;
        let journal = &mut self.journal;
        for notes in [
            &mut journal.changed,
            &mut journal.touched,
            &mut journal.undigested,
        ] {
            if notes.len() >= most {
                notes.retain(|id| table.alive(id.slot, id.serial));
            }
        }
    }

    /// The row goes on under another key: its old one is gone.
    pub(super) fn note_rekey(&mut self, slot: u32, old_key: RowKey) {
        if self.journal.is_on && self.table.slab[slot].noted.keyed_after < self.journal.tellings {
            self.note_key_gone(old_key, Removal::Replaced);
        }
        self.note_key(slot);
    }

    /// Every `ts` shifted: all rows are told whole, for a touch would say that time passed since their
    /// last input. No digest changes: `ts` is not in it.
    pub(super) fn note_shift(&mut self) {
        if !self.journal.is_on {
            return;
        }
        self.journal.is_self_changed = true;
        for slot in self.table.slots() {
            self.note_moments(slot);
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
    of_entry(&key, row.entry(offset_ms, None))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::PresenceEntry;
    use crate::model::beacon::Beacon;
    use crate::roster::{Holder, RosterConfig};

    const START: Now = Now {
        age_ms: 1_000,
        wall_ms: 1_800_000_000_000,
    };

    fn roster() -> Roster {
        let config = RosterConfig {
            max_entries: 10,
            ..RosterConfig::default()
        };
        let mut roster = Roster::new(config, PresenceEntry::default(), START);
        roster.track_changes(true, START);
        roster
    }

    fn report(roster: &mut Roster, ids: core::ops::Range<u32>) {
        for id in ids {
            let beacon = Beacon {
                instance_id: Some(format!("id-{id}").into()),
                ..Beacon::new("t")
            };
            roster.beacon(&beacon, Holder::Unlimited, START).unwrap();
        }
    }

    #[test]
    fn rows_that_come_and_go_between_deltas_are_not_mentioned() {
        let mut roster = roster();
        report(&mut roster, 0..9);
        roster.encode_delta(1, START);
        let most = 2 * roster.len() + SLACK;
        report(&mut roster, 9..10_000);
        let journal = &roster.journal;
        for notes in [&journal.changed, &journal.touched, &journal.undigested] {
            assert!(notes.len() <= most, "{}", notes.len());
        }
        let delta = roster.encode_delta(1, START);
        assert_eq!(delta.matches(r#""reason":"evicted""#).count(), 9, "{delta}");
        assert_eq!(delta.matches(r#""entry""#).count(), 9);
        assert!(delta.len() < 3_000, "{} bytes", delta.len());
    }

    /// Each snapshot makes the rows of the moment known; there is no bound on how many are given out.
    #[test]
    fn removals_are_bounded_too() {
        let mut roster = roster();
        for round in 0..1_000 {
            report(&mut roster, round * 9..(round + 1) * 9);
            roster.encode_snapshot(START);
            assert!(roster.journal.removed.len() <= 2 * roster.len() + SLACK);
        }
        assert!(roster.is_beyond_deltas());
        roster.encode_delta(1, START);
        assert!(!roster.is_beyond_deltas());
    }

    #[test]
    fn a_row_that_a_snapshot_showed_is_mentioned_when_it_goes() {
        let mut roster = roster();
        report(&mut roster, 0..1);
        roster.encode_snapshot(START);
        report(&mut roster, 1..10);
        let delta = roster.encode_delta(1, START);
        assert!(
            delta.contains(r#""removals":[{"key":"id-0","reason":"evicted"}]"#),
            "{delta}"
        );
    }
}
