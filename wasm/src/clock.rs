//! Numbers of JavaScript as the integers of the core.

use presence_core::Now;
use presence_core::model::entry::MAX_SAFE_INTEGER;

/// Both clocks, in ms.
pub(crate) fn now(age_ms: f64, wall_ms: f64) -> Now {
    Now {
        age_ms: integer(age_ms),
        wall_ms: integer(wall_ms),
    }
}

/// Cuts the fraction off. Values out of range and `NaN` become 0 or the greatest integer that JavaScript
/// holds exactly.
pub(crate) fn integer(number: f64) -> u64 {
    // `as` saturates, and makes 0 of what is not a number.
    (number as u64).min(MAX_SAFE_INTEGER)
}

/// An integer for JavaScript; all of the core's are small enough to be exact.
pub(crate) fn number(integer: u64) -> f64 {
    integer as f64
}
