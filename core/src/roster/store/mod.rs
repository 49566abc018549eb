//! The containers: the rows by id, indexes by key, device and holder, and the queues for expiry and eviction.
//!
//! Hash tables are used for look-ups only: the order of their iteration reaches no output.

mod people;
mod queues;

use alloc::collections::BTreeMap;
use core::ops::{Index, IndexMut};

use hashbrown::HashTable;
use slotmap::{SlotMap, new_key_type};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub(super) use self::people::{People, Siblings};
pub(super) use self::queues::Queue;
use self::queues::Queues;
use super::row::{Device, Row};
use crate::model::key::{PresenceKey, RowKey};

new_key_type! {
    /// The id of a row. It never refers to another row, even after its own row is gone.
    pub struct RowId;
}

type Rows = SlotMap<RowId, Row>;

/// A row in the index by key, with the key's hash, so that the index grows without reading rows.
#[derive(Clone, Debug)]
struct Keyed {
    hash: u64,
    id: RowId,
}

/// The rows of a device, least fresh first.
#[derive(Clone, Debug)]
struct DeviceRows {
    device: Device,
    rows: Queue,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    seed: u64,
    rows: Rows,
    by_key: HashTable<Keyed>,
    by_device: HashTable<DeviceRows>,
    /// The rows that connections reported about others, least fresh first.
    by_holder: BTreeMap<u64, Queue>,
    queues: Queues,
}

impl Index<RowId> for Store {
    type Output = Row;
    fn index(&self, id: RowId) -> &Row {
        &self.rows[id]
    }
}

impl IndexMut<RowId> for Store {
    fn index_mut(&mut self, id: RowId) -> &mut Row {
        &mut self.rows[id]
    }
}

impl Store {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Number of rows, self not included.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn get(&self, id: RowId) -> Option<&Row> {
        self.rows.get(id)
    }

    pub(super) fn contains(&self, id: RowId) -> bool {
        self.rows.contains_key(id)
    }

    pub(super) fn find(&self, key: &RowKey) -> Option<RowId> {
        let hash = hash_key(key, self.seed);
        self.by_key
            .find(hash, |keyed| {
                keyed.hash == hash && self.rows[keyed.id].key == *key
            })
            .map(|keyed| keyed.id)
    }

    pub(super) fn find_named(&self, key: &PresenceKey) -> Option<RowId> {
        let hash = hash_text(key.as_str(), self.seed);
        let is_named = |id| matches!(&self.rows[id].key, RowKey::Named(own) if own == key);
        self.by_key
            .find(hash, |keyed| keyed.hash == hash && is_named(keyed.id))
            .map(|keyed| keyed.id)
    }

    /// Adds a row as the freshest of its class.
    pub(super) fn insert(&mut self, row: Row) -> RowId {
        let hash = hash_key(&row.key, self.seed);
        let id = self.rows.insert(row);
        self.by_key
            .insert_unique(hash, Keyed { hash, id }, |keyed| keyed.hash);
        self.enqueue(id);
        id
    }

    pub(super) fn remove(&mut self, id: RowId) -> Option<Row> {
        self.unindex_key(id);
        self.set_device(id, None);
        self.set_holder(id, None);
        self.dequeue(id);
        self.rows.remove(id)
    }

    /// Gives the row another key; returns the old one.
    pub(super) fn set_key(&mut self, id: RowId, key: RowKey) -> RowKey {
        self.unindex_key(id);
        let hash = hash_key(&key, self.seed);
        self.by_key
            .insert_unique(hash, Keyed { hash, id }, |keyed| keyed.hash);
        core::mem::replace(&mut self.rows[id].key, key)
    }

    fn unindex_key(&mut self, id: RowId) {
        let hash = hash_key(&self.rows[id].key, self.seed);
        if let Ok(entry) = self.by_key.find_entry(hash, |keyed| keyed.id == id) {
            entry.remove();
        }
    }

    /// Makes the row the freshest of all its queues; it expires by its age from now on.
    pub(super) fn refresh(&mut self, id: RowId) {
        self.requeue(id);
        let row = &self.rows[id];
        if let Some(device) = &row.device
            && let Some(of_device) = self
                .by_device
                .find_mut(hash_device(device, self.seed), |other| other.device == *device)
        {
            of_device.rows.to_back(&id);
        }
        if let Some(held) = row.holder.and_then(|holder| self.by_holder.get_mut(&holder)) {
            held.to_back(&id);
        }
    }

    pub(super) fn set_device(&mut self, id: RowId, device: Option<Device>) {
        let row = &mut self.rows[id];
        if row.device == device {
            return;
        }
        let seed = self.seed;
        if let Some(old) = row.device.take()
            && let Ok(mut entry) = self
                .by_device
                .find_entry(hash_device(&old, seed), |other| other.device == old)
        {
            entry.get_mut().rows.remove(&id);
            if entry.get().rows.is_empty() {
                entry.remove();
            }
        }
        if let Some(new) = &device {
            self.by_device
                .entry(
                    hash_device(new, seed),
                    |other| other.device == *new,
                    |other| hash_device(&other.device, seed),
                )
                .or_insert_with(|| DeviceRows {
                    device: new.clone(),
                    rows: Queue::default(),
                })
                .get_mut()
                .rows
                .insert(id);
        }
        row.device = device;
    }

    pub(super) fn set_holder(&mut self, id: RowId, holder: Option<u64>) {
        let row = &mut self.rows[id];
        if row.holder == holder {
            return;
        }
        if let Some(old) = row.holder
            && let Some(held) = self.by_holder.get_mut(&old)
        {
            held.remove(&id);
            if held.is_empty() {
                self.by_holder.remove(&old);
            }
        }
        if let Some(new) = holder {
            self.by_holder.entry(new).or_default().insert(id);
        }
        row.holder = holder;
    }

    /// The rows with this `deviceId` as a proof or as a claim, freshest first.
    pub(super) fn of_device(&self, key: &PresenceKey, is_proven: bool) -> impl Iterator<Item = RowId> {
        let hash = hash_device_key(key, is_proven, self.seed);
        self.by_device
            .find(hash, |other| {
                other.device.is_proven == is_proven && other.device.key == *key
            })
            .into_iter()
            .flat_map(|of_device| of_device.rows.iter().rev().copied())
    }

    /// How many rows `holder` holds, and the least fresh of them.
    pub(super) fn held_by(&self, holder: u64) -> Option<(usize, RowId)> {
        let held = self.by_holder.get(&holder)?;
        Some((held.len(), *held.front()?))
    }
}

fn hash_key(key: &RowKey, seed: u64) -> u64 {
    match key {
        RowKey::SelfRow => seed,
        RowKey::Named(key) => hash_text(key.as_str(), seed),
        RowKey::Connection(id) => hash_text(id, !seed),
    }
}

fn hash_device(device: &Device, seed: u64) -> u64 {
    hash_device_key(&device.key, device.is_proven, seed)
}

fn hash_device_key(key: &PresenceKey, is_proven: bool, seed: u64) -> u64 {
    hash_text(key.as_str(), if is_proven { seed } else { !seed })
}

fn hash_text(text: &str, seed: u64) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), seed)
}
