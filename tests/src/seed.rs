//! Seeded randomness, the same on every machine: a failure names the seed that replays it.

use std::ops::RangeInclusive;

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator whose numbers follow from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the range.
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        let span = range.end() - range.start() + 1;
        range.start() + self.any() % span
    }

    /// Whether something happens that happens `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.any() % 100 < percent
    }

    /// One of the items.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let at = self.any() % items.len() as u64;
        &items[at as usize]
    }
}

/// Runs `test` with the seeds `0..count`, or only with the one in the environment variable `SEED`,
/// and says which it was if it fails.
///
/// # Panics
/// If `SEED` is not a number.
#[expect(
    clippy::panic,
    reason = "a test that ran with another seed than asked for would mislead"
)]
pub fn for_each_seed(count: u64, test: impl Fn(Rng)) {
    let seeds = match std::env::var("SEED") {
        Ok(seed) => match seed.parse() {
            Ok(seed) => seed..=seed,
            Err(_) => panic!("SEED={seed} is not a number"),
        },
        Err(_) => 0..=count - 1,
    };
    for seed in seeds {
        let _telltale = Telltale(seed);
        test(Rng::new(seed));
    }
}

struct Telltale(u64);

impl Drop for Telltale {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("replay with SEED={}", self.0);
        }
    }
}
