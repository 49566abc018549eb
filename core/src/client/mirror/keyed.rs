//! The gateway's keyed list, and the digest of its rows.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use crate::digest::Digest;
use crate::instance::{Raw, keyed_group};
use crate::model::RawEntry;

/// A keyed list.
#[derive(Debug)]
pub(super) struct Keyed {
    /// The version that deltas start from.
    pub(super) version: u64,
    /// The gateway's rows by wire key.
    pub(super) raws: BTreeMap<Arc<str>, Arc<Raw>>,
    /// The position of the next row that the gateway adds.
    pub(super) next_place: u64,
    /// The digest of all rows, while it is comparable: `None` if the gateway's own snapshot has none or a
    /// different one, or after the mirror dropped rows that the gateway may still have.
    pub(super) digest: Option<Digest>,
}

impl Keyed {
    pub(super) fn agrees_with(&self, stated: &str) -> bool {
        self.digest.is_some_and(|digest| digest.to_hex() == stated)
    }

    /// Adds a row, at the next position unless it has one.
    pub(super) fn add(
        &mut self,
        wire_key: &str,
        place: Option<u64>,
        entry: RawEntry,
        now_ms: u64,
    ) -> Arc<Raw> {
        let place = place.unwrap_or_else(|| {
            self.next_place += 1;
            self.next_place - 1
        });
        let group = keyed_group(&entry, wire_key);
        let wire_key: Arc<str> = wire_key.into();
        let mut raw = Raw::new(group, place, entry, Some(wire_key.clone()), now_ms);
        if let Some(digest) = &mut self.digest {
            raw.digest = crate::digest::of_raw(&wire_key, &raw.entry);
            digest.add(raw.digest);
        }
        let raw = Arc::new(raw);
        self.raws.insert(wire_key, raw.clone());
        raw
    }

    /// Removes a row.
    pub(super) fn remove(&mut self, wire_key: &str) -> Option<Arc<Raw>> {
        let raw = self.raws.remove(wire_key)?;
        if let Some(digest) = &mut self.digest {
            digest.remove(raw.digest);
        }
        Some(raw)
    }

    /// Sets the `ts` of a row; returns the changed row.
    pub(super) fn touch(&mut self, wire_key: &str, ts: u64) -> Option<Arc<Raw>> {
        let raw = self.raws.get_mut(wire_key)?;
        Arc::make_mut(raw).touch(ts);
        Some(raw.clone())
    }
}
