//! The rows of this gateway as they were written, and pending writes.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use super::input::RowWrite;
use super::wire::{LeaseValue, RowValue};
use super::{FORMAT, HEARTBEAT_MS, MAX_BATCH, MAX_ROWS, REWRITE_MS};
use crate::model::RawEntry;
use crate::model::entry::TIME_MEMBERS;
use crate::model::raw_entry::Draft;
use crate::model::time::Now;
use crate::server::Hub;

/// The member about time that is kept, because it is an age.
const KEPT_MEMBER: &str = "lastInputSeconds";

/// This gateway's rows by number.
#[derive(Debug, Default)]
pub(super) struct Own {
    rows: BTreeMap<u64, Written>,
    /// Rows to write, or to delete if they are gone.
    pending: BTreeSet<u64>,
    /// The highest stamp so far.
    stamp: u64,
    /// Counts the walks.
    walks: u64,
}

/// A row as it is written.
#[derive(Debug)]
struct Written {
    key: Box<str>,
    /// The roster's last text of it.
    text: Box<str>,
    entry: RawEntry,
    /// Moments on the age clock, in ms.
    heard_ms: i64,
    online_ms: Option<i64>,
    activity_ms: Option<i64>,
    stamp: u64,
    /// When it was written, on the age clock.
    written_ms: u64,
    /// The bucket had this value when it was last read.
    is_confirmed: bool,
    walk: u64,
}

impl Own {
    /// Reads the rows of this gateway; those that changed are pending.
    pub(super) fn walk(&mut self, hub: &mut Hub, now: Now) {
        self.walks += 1;
        let offset_ms = signed(hub.settled_wall_ms(now)).saturating_sub(signed(now.age_ms));
        hub.each_own_row(now, |key, number, text| {
            if self.rows.len() < MAX_ROWS || self.rows.contains_key(&number) {
                self.note(key, number, text, offset_ms, now);
            }
        });
        let (walks, pending) = (self.walks, &mut self.pending);
        self.rows.retain(|number, row| {
            let is_there = row.walk == walks;
            if !is_there {
                pending.insert(*number);
            }
            is_there
        });
    }

    fn note(&mut self, key: &str, number: u64, text: &str, offset_ms: i64, now: Now) {
        let old = self.rows.get_mut(&number);
        if let Some(old) = old.filter(|old| *old.text == *text && *old.key == *key) {
            old.walk = self.walks;
            if now.age_ms.saturating_sub(old.written_ms) >= REWRITE_MS {
                self.touch(number, now);
            }
            return;
        }
        // Our own text is an object.
        let Some(stated) = RawEntry::read(text) else {
            return;
        };
        let moment = |name| {
            stated
                .integer(name)
                .map(|at_ms| signed(at_ms).saturating_sub(offset_ms))
        };
        let mut draft = Draft::new(&stated);
        for member in TIME_MEMBERS.into_iter().filter(|member| *member != KEPT_MEMBER) {
            draft.remove(member);
        }
        let mut row = Written {
            key: key.into(),
            text: text.into(),
            entry: draft.finish(),
            heard_ms: moment("ts").unwrap_or_else(|| signed(now.age_ms)),
            online_ms: moment("onlineSince"),
            activity_ms: moment("lastActivityAt"),
            stamp: 0,
            written_ms: now.age_ms,
            is_confirmed: false,
            walk: self.walks,
        };
        match self.rows.get(&number).filter(|old| old.has_equal_content(&row)) {
            Some(old) => {
                (row.stamp, row.written_ms) = (old.stamp, old.written_ms);
                row.is_confirmed = old.is_confirmed;
            }
            None => {
                self.stamp += 1;
                row.stamp = self.stamp;
                self.pending.insert(number);
            }
        }
        self.rows.insert(number, row);
    }

    /// Marks the row to be written again.
    pub(super) fn touch(&mut self, number: u64, now: Now) {
        if let Some(row) = self.rows.get_mut(&number) {
            self.stamp += 1;
            row.stamp = self.stamp;
            row.written_ms = now.age_ms;
            row.is_confirmed = false;
            self.pending.insert(number);
        }
    }

    /// Notes a row's value in the bucket: the current one, or an earlier one of this or another process.
    pub(super) fn note_stored(&mut self, number: u64, stamp: u64, is_own: bool) {
        if let Some(row) = self.rows.get_mut(&number) {
            row.is_confirmed = is_own && stamp == row.stamp;
        }
    }

    /// Marks rows to be written again whose value the bucket did not return in time: an earlier value replaced it, or
    /// the write was acknowledged and lost.
    pub(super) fn restore(&mut self, now: Now) {
        let is_lost =
            |row: &Written| !row.is_confirmed && now.age_ms.saturating_sub(row.written_ms) >= HEARTBEAT_MS;
        let lost = self.rows.iter().filter(|(_, row)| is_lost(row));
        let lost: Vec<u64> = lost.map(|(number, _)| *number).collect();
        for number in lost {
            self.touch(number, now);
        }
    }

    /// Marks all rows to be written again, with stamps higher than before.
    pub(super) fn touch_all(&mut self, now: Now) {
        let numbers: Vec<u64> = self.rows.keys().copied().collect();
        for number in numbers {
            self.touch(number, now);
        }
    }

    /// Marks a row to be deleted: one of an earlier process, or one that is gone.
    pub(super) fn delete(&mut self, number: u64) {
        self.pending.insert(number);
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.rows.contains_key(&number)
    }

    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The next rows to write, at most [`MAX_BATCH`].
    pub(super) fn take_batch(&mut self, incarnation: u64, now: Now) -> Vec<RowWrite> {
        let mut writes = Vec::new();
        while writes.len() < MAX_BATCH
            && let Some(number) = self.pending.pop_first()
        {
            let value = self
                .rows
                .get(&number)
                .and_then(|row| row.to_json(incarnation, now));
            writes.push(RowWrite { number, value });
        }
        writes
    }

    /// The value of the lease: each row's number, stamp and age.
    pub(super) fn lease(&self, boot_id: &str, incarnation: u64, now: Now) -> String {
        let ages = self
            .rows
            .iter()
            .map(|(number, row)| (*number, row.stamp, age(row.heard_ms, now)));
        let lease = LeaseValue {
            format: FORMAT,
            boot: boot_id.into(),
            incarnation,
            stamp: self.stamp,
            rows: ages.collect(),
        };
        lease.to_json()
    }
}

impl Written {
    fn has_equal_content(&self, new: &Self) -> bool {
        self.key == new.key
            && self.online_ms == new.online_ms
            && self.activity_ms == new.activity_ms
            && self.entry == new.entry
    }

    fn to_json(&self, incarnation: u64, now: Now) -> Option<String> {
        let entry: &RawValue = serde_json::from_str(self.entry.as_str()).ok()?;
        let value = RowValue {
            key: (&*self.key).into(),
            incarnation,
            stamp: self.stamp,
            age: age(self.heard_ms, now),
            online: self.online_ms.map(|at_ms| age(at_ms, now)),
            activity: self.activity_ms.map(|at_ms| age(at_ms, now)),
            entry,
        };
        Some(value.to_json())
    }
}

fn age(at_ms: i64, now: Now) -> u64 {
    u64::try_from(signed(now.age_ms).saturating_sub(at_ms)).unwrap_or(0)
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
