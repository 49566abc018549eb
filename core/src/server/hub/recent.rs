//! The newest deltas, for readers of streams that reconnect after a short break.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::wire::EventFrame;

/// Most bytes of deltas that are kept.
const MAX_BYTES: usize = 64 * 1024;

/// Consecutive deltas: each begins at the version at which the previous one ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    /// With the versions they lead from and to.
    deltas: VecDeque<(u64, u64, Arc<EventFrame>)>,
    bytes: usize,
    /// The last version with touches that are in no later delta.
    touched: u64,
}

impl Recent {
    /// Keeps a delta. The oldest ones make room.
    pub(super) fn push(&mut self, from: u64, to: u64, delta: &Arc<EventFrame>) {
        if self.deltas.back().is_some_and(|(_, last, _)| *last != from) {
            self.restart(self.touched);
        }
        self.bytes += delta.len();
        self.deltas.push_back((from, to, Arc::clone(delta)));
        while self.bytes > MAX_BYTES
            && let Some((.., delta)) = self.deltas.pop_front()
        {
            self.bytes -= delta.len();
        }
    }

    /// Drops all deltas, after changes without a delta, or touches at this version without one.
    pub(super) fn restart(&mut self, touched: u64) {
        *self = Self {
            touched,
            ..Self::default()
        };
    }

    /// Whether the deltas from this version on have all touches since it.
    pub(super) fn has_touches_since(&self, version: u64) -> bool {
        version > self.touched
    }

    /// The deltas that lead from this version to the last one, which is returned too.
    pub(super) fn since(&self, version: u64) -> Option<(u64, Vec<Arc<EventFrame>>)> {
        if !self.has_touches_since(version) {
            return None;
        }
        let first = self.deltas.iter().position(|(from, ..)| *from == version)?;
        let (_, last, _) = self.deltas.back()?;
        let deltas = self.deltas.range(first..).map(|(.., delta)| Arc::clone(delta));
        Some((*last, deltas.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(bytes: usize) -> Arc<EventFrame> {
        Arc::new(EventFrame::new("presence.delta", "x".repeat(bytes)))
    }

    #[test]
    fn only_an_unbroken_chain_of_deltas_is_resumed() {
        let mut recent = Recent::default();
        assert_eq!(recent.since(1), None);
        let deltas = [delta(1), delta(2), delta(3)];
        recent.push(1, 2, &deltas[0]);
        recent.push(2, 5, &deltas[1]);
        assert_eq!(recent.since(1), Some((5, deltas[..2].to_vec())));
        assert_eq!(recent.since(2), Some((5, deltas[1..2].to_vec())));
        for unknown in [0, 3, 5] {
            assert_eq!(recent.since(unknown), None, "{unknown}");
        }
        recent.push(6, 7, &deltas[2]);
        assert_eq!(recent.since(1), None, "5 to 6 is not known");
        assert_eq!(recent.since(6), Some((7, deltas[2..].to_vec())));
    }

    #[test]
    fn the_oldest_deltas_are_dropped_first() {
        let mut recent = Recent::default();
        for from in 1..5 {
            recent.push(from, from + 1, &delta(MAX_BYTES / 3));
        }
        assert_eq!(recent.since(2), None);
        assert!(recent.since(3).is_some());
        recent.push(5, 6, &delta(MAX_BYTES + 1));
        assert!((1..7).all(|version| recent.since(version).is_none()));
        assert_eq!(recent.bytes, 0);
    }
}
