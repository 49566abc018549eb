//! The rows by class, each class in the order of the last proof of life, for expiry and eviction (SPEC 1.5).

use alloc::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashlink::LinkedHashSet;

use super::{RowId, Store};
use crate::roster::row::{Class, Place, Row};

/// Rows in an order. The store chooses the ids, so no client can cause collisions.
pub(crate) type Queue = LinkedHashSet<RowId, FixedState>;

/// Every row, in exactly one [`Place`].
#[derive(Clone, Debug, Default)]
pub(super) struct Queues {
    /// By class, least fresh first.
    ageing: [Queue; Class::ALL.len()],
    /// By the number of the last proof of life.
    silent: BTreeMap<u64, RowId>,
    spared: BTreeMap<(Class, u64), RowId>,
    /// Counts all proofs of life.
    proofs: u64,
}

impl Store {
    /// Adds a row as the freshest of its class.
    pub(super) fn enqueue(&mut self, id: RowId) {
        self.queues.proofs += 1;
        let row = &mut self.rows[id];
        let class = row.class();
        row.proof_number = self.queues.proofs;
        row.place = Place::Ageing(class);
        self.queues.ageing[class as usize].insert(id);
    }

    /// Removes a row.
    pub(super) fn dequeue(&mut self, id: RowId) {
        let row = &self.rows[id];
        match row.place {
            Place::Ageing(class) => {
                self.queues.ageing[class as usize].remove(&id);
            }
            Place::Silent => {
                self.queues.silent.remove(&row.proof_number);
            }
            Place::Spared(class) => {
                self.queues.spared.remove(&(class, row.proof_number));
            }
        }
    }

    /// Makes the row the freshest of its current class; it expires by its age.
    pub(super) fn requeue(&mut self, id: RowId) {
        let row = &mut self.rows[id];
        let class = row.class();
        if row.place == Place::Ageing(class) {
            self.queues.proofs += 1;
            row.proof_number = self.queues.proofs;
            self.queues.ageing[class as usize].to_back(&id);
            return;
        }
        self.dequeue(id);
        self.enqueue(id);
    }

    /// Handles a last close that was not a proof of life: the row keeps its age.
    pub(crate) fn close_silently(&mut self, id: RowId) {
        self.dequeue(id);
        let row = &mut self.rows[id];
        row.place = Place::Silent;
        self.queues.silent.insert(row.proof_number, id);
    }

    /// Lets the rows with live connections that are `overdue` wait for a pong, whatever their age. Of two
    /// rows the less fresh one is overdue first.
    pub(crate) fn spare(&mut self, overdue: impl Fn(&Row) -> bool) {
        let Queues { ageing, spared, .. } = &mut self.queues;
        for class in Class::ALL.into_iter().filter(|class| class.is_live()) {
            let ageing = &mut ageing[class as usize];
            while let Some(&id) = ageing.front()
                && overdue(&self.rows[id])
            {
                ageing.pop_front();
                let row = &mut self.rows[id];
                row.place = Place::Spared(class);
                spared.insert((class, row.proof_number), id);
            }
        }
    }

    /// Lets a row with a live connection wait for a pong, whatever its age.
    #[cfg(feature = "recording")]
    pub(crate) fn spare_one(&mut self, id: RowId) {
        self.dequeue(id);
        let row = &mut self.rows[id];
        let class = row.class();
        row.place = Place::Spared(class);
        self.queues.spared.insert((class, row.proof_number), id);
    }

    /// The least fresh of the rows that expire by their age.
    pub(crate) fn next_to_expire(&self) -> Option<RowId> {
        let ageing = self.queues.ageing.iter().filter_map(Queue::front);
        let silent = self.queues.silent.values().next();
        ageing
            .chain(silent)
            .copied()
            .min_by_key(|&id| self.rows[id].proof_number)
    }

    /// The least fresh of the rows that wait for a pong after a suspension.
    pub(crate) fn next_spared(&self) -> Option<RowId> {
        if self.queues.spared.is_empty() {
            return None;
        }
        let first = |class| self.spared_of(class).next();
        let firsts = Class::ALL.into_iter().filter_map(first);
        firsts.min_by_key(|&(number, _)| number).map(|(_, id)| id)
    }

    /// The spared rows of a class with the numbers of their last proofs, least fresh first.
    fn spared_of(&self, class: Class) -> impl Iterator<Item = (u64, RowId)> {
        let spared = self.queues.spared.range((class, 0)..=(class, u64::MAX));
        spared.map(|(&(_, number), &id)| (number, id))
    }

    /// All rows in the order of eviction: those with a live connection after all others.
    pub(crate) fn in_eviction_order(&self) -> impl Iterator<Item = RowId> {
        Class::ALL.into_iter().flat_map(move |class| {
            // Only rows with a live connection are spared, and only rows without one are silent.
            let silent = (class == Class::Closed).then(|| self.queues.silent.values().copied());
            let spared = self.spared_of(class).map(|(_, id)| id);
            let mut others = silent.into_iter().flatten().chain(spared).peekable();
            let mut ageing = self.queues.ageing[class as usize].iter().copied().peekable();
            core::iter::from_fn(move || match (ageing.peek(), others.peek()) {
                (Some(&id), Some(&other)) if self.rows[other].proof_number < self.rows[id].proof_number => {
                    others.next()
                }
                (Some(_), _) => ageing.next(),
                (None, _) => others.next(),
            })
        })
    }

    /// Number of rows without a live connection.
    pub(crate) fn not_live(&self) -> usize {
        let ageing = [Class::Closed, Class::Reported].map(|class| self.queues.ageing[class as usize].len());
        ageing.iter().sum::<usize>() + self.queues.silent.len()
    }

    /// Number of proofs of life so far: rows proven alive later have greater numbers.
    pub(crate) fn proofs(&self) -> u64 {
        self.queues.proofs
    }

    /// All rows, in runs that begin with the freshest.
    pub(crate) fn ids(&self) -> impl Iterator<Item = RowId> {
        let ageing = self
            .queues
            .ageing
            .iter()
            .rev()
            .flat_map(|queue| queue.iter().rev());
        let spared = self.queues.spared.values().rev();
        ageing
            .chain(spared)
            .chain(self.queues.silent.values().rev())
            .copied()
    }
}
