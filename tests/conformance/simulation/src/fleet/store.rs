//! A server with the two buckets of a fleet (SPEC 7.1): one value per key, revisions, markers, and ages by its own
//! clock.

use std::collections::BTreeMap;

use presence_core::cluster::{LEASE_MS, ROW_AGE_MS};

/// One of the buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bucket {
    Rows,
    Leases,
}

/// The value of a key in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Put(Vec<u8>),
    Deleted,
    /// It expired on the server.
    Expired,
}

/// The last write of a key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) bucket: Bucket,
    pub(super) key: String,
    pub(super) revision: u64,
    /// When it was written, by the clock of the server.
    pub(super) written_ms: u64,
    pub(super) value: Value,
}

/// The server.
#[derive(Debug)]
pub(super) struct Store {
    /// Its clock.
    pub(super) now_ms: u64,
    /// Whether it keeps the buckets on disk.
    is_on_disk: bool,
    rows: Keys,
    leases: Keys,
    /// Writes so far.
    pub(super) writes: u64,
}

#[derive(Debug, Default)]
struct Keys {
    entries: BTreeMap<String, Entry>,
    revision: u64,
}

impl Store {
    pub(super) fn new(is_on_disk: bool) -> Self {
        Self {
            now_ms: 1_000_000_000,
            is_on_disk,
            rows: Keys::default(),
            leases: Keys::default(),
            writes: 0,
        }
    }

    /// Ends its process. Values in memory are lost, and so are the revisions.
    pub(super) fn end(&mut self) {
        if !self.is_on_disk {
            (self.rows, self.leases) = Default::default();
        }
    }

    pub(super) fn get(&self, bucket: Bucket, key: &str) -> Option<&Entry> {
        self.keys(bucket).entries.get(key)
    }

    /// Writes without a condition, and returns the entry for watchers.
    pub(super) fn put(&mut self, bucket: Bucket, key: &str, value: Value) -> Entry {
        self.writes += 1;
        let written_ms = self.now_ms;
        let keys = self.keys_mut(bucket);
        keys.revision += 1;
        let entry = Entry {
            bucket,
            key: key.into(),
            revision: keys.revision,
            written_ms,
            value,
        };
        keys.entries.insert(key.into(), entry.clone());
        entry
    }

    /// All entries in the order of their revisions.
    pub(super) fn entries(&self, bucket: Bucket) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.keys(bucket).entries.values().cloned().collect();
        entries.sort_by_key(|entry| entry.revision);
        entries
    }

    /// The last revision, or 0 if there is no entry.
    pub(super) fn end_of(&self, bucket: Bucket) -> u64 {
        let keys = self.keys(bucket);
        if keys.entries.is_empty() { 0 } else { keys.revision }
    }

    /// Removes expired entries; returns the markers.
    pub(super) fn expire(&mut self) -> Vec<Entry> {
        let mut markers = Vec::new();
        if self.next_due_ms().is_none_or(|due_ms| due_ms > self.now_ms) {
            return markers;
        }
        for bucket in [Bucket::Rows, Bucket::Leases] {
            let mut old = self.entries(bucket);
            old.retain(|entry| self.is_old(entry));
            for entry in old {
                if let Value::Put(_) = entry.value {
                    markers.push(self.put(bucket, &entry.key, Value::Expired));
                } else {
                    self.keys_mut(bucket).entries.remove(&entry.key);
                }
            }
        }
        markers
    }

    /// When the next entry expires, by its clock.
    pub(super) fn next_due_ms(&self) -> Option<u64> {
        let of = |bucket| {
            let entries = self.keys(bucket).entries.values();
            let oldest = entries.map(|entry| entry.written_ms).min()?;
            Some(oldest + max_age_ms(bucket))
        };
        [of(Bucket::Rows), of(Bucket::Leases)].into_iter().flatten().min()
    }

    fn is_old(&self, entry: &Entry) -> bool {
        self.now_ms >= entry.written_ms + max_age_ms(entry.bucket)
    }

    fn keys(&self, bucket: Bucket) -> &Keys {
        match bucket {
            Bucket::Rows => &self.rows,
            Bucket::Leases => &self.leases,
        }
    }

    fn keys_mut(&mut self, bucket: Bucket) -> &mut Keys {
        match bucket {
            Bucket::Rows => &mut self.rows,
            Bucket::Leases => &mut self.leases,
        }
    }
}

fn max_age_ms(bucket: Bucket) -> u64 {
    match bucket {
        Bucket::Rows => ROW_AGE_MS,
        Bucket::Leases => LEASE_MS,
    }
}
