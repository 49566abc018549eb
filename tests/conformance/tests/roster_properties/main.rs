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

use crate::history::{Op, history};
use crate::pair::{Pair, check_nothing_erased};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        max_shrink_time: 20_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn roster_is_the_model((cap, ttl_ms, history) in history()) {
        let mut pair = Pair::new(cap, ttl_ms);
        let mut before = pair.check();
        for (pause_ms, op) in &history {
            pair.now = pair.now.after(*pause_ms);
            pair.apply(op);
            let after = pair.check();
            let may_clear = matches!(
                op,
                Op::Beacon(b, _) | Op::OwnBeacon(_, b) | Op::RowlessBeacon(_, b) if b.clear_last_input
            )
                || matches!(op, Op::Report(_, None) | Op::Withdraw(_));
            // A close, or a move, takes along what only its connection had.
            if !matches!(op, Op::Close(..)) && !pair.has_moved {
                check_nothing_erased(&before, &after, may_clear);
            }
            before = after;
        }
        // An abandoned roster empties itself, in no more steps than it has rows.
        for _ in 0..=pair.real.len() + 1 {
            pair.apply(&Op::Deadline);
            pair.check();
        }
        prop_assert_eq!(pair.real.len(), 1);
        prop_assert_eq!(pair.real.poll_timeout(), None);
    }
}
