//! The rows of one other gateway, as they were read.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

use super::wire::{LeaseValue, RowValue};
use super::{LEASE_MS, MAX_ROWS};
use crate::fleet::{SourceId, SourceRow, SourceUpdate};
use crate::model::RawEntry;
use crate::model::key::SELF_WIRE_KEY;
use crate::model::time::Now;

/// Least advance of a proof of life, in ms, that is passed on to the hub.
const TOUCH_MS: i64 = 1_000;

/// One other gateway.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) id: SourceId,
    incarnation: u64,
    rows: BTreeMap<u64, Held>,
    /// The current row of each key: a key can move to a row with another number.
    by_key: BTreeMap<Box<str>, u64>,
    /// Rows to pass on, and keys that are gone.
    changed: BTreeSet<u64>,
    gone: BTreeSet<Box<str>>,
    /// When its lease ends, on the age clock, if that has to be passed on.
    lease_ends_ms: Option<u64>,
    /// Rows that the last lease named and that are missing, or were written since they were read, with their last
    /// proofs of life on the age clock.
    missing: BTreeMap<u64, i64>,
}

#[derive(Debug)]
struct Held {
    stamp: u64,
    row: SourceRow,
}

impl Peer {
    pub(super) fn new(id: SourceId) -> Self {
        Self {
            id,
            incarnation: 0,
            rows: BTreeMap::new(),
            by_key: BTreeMap::new(),
            changed: BTreeSet::new(),
            gone: BTreeSet::new(),
            lease_ends_ms: None,
            missing: BTreeMap::new(),
        }
    }

    /// A row as it was written `age_ms` ago.
    pub(super) fn put(&mut self, number: u64, value: &RowValue<'_>, entry: RawEntry, age_ms: u64, now: Now) {
        if !self.is_current(value.incarnation) {
            return;
        }
        let is_old = |held: &Held| held.stamp >= value.stamp;
        let has_room = self.rows.len() < MAX_ROWS || self.rows.contains_key(&number);
        if !has_room || self.rows.get(&number).is_some_and(is_old) {
            return;
        }
        if let Some(old) = self.rows.remove(&number) {
            self.release(number, &old.row.key);
        }
        let moment = |age: u64| signed(now.age_ms).saturating_sub(signed(age.saturating_add(age_ms)));
        let key: Box<str> = (&*value.key).into();
        self.by_key.insert(key.clone(), number);
        self.gone.remove(&key);
        let row = SourceRow {
            is_gateway: *key == *SELF_WIRE_KEY,
            key,
            entry,
            heard_ms: moment(value.age).max(self.missing.remove(&number).unwrap_or(i64::MIN)),
            online_since_ms: value.online.map(moment),
            last_activity_ms: value.activity.map(moment),
        };
        let held = Held {
            stamp: value.stamp,
            row,
        };
        self.rows.insert(number, held);
        self.changed.insert(number);
    }

    /// Handles a deleted row.
    pub(super) fn remove(&mut self, number: u64) {
        if let Some(held) = self.rows.remove(&number) {
            self.release(number, &held.row.key);
        }
        self.changed.remove(&number);
    }

    fn release(&mut self, number: u64, key: &str) {
        if self.by_key.get(key) == Some(&number) {
            self.by_key.remove(key);
            self.gone.insert(key.into());
        }
    }

    /// Handles a renewal of the lease `age_ms` ago. Returns whether rows have been missing since the previous lease.
    pub(super) fn renew(&mut self, lease: &LeaseValue<'_>, age_ms: u64, now: Now) -> bool {
        if !self.is_current(lease.incarnation) {
            return false;
        }
        self.lease_ends_ms = Some(now.age_ms.saturating_add(LEASE_MS).saturating_sub(age_ms));
        let mut missing = BTreeMap::new();
        let mut listed = BTreeSet::new();
        for &(number, stamp, age) in &lease.rows {
            listed.insert(number);
            let heard_ms = signed(now.age_ms).saturating_sub(signed(age.saturating_add(age_ms)));
            let Some(held) = self.rows.get_mut(&number).filter(|held| held.stamp >= stamp) else {
                missing.insert(number, heard_ms);
                continue;
            };
            if heard_ms >= held.row.heard_ms.saturating_add(TOUCH_MS) {
                held.row.heard_ms = heard_ms;
                self.changed.insert(number);
            }
        }
        let is_over = |(number, held): (&u64, &Held)| {
            (held.stamp <= lease.stamp && !listed.contains(number)).then_some(*number)
        };
        let over: BTreeSet<u64> = self.rows.iter().filter_map(is_over).collect();
        for number in over {
            self.remove(number);
        }
        let were_missing = !core::mem::replace(&mut self.missing, missing).is_empty();
        were_missing && !self.missing.is_empty()
    }

    /// Handles the end of the lease.
    pub(super) fn end_lease(&mut self, now: Now) {
        self.lease_ends_ms = Some(now.age_ms);
    }

    /// Whether a value is from the current process of the gateway; a later process replaces it and its rows.
    fn is_current(&mut self, incarnation: u64) -> bool {
        if incarnation > self.incarnation {
            self.incarnation = incarnation;
            self.rows.clear();
            self.changed.clear();
            self.missing.clear();
            self.gone.extend(core::mem::take(&mut self.by_key).into_keys());
        }
        incarnation == self.incarnation
    }

    /// Takes the end of the lease and the changed rows.
    pub(super) fn take(&mut self) -> (Option<u64>, Option<SourceUpdate>) {
        let changed = core::mem::take(&mut self.changed);
        let current = changed.iter().filter_map(|number| {
            let held = self.rows.get(number)?;
            (self.by_key.get(&held.row.key) == Some(number)).then(|| held.row.clone())
        });
        let put = current.collect();
        let removed = core::mem::take(&mut self.gone).into_iter().collect();
        let update = SourceUpdate {
            put,
            removed,
            is_here: false,
        };
        let is_empty = update.put.is_empty() && update.removed.is_empty();
        (self.lease_ends_ms.take(), (!is_empty).then_some(update))
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
