//! How a device's `signedAt` misses the gateway's clock, in words for the refusal (SPEC 4).

use core::fmt;

/// A `signedAt` in another unit than ms is recognised when it is this close to now, in ms: one year.
const UNIT_RANGE_MS: u64 = 366 * 86_400_000;
/// Up to here a difference is stated in seconds, in ms.
const MAX_IN_SECONDS_MS: u64 = 2 * 3_600_000;
/// Up to here a difference is stated in minutes, in ms; beyond it in days.
const MAX_IN_MINUTES_MS: u64 = 2 * 86_400_000;

/// The difference between `signedAt` and the gateway's clock. `Display` is the hint in the parentheses
/// of a refusal: by how much and which way the client's clock is off, and what to sign instead.
///
/// ```
/// use presence_core::wire::Skew;
/// let now_ms = 1_800_000_000_000;
/// assert_eq!(
///     Skew::of(now_ms - 180_000, now_ms).to_string(),
///     "your clock is 180 s behind; sign with the ts of connect.challenge",
/// );
/// assert_eq!(
///     Skew::of(now_ms / 1_000, now_ms).to_string(),
///     "signedAt is in seconds, not in ms; sign with the ts of connect.challenge",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// The client's clock is behind by this many ms.
    Behind(u64),
    /// The client's clock is ahead by this many ms.
    Ahead(u64),
    /// `signedAt` fits the clock in this other unit ("seconds").
    Unit(&'static str),
}

impl Skew {
    /// The difference between a `signedAt` and the gateway's wall clock, both in ms since the Unix epoch.
    #[must_use]
    pub fn of(signed_at_ms: u64, now_ms: u64) -> Self {
        let fits = |ms: u64| ms.abs_diff(now_ms) < UNIT_RANGE_MS;
        if !fits(signed_at_ms) {
            for (ms, unit) in [
                (signed_at_ms.saturating_mul(1_000), "seconds"),
                (signed_at_ms / 1_000, "microseconds"),
                (signed_at_ms / 1_000_000, "nanoseconds"),
            ] {
                if fits(ms) {
                    return Self::Unit(unit);
                }
            }
        }
        let off_ms = signed_at_ms.abs_diff(now_ms);
        if signed_at_ms < now_ms {
            Self::Behind(off_ms)
        } else {
            Self::Ahead(off_ms)
        }
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (off_ms, way) = match *self {
            Self::Unit(unit) => {
                return write!(
                    f,
                    "signedAt is in {unit}, not in ms; sign with the ts of connect.challenge"
                );
            }
            Self::Behind(ms) => (ms, "behind"),
            Self::Ahead(ms) => (ms, "ahead"),
        };
        let (unit_ms, unit) = if off_ms <= MAX_IN_SECONDS_MS {
            (1_000, "s")
        } else if off_ms <= MAX_IN_MINUTES_MS {
            (60_000, "min")
        } else {
            (86_400_000, "days")
        };
        // Rounded up: the number stated is never below the difference that is allowed.
        let off = off_ms.div_ceil(unit_ms);
        write!(
            f,
            "your clock is {off} {unit} {way}; sign with the ts of connect.challenge"
        )
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const NOW_MS: u64 = 1_795_293_120_735;

    #[test]
    fn the_difference_has_a_size_a_unit_and_a_direction() {
        for (signed_at_ms, words) in [
            (NOW_MS - 120_001, "your clock is 121 s behind"),
            (NOW_MS + 120_001, "your clock is 121 s ahead"),
            (NOW_MS - 7_200_000, "your clock is 7200 s behind"),
            (NOW_MS - 7_200_001, "your clock is 121 min behind"),
            (NOW_MS + 18_000_000, "your clock is 300 min ahead"),
            (NOW_MS + 172_800_001, "your clock is 3 days ahead"),
            (0, "your clock is 20779 days behind"),
            (u64::MAX, "your clock is 213503961556 days ahead"),
        ] {
            let hint = Skew::of(signed_at_ms, NOW_MS).to_string();
            let (difference, remedy) = hint.split_once("; ").unwrap();
            assert_eq!(difference, words);
            assert_eq!(remedy, "sign with the ts of connect.challenge");
        }
    }

    #[test]
    fn another_unit_is_named() {
        assert_eq!(Skew::of(NOW_MS / 1_000, NOW_MS), Skew::Unit("seconds"));
        assert_eq!(Skew::of(NOW_MS / 1_000 - 3_600, NOW_MS), Skew::Unit("seconds"));
        assert_eq!(Skew::of(NOW_MS * 1_000, NOW_MS), Skew::Unit("microseconds"));
        assert_eq!(Skew::of(NOW_MS * 1_000_000, NOW_MS), Skew::Unit("nanoseconds"));
        // A gateway whose clock is at 1970: everything is near 0 in every unit, and ms is meant.
        assert_eq!(Skew::of(0, 300_000), Skew::Behind(300_000));
    }
}
