//! Converts between JavaScript's numbers and the core's integers.

use presence_core::Now;
use presence_core::model::entry::MAX_SAFE_INTEGER;

/// Returns the time on both clocks, in ms.
pub(crate) fn now(age_ms: f64, wall_ms: f64) -> Now {
    Now {
        age_ms: integer(age_ms),
        wall_ms: integer(wall_ms),
    }
}

/// Truncates a number. Values out of range become 0 or the greatest integer that JavaScript represents exactly;
/// `NaN` becomes 0.
pub(crate) fn integer(number: f64) -> u64 {
    // `as` saturates, and converts `NaN` to 0.
    (number as u64).min(MAX_SAFE_INTEGER)
}

/// Returns an integer as a number; all of the core's integers are small enough to be exact.
pub(crate) fn number(integer: u64) -> f64 {
    integer as f64
}
