//! The one sort of the client.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;

/// What things are sorted by. Whatever it is, it is made a pair of numbers: each kind of key would
/// bring its own sort into the browser.
pub(crate) type Rank = (u64, u64);

/// The ranks, ascending. By way of a heap, which is a tenth of the code of `slice::sort`; lists are short.
pub(crate) fn sorted(ranks: Vec<Rank>) -> Vec<Rank> {
    // As they come, mostly: gateways list the newest first.
    if ranks.is_sorted() {
        return ranks;
    }
    BinaryHeap::from(ranks).into_sorted_vec()
}
