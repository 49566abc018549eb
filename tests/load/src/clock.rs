//! The machine's clocks, as the core's client takes them.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use presence_core::Now;

/// Age of the first reading: ages are subtracted from it and must not become negative.
const FIRST_AGE_MS: u64 = 3_600_000;

/// Reads both clocks.
pub(crate) fn now() -> Now {
    static START: OnceLock<Instant> = OnceLock::new();
    let age = START.get_or_init(Instant::now).elapsed();
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now {
        age_ms: FIRST_AGE_MS + u64::try_from(age.as_millis()).unwrap_or(u64::MAX - FIRST_AGE_MS),
        wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
    }
}
