//! The rows by eviction class, each class least fresh first: what goes next, and when (SPEC 1.5).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::order::{List, Order};
use super::row::Row;
use super::table::Slab;
use crate::model::key::RowKey;

/// Who goes first when there are too many rows. Lower classes go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// The last connection closed.
    Closed,
    /// Never had a connection: only beacons wrote it.
    Reported,
    /// Has a live connection that gave neither an `instanceId` nor a device.
    Anonymous,
    /// Has a live connection and an id.
    Connected,
}

impl Class {
    /// All classes, in the order of eviction.
    pub(super) const ALL: [Self; 4] = [Self::Closed, Self::Reported, Self::Anonymous, Self::Connected];

    fn of(row: &Row) -> Self {
        match (row.live.is_empty(), row.was_connected, &row.key) {
            (true, true, _) => Self::Closed,
            (true, false, _) => Self::Reported,
            (false, _, RowKey::Connection(_)) => Self::Anonymous,
            (false, ..) => Self::Connected,
        }
    }

    /// Whether rows of this class have a live connection.
    pub(super) fn is_live(self) -> bool {
        self >= Self::Anonymous
    }
}

/// Which of the lists a row is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Goes by its age.
    Ageing(Class),
    /// Goes by its age; its last close was no proof of life, so it is older than its neighbours in
    /// [`Class::Closed`] would be.
    Silent,
    /// Waits for a pong after a suspension, whatever its age.
    Spared(Class),
}

/// Every row, in exactly one place.
#[derive(Debug, Default)]
pub(super) struct Classes {
    ageing: [List; 4],
    /// Rows whose last close was no proof of life, by the number of their last proof.
    silent: BTreeMap<u64, u32>,
    spared: [List; 4],
    /// Number of rows in `spared`.
    spared_rows: usize,
    /// No row that goes by its age was proven alive before this, in ms: most calls need not look at one.
    oldest_ms: u64,
    /// Counts all proofs of life.
    proofs: u64,
    /// Number of rows without a live connection.
    not_live: usize,
}

impl Classes {
    /// Adds a row as the freshest of its class.
    pub(super) fn push(&mut self, slab: &mut Slab, slot: u32) {
        self.proofs += 1;
        let class = Class::of(&slab[slot]);
        slab[slot].proof_number = self.proofs;
        slab[slot].place = Place::Ageing(class);
        self.not_live += usize::from(!class.is_live());
        self.ageing[class as usize].push_back(slab, slot, Order::Freshness);
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, slab: &mut Slab, slot: u32) {
        let row = &slab[slot];
        match row.place {
            Place::Ageing(class) => {
                self.not_live -= usize::from(!class.is_live());
                self.ageing[class as usize].remove(slab, slot, Order::Freshness);
            }
            Place::Silent => {
                self.not_live -= 1;
                self.silent.remove(&row.proof_number);
            }
            Place::Spared(class) => {
                self.spared_rows -= 1;
                self.spared[class as usize].remove(slab, slot, Order::Freshness);
            }
        }
    }

    /// Makes the row the freshest of the class that it is in now; it goes by its age.
    pub(super) fn refresh(&mut self, slab: &mut Slab, slot: u32) {
        let row = &mut slab[slot];
        let class = Class::of(row);
        if row.place == Place::Ageing(class) {
            self.proofs += 1;
            row.proof_number = self.proofs;
            self.ageing[class as usize].move_to_back(slab, slot, Order::Freshness);
            return;
        }
        self.remove(slab, slot);
        self.push(slab, slot);
    }

    /// The row's last connection closed and that was no proof of life: it keeps its age.
    pub(super) fn close_silently(&mut self, slab: &mut Slab, slot: u32) {
        self.remove(slab, slot);
        slab[slot].place = Place::Silent;
        self.oldest_ms = self.oldest_ms.min(slab[slot].proof_ms);
        self.not_live += 1;
        self.silent.insert(slab[slot].proof_number, slot);
    }

    /// Lets the rows with live connections that are `overdue` wait for a pong, whatever their age.
    pub(super) fn spare(&mut self, slab: &mut Slab, overdue: impl Fn(&Row) -> bool) {
        for class in Class::ALL.into_iter().filter(|class| class.is_live()) {
            while let Some(slot) = self.ageing[class as usize].head()
                && overdue(&slab[slot])
            {
                self.ageing[class as usize].remove(slab, slot, Order::Freshness);
                slab[slot].place = Place::Spared(class);
                self.spared_rows += 1;
                self.spared[class as usize].push_back(slab, slot, Order::Freshness);
            }
        }
    }

    /// The least fresh of the rows that go by their age.
    pub(super) fn next_to_expire(&self, slab: &Slab) -> Option<u32> {
        let ageing = self.ageing.iter().filter_map(List::head);
        least_fresh(slab, ageing.chain(self.first_silent()))
    }

    /// The least fresh of the rows that go by their age, if `is_over` says of its proof of life that it goes.
    pub(super) fn expired(&mut self, slab: &Slab, is_over: impl Fn(u64) -> bool) -> Option<u32> {
        if !is_over(self.oldest_ms) {
            return None;
        }
        let slot = self.next_to_expire(slab)?;
        self.oldest_ms = slab[slot].proof_ms;
        is_over(self.oldest_ms).then_some(slot)
    }

    /// The least fresh of the rows that wait for a pong after a suspension.
    pub(super) fn next_spared(&self, slab: &Slab) -> Option<u32> {
        if self.spared_rows == 0 {
            return None;
        }
        least_fresh(slab, self.spared.iter().filter_map(List::head))
    }

    /// All rows in the order in which they go when there are too many: with a live connection only after all others.
    pub(super) fn in_eviction_order(&self, slab: &Slab) -> impl Iterator<Item = u32> {
        Class::ALL.into_iter().flat_map(move |class| {
            let list = |list: &List| {
                let next = |&slot: &u32| List::after(slab, slot, Order::Freshness);
                core::iter::successors(list.head(), next)
            };
            // Only rows with a live connection are spared, and only rows without one are silent.
            let silent = (class == Class::Closed).then(|| self.silent.values().copied());
            let others = list(&self.spared[class as usize]).chain(silent.into_iter().flatten());
            let (mut ageing, mut others) = (list(&self.ageing[class as usize]).peekable(), others.peekable());
            core::iter::from_fn(move || match (ageing.peek(), others.peek()) {
                (Some(&slot), Some(&other)) if slab[other].proof_number < slab[slot].proof_number => {
                    others.next()
                }
                (Some(_), _) => ageing.next(),
                (None, _) => others.next(),
            })
        })
    }

    /// Number of rows without a live connection.
    pub(super) fn not_live(&self) -> usize {
        self.not_live
    }

    /// Number of proofs of life so far: rows proven alive later have greater numbers.
    pub(super) fn proofs(&self) -> u64 {
        self.proofs
    }

    /// All slots, in runs that begin with the freshest.
    pub(super) fn slots(&self, slab: &Slab) -> Vec<u32> {
        let mut slots = Vec::with_capacity(slab.len() + 1);
        for list in self.ageing.iter().rev().chain(&self.spared) {
            let next = |&slot: &u32| List::before(slab, slot, Order::Freshness);
            slots.extend(core::iter::successors(list.tail(), next));
        }
        slots.extend(self.silent.values().rev());
        slots
    }

    fn first_silent(&self) -> Option<u32> {
        self.silent.first_key_value().map(|(_, &slot)| slot)
    }
}

fn least_fresh(slab: &Slab, slots: impl Iterator<Item = u32>) -> Option<u32> {
    slots.min_by_key(|&slot| slab[slot].proof_number)
}
