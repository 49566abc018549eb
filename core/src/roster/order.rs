//! Doubly linked lists over slab slots: O(1) insert, remove and move, whatever the roster's size.

/// "No slot": the end of a list.
pub(super) const NONE: u32 = u32::MAX;

/// Which list a link belongs to. A row is in at most one list of each kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// The rows of one class, least fresh first.
    Freshness,
    /// The rows that carry one deviceId, least fresh first.
    Device,
    /// The rows one connection holds by beacons about others, least fresh first.
    Holder,
}

/// A row's neighbours in one list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    prev: u32,
    next: u32,
}

impl Link {
    /// Reads the links of both neighbours, ahead of their being written.
    pub(super) fn fetch(self, rows: &impl Linked, order: Order) -> u32 {
        let mut read = 0;
        if self.prev != NONE {
            read ^= rows.link(self.prev, order).prev;
        }
        if self.next != NONE {
            read ^= rows.link(self.next, order).prev;
        }
        read
    }
}

impl Default for Link {
    fn default() -> Self {
        Self {
            prev: NONE,
            next: NONE,
        }
    }
}

/// Something with one link per [`Order`].
pub(super) trait Linked {
    fn link(&self, slot: u32, order: Order) -> Link;
    fn link_mut(&mut self, slot: u32, order: Order) -> &mut Link;
}

/// The two ends of a list and its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    head: u32,
    tail: u32,
    len: usize,
}

impl Default for List {
    fn default() -> Self {
        Self {
            head: NONE,
            tail: NONE,
            len: 0,
        }
    }
}

impl List {
    pub(super) fn push_back(&mut self, rows: &mut impl Linked, slot: u32, order: Order) {
        *rows.link_mut(slot, order) = Link {
            prev: self.tail,
            next: NONE,
        };
        if self.tail == NONE {
            self.head = slot;
        } else {
            rows.link_mut(self.tail, order).next = slot;
        }
        self.tail = slot;
        self.len += 1;
    }

    /// Takes `slot` out; it must be in this list.
    pub(super) fn remove(&mut self, rows: &mut impl Linked, slot: u32, order: Order) {
        let Link { prev, next } = core::mem::take(rows.link_mut(slot, order));
        if prev == NONE {
            self.head = next;
        } else {
            rows.link_mut(prev, order).next = next;
        }
        if next == NONE {
            self.tail = prev;
        } else {
            rows.link_mut(next, order).prev = prev;
        }
        self.len -= 1;
    }

    pub(super) fn move_to_back(&mut self, rows: &mut impl Linked, slot: u32, order: Order) {
        if self.tail != slot {
            self.remove(rows, slot, order);
            self.push_back(rows, slot, order);
        }
    }

    pub(super) fn head(&self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }

    pub(super) fn tail(&self) -> Option<u32> {
        (self.tail != NONE).then_some(self.tail)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The slot after `slot`, towards the freshest.
    pub(super) fn after(rows: &impl Linked, slot: u32, order: Order) -> Option<u32> {
        let next = rows.link(slot, order).next;
        (next != NONE).then_some(next)
    }

    /// The slot before `slot`, towards the least fresh.
    pub(super) fn before(rows: &impl Linked, slot: u32, order: Order) -> Option<u32> {
        let prev = rows.link(slot, order).prev;
        (prev != NONE).then_some(prev)
    }
}
