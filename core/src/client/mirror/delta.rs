//! Deltas: the gateway sends what changed instead of the whole list (SPEC 2.1).

use xxhash_rust::xxh3::xxh3_64;

use super::Mirror;
use crate::digest::Digest;
use crate::model::json::Json;
use crate::model::raw_entry::RawEntry;

/// What became of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeltaOutcome {
    /// The mirror holds what the gateway holds.
    Applied,
    /// It is older than what the mirror holds.
    Old,
    /// Something is missing, or the digests disagree: ask for `presence.snapshot`.
    Gap,
}

impl Mirror {
    /// A keyed list arrived: `{presence, keys, version, digest}`, from a hello snapshot, a
    /// `presence.snapshot` event or the answer to that method. Returns whether it was one; if so, it
    /// replaces what was there, and deltas start from its version.
    pub fn apply_keyed(&mut self, snapshot: &Json, now_ms: u64) -> bool {
        let (Some(list), Some(keys), Some(version)) = (
            snapshot.get("presence").and_then(Json::as_array),
            snapshot.get("keys").and_then(Json::as_array),
            snapshot.get("version").and_then(Json::as_u64),
        ) else {
            return false;
        };
        let is_sound = keys.len() == list.len()
            && keys.iter().all(|key| key.as_str().is_some())
            && list.iter().all(|entry| matches!(entry, Json::Object(_)));
        if !is_sound {
            return false;
        }
        self.version = Some(version);
        self.begin_list(now_ms);
        // What nobody compares is not computed.
        self.compares_digests = snapshot.get("digest").is_some();
        for (key, entry) in keys.iter().zip(list) {
            if let (Some(key), Some(entry)) = (key.as_str(), RawEntry::new(entry)) {
                self.add(entry, Some(key.into()), now_ms);
            }
        }
        // Before the mirror's own cap: the digest is of what the gateway lists.
        self.compares_digests &= self.agrees_with(snapshot);
        self.end_list(now_ms);
        true
    }

    /// The payload of a `presence.delta` event arrived.
    ///
    /// A delta that cannot be read counts as a gap: the resync brings the mirror back in any case.
    pub fn apply_delta(&mut self, delta: &Json, now_ms: u64) -> DeltaOutcome {
        let (Some(version), Some(from), Some(to)) = (
            self.version,
            delta.get("from").and_then(Json::as_u64),
            delta.get("to").and_then(Json::as_u64),
        ) else {
            return DeltaOutcome::Gap;
        };
        if version < from {
            return DeltaOutcome::Gap;
        }
        // Touches alone come with from = to: nothing to catch up with, but news.
        let is_touch_only = from == to && version == to;
        if version >= to && !is_touch_only {
            return DeltaOutcome::Old;
        }
        if !is_touch_only {
            for removal in items(delta, "removals") {
                if let Some(place) = self.place_of(removal.get("key")) {
                    self.drop_raw(place);
                }
            }
            for upsert in items(delta, "upserts") {
                let key = upsert.get("key").and_then(Json::as_str);
                let entry = upsert.get("entry").and_then(RawEntry::new);
                let (Some(key), Some(entry)) = (key, entry) else {
                    // Half applied: the resync replaces everything.
                    self.rebuild(now_ms);
                    return DeltaOutcome::Gap;
                };
                match self.place_of(upsert.get("key")) {
                    // A known row keeps its place in the list.
                    Some(place) => {
                        self.drop_raw(place);
                        self.insert(place, entry, Some(key.into()), now_ms);
                    }
                    None => self.add(entry, Some(key.into()), now_ms),
                }
            }
        }
        for touch in items(delta, "touched") {
            let Some([key, ts]) = touch.as_array() else {
                continue;
            };
            if let (Some(place), Some(ts)) = (self.place_of(Some(key)), ts.as_u64()) {
                self.touch(place, ts);
            }
        }
        self.rebuild(now_ms);
        self.version = Some(to);
        let is_off = self.compares_digests && delta.get("digest").is_some() && !self.agrees_with(delta);
        self.settle(now_ms);
        self.enforce_cap(now_ms);
        if is_off {
            DeltaOutcome::Gap
        } else {
            DeltaOutcome::Applied
        }
    }

    /// The version that the next delta must start from; `None` if the gateway sends full lists.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// The digest of the rows as the gateway sent them; of no rows unless it sends keys.
    #[must_use]
    pub fn digest(&self) -> Digest {
        if self.compares_digests {
            return self.digest;
        }
        let mut digest = Digest::default();
        for raw in &self.raws {
            if let Some(key) = &raw.wire_key {
                digest.add(crate::digest::of_raw(key, &raw.entry));
            }
        }
        digest
    }

    /// Whether the mirror's rows are those that the digest in a snapshot or a delta is of.
    fn agrees_with(&self, payload: &Json) -> bool {
        let stated = payload.get("digest").and_then(Json::as_str);
        stated.is_some_and(|stated| self.digest.to_hex() == stated)
    }

    /// The place of the row with that wire key.
    fn place_of(&self, key: Option<&Json>) -> Option<u64> {
        let key = key?.as_str()?;
        let hash = xxh3_64(key.as_bytes());
        self.raws
            .iter()
            .find(|raw| raw.key_hash == hash && raw.wire_key.as_deref() == Some(key))
            .map(|raw| raw.place)
    }
}

fn items<'a>(delta: &'a Json, name: &str) -> &'a [Json] {
    delta.get(name).and_then(Json::as_array).unwrap_or_default()
}
