//! How rows get into a mirror and out of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use xxhash_rust::xxh3::xxh3_64;

use super::group::SELF_KEY;
use super::merge::{Merged, Numbers, merge};
use super::{Keeper, MAX_ROWS, Mirror, Raw, Row, merge};
use crate::digest::Digest;
use crate::model::raw_entry::RawEntry;
use crate::model::status::Status;

impl Mirror {
    /// A full list arrived: it replaces what was there.
    pub fn apply_list(&mut self, entries: Vec<RawEntry>, now_ms: u64) {
        self.version = None;
        self.begin_list(now_ms);
        for entry in entries {
            self.add(entry, None, now_ms);
        }
        self.end_list(now_ms);
    }

    /// The gateway's `tick`: it lives, and its own row is as fresh as on any list it would send now.
    pub fn touch_self(&mut self, ts: u64, now_ms: u64) {
        let place = self
            .row(SELF_KEY)
            .filter(|row| row.ts < ts)
            .and_then(|row| row.members.first());
        if let Some(&place) = place {
            self.touch(place, ts);
            self.rebuild(now_ms);
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
        self.was_offline.get_or_insert(self.keeper == Keeper::Lost);
        self.is_dirty = true;
        self.settled = 0..0;
        self.keeper = keeper;
    }

    /// A list is about to replace everything.
    pub(super) fn begin_list(&mut self, now_ms: u64) {
        if self.keeper == Keeper::Lost {
            self.keep_by(Keeper::Gateway);
        }
        for row in &mut self.rows {
            row.members.clear();
            row.is_affected = true;
            row.namesakes = 0;
        }
        self.raws.clear();
        self.digest = Digest::default();
        self.compares_digests = false;
        self.has_self = false;
        self.next_place = 0;
        self.listed_ms = Some(now_ms);
    }

    pub(super) fn end_list(&mut self, now_ms: u64) {
        self.rebuild(now_ms);
        self.settle(now_ms);
        self.enforce_cap(now_ms);
    }

    /// Adds a row at the end of the gateway's list.
    pub(super) fn add(&mut self, entry: RawEntry, wire_key: Option<Box<str>>, now_ms: u64) {
        let bound = match self.keeper {
            Keeper::Mirror => MAX_ROWS,
            Keeper::Gateway | Keeper::Lost => self.config.max_rows.min(MAX_ROWS),
        };
        if self.raws.len() < bound {
            let place = self.next_place;
            self.next_place += 1;
            self.insert(place, entry, wire_key, now_ms);
        }
    }

    pub(super) fn insert(&mut self, place: u64, entry: RawEntry, wire_key: Option<Box<str>>, now_ms: u64) {
        let row = self.row_of(&entry, wire_key.as_deref());
        let at = row.members.partition_point(|&member| member < place);
        row.members.insert(at, place);
        row.is_affected = true;
        let group = row.key.clone();
        let digest = match wire_key.as_deref().filter(|_| self.compares_digests) {
            Some(key) => crate::digest::of_raw(key, &entry),
            None => 0,
        };
        self.digest.add(digest);
        let numbers = Numbers::of(&entry);
        // A row without a time was heard of now, as far as anybody knows.
        let ts = numbers.ts.unwrap_or(now_ms);
        let raw = Raw {
            place,
            key_hash: wire_key.as_deref().map_or(0, |key| xxh3_64(key.as_bytes())),
            input_seconds: numbers.input_seconds,
            told_input: numbers.input_seconds.map(|seconds| (ts, seconds)),
            is_plain: numbers.are_plain,
            entry,
            ts,
            group,
            wire_key,
            digest,
        };
        let is_last = self.raws.last().is_none_or(|last| last.place < place);
        let at = if is_last {
            self.raws.len()
        } else {
            self.raws.partition_point(|raw| raw.place < place)
        };
        self.raws.insert(at, raw);
    }

    /// Forgets a raw row.
    pub(super) fn drop_raw(&mut self, place: u64) {
        let Some(at) = self.raw_at(place) else { return };
        let raw = self.raws.remove(at);
        self.digest.remove(raw.digest);
        let row = self.row_at(&raw.group);
        row.members.retain(|&member| member != place);
        row.is_affected = true;
    }

    /// Moves the `ts` of a raw row; its last input stays when it was.
    pub(super) fn touch(&mut self, place: u64, ts: u64) {
        let Some(at) = self.raw_at(place) else { return };
        let raw = &mut self.raws[at];
        if let Some((told_ms, seconds)) = raw.told_input {
            // Counted from what was told, or the rounding of every touch would add up.
            let later = ts.saturating_sub(told_ms) / 1_000;
            raw.entry
                .set_integer("lastInputSeconds", seconds.saturating_add(later));
        }
        raw.entry.set_integer("ts", ts);
        raw.ts = ts;
        let numbers = Numbers::of(&raw.entry);
        raw.input_seconds = numbers.input_seconds;
        raw.is_plain = numbers.are_plain;
        let group = raw.group.clone();
        self.row_at(&group).is_affected = true;
    }

    /// Merges every affected row anew from its raw rows.
    pub(super) fn rebuild(&mut self, now_ms: u64) {
        self.is_dirty = true;
        let mut rows = core::mem::take(&mut self.rows);
        for row in rows.iter_mut().filter(|row| row.is_affected) {
            row.is_affected = false;
            let merged = match *row.members {
                [] => continue,
                // As nearly all are.
                [place] => self.raw_at(place).and_then(|at| Merged::alone(&self.raws[at])),
                _ => None,
            };
            let merged = merged.unwrap_or_else(|| {
                let raws: Vec<&Raw> = row
                    .members
                    .iter()
                    .filter_map(|&place| self.raws.get(self.raw_at(place)?))
                    .collect();
                merge(&raws)
            });
            if row.revision == 0 || !merge::says_the_same(row, &merged) {
                row.revision = self.next_revision;
                self.next_revision += 1;
            }
            row.entry = merged.entry;
            row.stamp = self.next_stamp;
            self.next_stamp += 1;
            row.ts = merged.ts;
            row.last_input_at_ms = merged.last_input_at_ms;
            row.has_left = merged.has_left;
            let age_ms = row.age_ms(now_ms);
            row.status = self.config.thresholds.display_status(row.has_left, age_ms);
            let next_ms = self.next_of(row).unwrap_or(u64::MAX);
            self.settled.end = self.settled.end.min(next_ms);
            self.settled.start = self.settled.start.max(now_ms);
        }
        rows.retain(|row| !row.members.is_empty() || row.told.is_some());
        self.rows = rows;
        self.forget_untold();
    }

    // ---- finding ------------------------------------------------------------------------------

    pub(super) fn raw_at(&self, place: u64) -> Option<usize> {
        // In a list of which nothing went, a row is where it is expected.
        let expected = place.wrapping_sub(self.raws.first()?.place);
        let at = usize::try_from(expected).ok();
        at.filter(|&at| self.raws.get(at).is_some_and(|raw| raw.place == place))
            .or_else(|| self.raws.binary_search_by_key(&place, |raw| raw.place).ok())
    }

    pub(super) fn find_row(&self, key: &str) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| compare(&row.key, key))
    }

    /// The row with that key, made if there is none.
    pub(super) fn row_at(&mut self, key: &str) -> &mut Row {
        let at = self.row_index(key);
        &mut self.rows[at]
    }

    /// Where the row with that key is, made if there is none.
    pub(super) fn row_index(&mut self, key: &str) -> usize {
        self.find_row(key).unwrap_or_else(|at| {
            let row = Row {
                key: key.into(),
                members: Vec::new(),
                entry: RawEntry::default(),
                ts: 0,
                last_input_at_ms: None,
                has_left: false,
                status: Status::Active,
                revision: 0,
                stamp: 0,
                is_affected: true,
                namesakes: 0,
                told: None,
            };
            self.rows.insert(at, Box::new(row));
            at
        })
    }
}

/// As `a.cmp(b)`, eight bytes at a time: keys start alike.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let (Some((first, rest)), Some((other, other_rest))) =
        (a.split_first_chunk(), b.split_first_chunk())
    {
        if first != other {
            return u64::from_be_bytes(*first).cmp(&u64::from_be_bytes(*other));
        }
        (a, b) = (rest, other_rest);
    }
    a.cmp(b)
}
