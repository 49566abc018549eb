//! Bounds of a roster.

use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::setting::{InvalidSetting, count, within};

/// How long a row lives after its last proof of life, in ms (SPEC 1.5).
pub const DEFAULT_TTL_MS: u64 = 300_000;

/// Most rows, self included (SPEC 1.5).
pub const DEFAULT_MAX_ENTRIES: usize = 200;

/// The shortest TTL, in ms: pings come four times as often.
const MIN_TTL_MS: u64 = 1_000;
/// The greatest cap.
const MOST_ENTRIES: u64 = 1 << 30;

/// Bounds of a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RosterConfig {
    /// How long a row lives after its last proof of life, in ms.
    pub ttl_ms: u64,
    /// Most rows, self included; less than 2 counts as 2.
    pub max_entries: usize,
    /// Seed of the hash tables; no output depends on it. Must be unguessable if keys come from untrusted clients.
    pub hash_seed: u64,
}

impl RosterConfig {
    /// Checks the bounds: a TTL of 1,000 ms to 2^53 - 1 ms, a cap of 2 to 2^30 rows.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the one that is out of bounds.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        within("ttl_ms", self.ttl_ms, MIN_TTL_MS..=MAX_SAFE_INTEGER)?;
        within("max_entries", count(self.max_entries), 2..=MOST_ENTRIES)
    }
}

impl Default for RosterConfig {
    fn default() -> Self {
        Self {
            ttl_ms: DEFAULT_TTL_MS,
            max_entries: DEFAULT_MAX_ENTRIES,
            hash_seed: 0,
        }
    }
}
