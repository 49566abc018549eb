//! Seeded randomness, the same on every machine: a failure names the seed that replays it.

pub use presence_simulation::Rng;

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
