//! Delays between connection attempts: exponential backoff with full jitter.

use crate::model::setting::{InvalidSetting, MAX_SPAN_MS, within};

/// The parameters of a [`Backoff`]. The defaults are those of OpenClaw's own client (reference 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffConfig {
    /// The upper bound of the first delay, in ms.
    pub initial_ms: u64,
    /// The factor by which the bound grows from one attempt to the next.
    pub factor: u32,
    /// The maximum bound, in ms.
    pub max_ms: u64,
    /// A connection that was live for this long, in ms, resets the bound.
    pub stable_ms: u64,
}

impl BackoffConfig {
    /// Checks the bounds: delays of 1 ms (`stable_ms`: 0) to [`MAX_SPAN_MS`], a factor of at least 1.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first setting that is out of bounds.
    pub fn validate(self) -> Result<(), InvalidSetting> {
        within("backoff.initial_ms", self.initial_ms, 1..=MAX_SPAN_MS)?;
        within("backoff.factor", self.factor.into(), 1..=u64::from(u32::MAX))?;
        within("backoff.max_ms", self.max_ms, 1..=MAX_SPAN_MS)?;
        within("backoff.stable_ms", self.stable_ms, 0..=MAX_SPAN_MS)
    }
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            initial_ms: 1_000,
            factor: 2,
            max_ms: 30_000,
            stable_ms: 30_000,
        }
    }
}

/// The delays between attempts: each is drawn uniformly from zero to a growing bound, so that clients which
/// lost their gateway together do not reconnect together.
#[derive(Clone, Debug)]
pub struct Backoff {
    config: BackoffConfig,
    bound_ms: u64,
    random: SplitMix64,
}

impl Backoff {
    /// Creates a backoff. `seed` determines all its delays.
    #[must_use]
    pub fn new(config: BackoffConfig, seed: u64) -> Self {
        Self {
            config,
            bound_ms: config.initial_ms,
            random: SplitMix64(seed),
        }
    }

    /// Returns the delay before the next attempt, in ms.
    pub fn next_ms(&mut self) -> u64 {
        let bound_ms = self.bound_ms.min(self.config.max_ms);
        self.bound_ms = bound_ms
            .saturating_mul(u64::from(self.config.factor))
            .min(self.config.max_ms);
        self.random.up_to(bound_ms)
    }

    /// Handles the end of a connection that was live for `live_ms`.
    pub fn handle_end(&mut self, live_ms: u64) {
        if live_ms >= self.config.stable_ms {
            self.reset();
        }
    }

    /// Resets the bound.
    pub fn reset(&mut self) {
        self.bound_ms = self.config.initial_ms;
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): jitter, never a secret.
#[derive(Clone, Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Draws uniformly from 0..=bound.
    fn up_to(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * (u128::from(bound) + 1);
        (wide >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs for seed 1234567, as published with the algorithm.
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn delays_stay_under_a_bound_that_doubles() {
        for seed in 0..200 {
            let mut backoff = Backoff::new(BackoffConfig::default(), seed);
            for bound in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
                assert!(backoff.next_ms() <= bound);
            }
        }
    }

    #[test]
    fn delays_use_the_whole_range() {
        let mut backoff = Backoff::new(
            BackoffConfig {
                factor: 1,
                ..BackoffConfig::default()
            },
            7,
        );
        let mut buckets = [0; 10];
        for _ in 0..1_000 {
            let bucket = backoff.next_ms() / 101;
            buckets[usize::try_from(bucket).unwrap()] += 1;
        }
        assert!(buckets.iter().all(|&count| count > 60), "{buckets:?}");
    }

    #[test]
    fn only_a_stable_connection_resets_the_bound() {
        let mut backoff = Backoff::new(BackoffConfig::default(), 1);
        for _ in 0..5 {
            backoff.next_ms();
        }
        backoff.handle_end(29_999);
        assert_eq!(backoff.bound_ms, 30_000);
        backoff.handle_end(30_000);
        assert_eq!(backoff.bound_ms, 1_000);
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        let config = BackoffConfig {
            initial_ms: u64::MAX,
            factor: u32::MAX,
            max_ms: u64::MAX,
            stable_ms: 0,
        };
        let mut backoff = Backoff::new(config, 3);
        backoff.next_ms();
        backoff.next_ms();
        let zero = BackoffConfig {
            initial_ms: 0,
            factor: 0,
            max_ms: 0,
            stable_ms: 0,
        };
        assert_eq!(Backoff::new(zero, 3).next_ms(), 0);
    }
}
