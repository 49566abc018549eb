//! The index of a keyed list: where the row of each key is, and the digest of all.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use super::group::keyed_group;
use super::row::Raw;
use crate::digest::Digest;
use crate::model::RawEntry;

/// The index of a keyed list.
#[derive(Debug)]
pub(super) struct Keyed {
    /// The version that deltas start from.
    pub(super) version: u64,
    /// The gateway's rows by wire key.
    pub(super) spots: BTreeMap<Arc<str>, Spot>,
    /// The place of the next row that the gateway adds.
    pub(super) next_place: u64,
    /// Of all rows, while it is compared: not if the gateway's own snapshot states none or disagrees, nor once
    /// the mirror dropped rows that the gateway may still have.
    pub(super) digest: Option<Digest>,
}

/// The position of one of the gateway's rows.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// The key of the row that it is merged into.
    pub(super) group: Arc<str>,
    /// Its place in the gateway's list.
    pub(super) place: u64,
}

impl Keyed {
    pub(super) fn agrees_with(&self, stated: &str) -> bool {
        self.digest.is_some_and(|digest| digest.to_hex() == stated)
    }

    /// Adds a row, at the next place unless it has one; returns it and the key of the row it is merged into.
    pub(super) fn add(
        &mut self,
        wire_key: &str,
        place: Option<u64>,
        entry: RawEntry,
        now_ms: u64,
    ) -> (Arc<str>, Raw) {
        let place = place.unwrap_or_else(|| {
            self.next_place += 1;
            self.next_place - 1
        });
        let group: Arc<str> = keyed_group(&entry, wire_key).into();
        let wire_key: Arc<str> = wire_key.into();
        let spot = Spot {
            group: group.clone(),
            place,
        };
        self.spots.insert(wire_key.clone(), spot);
        let mut raw = Raw::new(place, entry, Some(wire_key.clone()), now_ms);
        if let Some(digest) = &mut self.digest {
            raw.digest = crate::digest::of_raw(&wire_key, &raw.entry);
            digest.add(raw.digest);
        }
        (group, raw)
    }

    /// Removes a row from the digest.
    pub(super) fn uncount(&mut self, raw: &Raw) {
        if let Some(digest) = &mut self.digest {
            digest.remove(raw.digest);
        }
    }
}
