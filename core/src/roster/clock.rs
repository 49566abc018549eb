//! Conversion from the age clock, on which rows store moments, to the wall clock, on which they are shown.

use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::time::Now;

/// The wall clock and the age clock may drift apart by this much, in ms, before the wall clock counts as
/// stepped (SPEC 1.5).
pub const CLOCK_STEP_MS: u64 = 2_000;

/// The offset between the two clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    offset_ms: i64,
}

impl Clock {
    pub(super) fn new(now: Now) -> Self {
        let wall = i64::try_from(now.wall_ms.min(MAX_SAFE_INTEGER)).unwrap_or(0);
        let age = i64::try_from(now.age_ms.min(MAX_SAFE_INTEGER)).unwrap_or(0);
        Self {
            offset_ms: wall - age,
        }
    }

    #[cfg(feature = "recording")]
    pub(super) fn of_offset(offset_ms: i64) -> Self {
        Self { offset_ms }
    }

    #[cfg(feature = "recording")]
    pub(super) fn offset_ms(self) -> i64 {
        self.offset_ms
    }

    /// Follows a step of the wall clock; returns whether there was one.
    pub(super) fn follow(&mut self, now: Now) -> bool {
        let clock = Self::new(now);
        let has_stepped = clock.offset_ms.abs_diff(self.offset_ms) > CLOCK_STEP_MS;
        if has_stepped {
            *self = clock;
        }
        has_stepped
    }

    /// A moment of the age clock in ms since the Unix epoch.
    pub(super) fn wall_ms(self, age_ms: u64) -> u64 {
        age_ms.saturating_add_signed(self.offset_ms).min(MAX_SAFE_INTEGER)
    }

    /// The moment of an input, which may lie before the age clock's origin; before the epoch counts as the epoch.
    pub(super) fn input_wall_ms(self, at: i64) -> u64 {
        u64::try_from(at.saturating_add(self.offset_ms)).map_or(0, |at| at.min(MAX_SAFE_INTEGER))
    }
}

/// The moment `seconds` before `now_ms`; may lie before the clock's origin.
pub(super) fn moment_before(now_ms: u64, seconds: u64) -> i64 {
    let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let span = i64::try_from(seconds.min(MAX_SAFE_INTEGER).saturating_mul(1_000)).unwrap_or(i64::MAX);
    now_ms.saturating_sub(span)
}
