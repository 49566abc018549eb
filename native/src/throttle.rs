//! Lines that anybody can cause, in bounded number.

use std::sync::atomic::{AtomicU64, Ordering};

/// At most one such line per this many ms.
const INTERVAL_MS: u64 = 60_000;

/// Lets one through per minute.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    /// When the next may pass, on `Now::age_ms`.
    next_ms: AtomicU64,
}

impl Throttle {
    /// Whether to say it now.
    pub(crate) fn passes(&self, now_ms: u64) -> bool {
        let next = self.next_ms.load(Ordering::Relaxed);
        let passes = now_ms >= next;
        if passes {
            self.next_ms
                .store(now_ms.saturating_add(INTERVAL_MS), Ordering::Relaxed);
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_per_minute() {
        let throttle = Throttle::default();
        let passed: Vec<u64> = (0..200_000)
            .step_by(1_000)
            .filter(|&now| throttle.passes(now))
            .collect();
        assert_eq!(passed, [0, 60_000, 120_000, 180_000]);
    }
}
