//! Bounds on what others can make us log.

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

/// The beginning of a text, of at most this many bytes.
pub(crate) fn start_of(text: &str, max_bytes: usize) -> &str {
    let mut end = max_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(start_of("aéz", 2), "a");
        assert_eq!(start_of("aéz", 3), "aé");
        assert_eq!(start_of("aéz", 300), "aéz");
    }

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
