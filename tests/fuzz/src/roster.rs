//! Histories of the roster against the naive model: the operations of the property `the_roster_equals_the_naive_model`.

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::history::{Op, op};
use crate::pair::play;

const TTLS_MS: [u64; 3] = [1_000, 10_000, 300_000];
/// Longer histories find no more defects.
const MAX_OPS: usize = 80;

/// Makes a history of the bytes and applies it to the roster and to the model. Four bytes make one operation, so that
/// a change of one of them changes that operation only.
///
/// # Panics
/// When the two differ after any operation.
pub fn run(data: &[u8]) {
    let Some((&[cap, ttl], rest)) = data.split_first_chunk() else {
        return;
    };
    let ttl_ms = TTLS_MS[usize::from(ttl) % TTLS_MS.len()];
    let steps = rest.chunks_exact(4).take(MAX_OPS);
    let history: Vec<(u64, Op)> = steps
        .filter_map(|step| Some((pause(step[0], ttl_ms), chosen(step, ttl_ms)?)))
        .collect();
    play(2 + usize::from(cap) % 29, ttl_ms, &history);
}

/// Mostly none, at most a sixteenth of the TTL.
fn pause(byte: u8, ttl_ms: u64) -> u64 {
    u64::from(byte.saturating_sub(192)) * ttl_ms / 16 / 64
}

fn chosen(step: &[u8], ttl_ms: u64) -> Option<Op> {
    let mut seed = [0; 32];
    seed[..step.len()].copy_from_slice(step);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    Some(op(ttl_ms).new_tree(&mut runner).ok()?.current())
}
