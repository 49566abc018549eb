//! Where the rows are: a slab with an index by key, one by deviceId, and the orders.
//!
//! Hash tables answer "where is", never "in which order": no iteration of one reaches an output.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::classes::Classes;
use super::index::KeyIndex;
use super::order::{Link, Linked, List, Order};
use super::row::Row;
use crate::model::key::{PresenceKey, RowKey};

#[derive(Debug, Default)]
pub(super) struct Slab {
    rows: Vec<Option<Row>>,
    free: Vec<u32>,
    /// By [`Order`] and slot. Apart from the rows, for a move in a list touches three rows' links and
    /// nothing else of the two neighbours: of a million rows these eight bytes stay in a cache.
    links: [Vec<Link>; 3],
}

impl Slab {
    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    /// Puts a row into a free slot.
    fn insert(&mut self, row: Row) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.rows[slot as usize] = Some(row);
            return slot;
        }
        self.rows.push(Some(row));
        for links in &mut self.links {
            links.push(Link::default());
        }
        (self.rows.len() - 1) as u32
    }
}

impl Linked for Slab {
    fn link(&self, slot: u32, order: Order) -> Link {
        self.links[order as usize][slot as usize]
    }

    fn link_mut(&mut self, slot: u32, order: Order) -> &mut Link {
        &mut self.links[order as usize][slot as usize]
    }
}

impl core::ops::Index<u32> for Slab {
    type Output = Row;
    fn index(&self, slot: u32) -> &Row {
        match &self.rows[slot as usize] {
            Some(row) => row,
            None => unreachable!("slots come from the indexes, which hold live rows only"),
        }
    }
}

impl core::ops::IndexMut<u32> for Slab {
    fn index_mut(&mut self, slot: u32) -> &mut Row {
        match &mut self.rows[slot as usize] {
            Some(row) => row,
            None => unreachable!("slots come from the indexes, which hold live rows only"),
        }
    }
}

/// A row's `deviceId`, as it is indexed: proofs and claims of one id are apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) key: PresenceKey,
    /// Whether a connection proved it. Then it owns the row.
    pub(super) is_proven: bool,
}

impl Device {
    pub(super) fn proven(key: PresenceKey) -> Self {
        Self { key, is_proven: true }
    }

    pub(super) fn claimed(key: PresenceKey) -> Self {
        Self {
            key,
            is_proven: false,
        }
    }

    fn is(&self, key: &PresenceKey, is_proven: bool) -> bool {
        self.is_proven == is_proven && self.key == *key
    }
}

#[derive(Debug)]
struct DeviceRows {
    device: Device,
    rows: List,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    seed: u64,
    pub(super) slab: Slab,
    by_key: KeyIndex,
    by_device: HashTable<DeviceRows>,
    by_holder: BTreeMap<u64, List>,
    /// Which row goes next.
    classes: Classes,
}

impl Table {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Number of rows, self not included.
    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(super) fn find(&self, key: &RowKey) -> Option<u32> {
        self.find_hashed(hash_key(key, self.seed), |own| own == key)
    }

    pub(super) fn find_named(&self, key: &PresenceKey) -> Option<u32> {
        let is_it = |own: &RowKey| matches!(own, RowKey::Named(own) if own == key);
        self.find_hashed(hash_named(key, self.seed), is_it)
    }

    /// Fetches what a write to the row of `key` needs: see [`Row::fetch`].
    pub(super) fn fetch(&self, key: &PresenceKey) {
        let hash = hash_named(key, self.seed);
        let Some(slot) = self.by_key.find(hash, |_| true) else {
            return;
        };
        let link = self.slab.link(slot, Order::Freshness);
        self.slab[slot].fetch();
        core::hint::black_box(link.fetch(&self.slab, Order::Freshness));
    }

    fn find_hashed(&self, hash: u32, is_it: impl Fn(&RowKey) -> bool) -> Option<u32> {
        self.by_key.find(hash, |slot| is_it(&self.slab[slot].key))
    }

    /// The slot if the row with that serial still is there.
    pub(super) fn alive(&self, slot: u32, serial: u64) -> bool {
        matches!(self.slab.rows.get(slot as usize), Some(Some(row)) if row.serial == serial)
    }

    /// Adds a row as the freshest of its class.
    pub(super) fn insert(&mut self, row: Row) -> u32 {
        let hash = hash_key(&row.key, self.seed);
        let slot = self.slab.insert(row);
        self.by_key.insert(hash, slot);
        self.classes.push(&mut self.slab, slot);
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Row> {
        self.unindex_key(slot);
        self.set_device(slot, None);
        self.set_holder(slot, None);
        self.classes.remove(&mut self.slab, slot);
        self.slab.free.push(slot);
        self.slab.rows[slot as usize].take()
    }

    /// Gives the row another key; returns the old one.
    pub(super) fn set_key(&mut self, slot: u32, key: RowKey) -> RowKey {
        self.unindex_key(slot);
        self.by_key.insert(hash_key(&key, self.seed), slot);
        core::mem::replace(&mut self.slab[slot].key, key)
    }

    /// Makes the row the freshest of all its lists; it goes by its age from now on.
    pub(super) fn refresh(&mut self, slot: u32) {
        self.classes.refresh(&mut self.slab, slot);
        if self.slab[slot].device.is_none() && self.slab[slot].holder.is_none() {
            return;
        }
        // Taken out for the moment so that the index can be asked while the slab changes.
        let device = self.slab[slot].device.take();
        if let Some(device) = &device {
            let hash = hash_of(device, self.seed);
            if let Some(entry) = self.by_device.find_mut(hash, |entry| entry.device == *device) {
                entry.rows.move_to_back(&mut self.slab, slot, Order::Device);
            }
        }
        self.slab[slot].device = device;
        if let Some(list) = self.slab[slot]
            .holder
            .and_then(|holder| self.by_holder.get_mut(&holder))
        {
            list.move_to_back(&mut self.slab, slot, Order::Holder);
        }
    }

    pub(super) fn set_device(&mut self, slot: u32, device: Option<Device>) {
        if self.slab[slot].device == device {
            return;
        }
        if let Some(old) = self.slab[slot].device.take() {
            let hash = hash_of(&old, self.seed);
            if let Ok(mut entry) = self.by_device.find_entry(hash, |entry| entry.device == old) {
                entry.get_mut().rows.remove(&mut self.slab, slot, Order::Device);
                if entry.get().rows.len() == 0 {
                    entry.remove();
                }
            }
        }
        if let Some(new) = device {
            let seed = self.seed;
            let hash = hash_of(&new, seed);
            let mut entry = self
                .by_device
                .entry(
                    hash,
                    |entry| entry.device == new,
                    |entry| hash_of(&entry.device, seed),
                )
                .or_insert_with(|| DeviceRows {
                    device: new.clone(),
                    rows: List::default(),
                });
            entry
                .get_mut()
                .rows
                .push_back(&mut self.slab, slot, Order::Device);
            self.slab[slot].device = Some(new);
        }
    }

    pub(super) fn set_holder(&mut self, slot: u32, holder: Option<u64>) {
        if self.slab[slot].holder == holder {
            return;
        }
        if let Some(old) = self.slab[slot].holder.take()
            && let Some(list) = self.by_holder.get_mut(&old)
        {
            list.remove(&mut self.slab, slot, Order::Holder);
            if list.len() == 0 {
                self.by_holder.remove(&old);
            }
        }
        if let Some(new) = holder {
            self.by_holder
                .entry(new)
                .or_default()
                .push_back(&mut self.slab, slot, Order::Holder);
            self.slab[slot].holder = Some(new);
        }
    }

    /// The rows that carry this `deviceId` as a proof or as a claim, freshest first.
    pub(super) fn of_device(&self, key: &PresenceKey, is_proven: bool) -> DeviceIter<'_> {
        let hash = hash_device(key, is_proven, self.seed);
        let next = self
            .by_device
            .find(hash, |entry| entry.device.is(key, is_proven))
            .and_then(|entry| entry.rows.tail());
        DeviceIter {
            slab: &self.slab,
            next,
        }
    }

    /// How many rows `holder` holds, and the least fresh of them.
    pub(super) fn held_by(&self, holder: u64) -> Option<(usize, u32)> {
        let list = self.by_holder.get(&holder)?;
        Some((list.len(), list.head()?))
    }

    /// All rows in the order in which they go when there are too many.
    pub(super) fn in_eviction_order(&self) -> impl Iterator<Item = u32> {
        self.classes.in_eviction_order(&self.slab)
    }

    /// Number of rows without a live connection.
    pub(super) fn not_live(&self) -> usize {
        self.classes.not_live()
    }

    /// Number of proofs of life so far.
    pub(super) fn proofs(&self) -> u64 {
        self.classes.proofs()
    }

    /// The least fresh of the rows that go by their age.
    pub(super) fn next_to_expire(&self) -> Option<u32> {
        self.classes.next_to_expire(&self.slab)
    }

    /// The least fresh of the rows that go by their age, if `is_over` says of its proof of life that it goes.
    pub(super) fn expired(&mut self, is_over: impl Fn(u64) -> bool) -> Option<u32> {
        self.classes.expired(&self.slab, is_over)
    }

    /// The least fresh of the rows that wait for a pong after a suspension.
    pub(super) fn next_spared(&self) -> Option<u32> {
        self.classes.next_spared(&self.slab)
    }

    /// Lets the rows with live connections that are `overdue` wait for a pong, whatever their age. Of two
    /// rows the less fresh one is overdue first.
    pub(super) fn spare(&mut self, overdue: impl Fn(&Row) -> bool) {
        self.classes.spare(&mut self.slab, overdue);
    }

    /// The row's last connection closed and that was no proof of life: it keeps its age.
    pub(super) fn close_silently(&mut self, slot: u32) {
        self.classes.close_silently(&mut self.slab, slot);
    }

    /// All slots, in runs that begin with the freshest.
    pub(super) fn slots(&self) -> Vec<u32> {
        self.classes.slots(&self.slab)
    }

    fn unindex_key(&mut self, slot: u32) {
        let hash = hash_key(&self.slab[slot].key, self.seed);
        self.by_key.remove(hash, slot);
    }
}

/// Walks the rows of one device, freshest first.
pub(super) struct DeviceIter<'a> {
    slab: &'a Slab,
    next: Option<u32>,
}

impl Iterator for DeviceIter<'_> {
    type Item = u32;
    fn next(&mut self) -> Option<u32> {
        let slot = self.next?;
        self.next = List::before(self.slab, slot, Order::Device);
        Some(slot)
    }
}

fn hash_key(key: &RowKey, seed: u64) -> u32 {
    match key {
        RowKey::SelfRow => half(seed),
        RowKey::Named(key) => hash_named(key, seed),
        RowKey::Connection(id) => half(hash_text(id, !seed)),
    }
}

fn hash_named(key: &PresenceKey, seed: u64) -> u32 {
    half(hash_text(key.as_str(), seed))
}

fn hash_of(device: &Device, seed: u64) -> u64 {
    hash_device(&device.key, device.is_proven, seed)
}

fn hash_device(key: &PresenceKey, is_proven: bool, seed: u64) -> u64 {
    hash_text(key.as_str(), if is_proven { seed } else { !seed })
}

fn half(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn hash_text(text: &str, seed: u64) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), seed)
}
