//! The difference of a device's `signedAt` from the gateway's clock, as text for the refusal (SPEC 4).

use alloc::format;
use alloc::string::String;

/// A `signedAt` in another unit than ms is recognised when it is this close to now, in ms: one year.
const UNIT_RANGE_MS: u64 = 366 * 86_400_000;
/// Greatest difference that is stated in seconds, in ms.
const MAX_IN_SECONDS_MS: u64 = 2 * 3_600_000;
/// Greatest difference that is stated in minutes, in ms; greater ones are in days.
const MAX_IN_MINUTES_MS: u64 = 2 * 86_400_000;

/// The hint in the parentheses of a refusal: by how much and which way the client's clock is off, and what to sign
/// instead. Both times are in ms since the Unix epoch; `now_ms` is the gateway's.
pub(super) fn hint(signed_at_ms: u64, now_ms: u64) -> String {
    let fits = |ms: u64| ms.abs_diff(now_ms) < UNIT_RANGE_MS;
    let other_units = [
        (signed_at_ms.saturating_mul(1_000), "seconds"),
        (signed_at_ms / 1_000, "microseconds"),
        (signed_at_ms / 1_000_000, "nanoseconds"),
    ];
    let difference = match other_units.into_iter().find(|&(ms, _)| fits(ms)) {
        Some((_, unit)) if !fits(signed_at_ms) => format!("signedAt is in {unit}, not in ms"),
        _ => {
            let off_ms = signed_at_ms.abs_diff(now_ms);
            let way = if signed_at_ms < now_ms { "behind" } else { "ahead" };
            let (unit_ms, unit) = if off_ms <= MAX_IN_SECONDS_MS {
                (1_000, "s")
            } else if off_ms <= MAX_IN_MINUTES_MS {
                (60_000, "min")
            } else {
                (86_400_000, "days")
            };
            // Rounded up, so that the stated number is not below the allowed difference.
            format!("your clock is {} {unit} {way}", off_ms.div_ceil(unit_ms))
        }
    };
    difference + "; sign with the ts of connect.challenge"
}

#[cfg(test)]
mod tests {
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
            let hint = hint(signed_at_ms, NOW_MS);
            let (difference, remedy) = hint.split_once("; ").unwrap();
            assert_eq!(difference, words);
            assert_eq!(remedy, "sign with the ts of connect.challenge");
        }
    }

    #[test]
    fn another_unit_is_named() {
        for (signed_at_ms, now_ms, words) in [
            (NOW_MS / 1_000, NOW_MS, "signedAt is in seconds, not in ms"),
            (
                NOW_MS / 1_000 - 3_600,
                NOW_MS,
                "signedAt is in seconds, not in ms",
            ),
            (NOW_MS * 1_000, NOW_MS, "signedAt is in microseconds, not in ms"),
            (
                NOW_MS * 1_000_000,
                NOW_MS,
                "signedAt is in nanoseconds, not in ms",
            ),
            // A gateway whose clock is at 1970: everything is near 0 in every unit, and ms is meant.
            (0, 300_000, "your clock is 300 s behind"),
        ] {
            assert_eq!(
                hint(signed_at_ms, now_ms),
                format!("{words}; sign with the ts of connect.challenge")
            );
        }
    }
}
