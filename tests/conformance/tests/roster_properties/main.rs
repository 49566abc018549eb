//! The roster agrees with the naive model (`presence_conformance::model`) after every operation of any
//! history, and keeps its invariants.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod history;
mod pair;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use crate::history::history;
use crate::pair::play;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        max_shrink_time: 20_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_roster_equals_the_naive_model((cap, ttl_ms, history) in history()) {
        play(cap, ttl_ms, &history);
    }
}
