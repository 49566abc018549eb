//! Sorting by numbers: one sort for all lists, since each type that is sorted costs browsers 2 kB.

use alloc::vec::Vec;

/// Sorts items by their ranks, ties in the order given.
pub(crate) fn ranked<T>(items: Vec<T>, rank: impl Fn(&T) -> (u64, u64)) -> impl Iterator<Item = T> {
    let ranks = items.iter().map(rank).zip(0..).collect();
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    sorted(ranks)
        .into_iter()
        .filter_map(move |(_, at)| items.get_mut(at)?.take())
}

fn sorted(mut ranks: Vec<((u64, u64), usize)>) -> Vec<((u64, u64), usize)> {
    ranks.sort_unstable();
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_stay_in_order() {
        let items = Vec::from([(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd')]);
        let sorted: Vec<char> = ranked(items, |item| (item.0, 0)).map(|item| item.1).collect();
        assert_eq!(sorted, ['b', 'd', 'a', 'c']);
    }
}
