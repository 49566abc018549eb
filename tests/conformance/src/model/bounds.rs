//! Cap and quota (SPEC 1.5, "Eviction").

use super::Model;
use super::row::ModelRow;
use super::text::Key;

impl Model {
    pub(super) fn live_rows(&self) -> usize {
        self.rows.iter().filter(|row| !row.live.is_empty()).count()
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.step(None, |model| drop(model.rows.remove(at)));
        self.version += 1;
    }

    // ---- bounds -------------------------------------------------------------------------------

    /// SPEC 1.5, "Eviction".
    pub(super) fn evict_over_cap(&mut self, kept: u64) {
        while self.len() > self.cap {
            let group = |row: &ModelRow| match (row.live.is_empty(), row.was_connected, &row.key) {
                (true, true, _) => 1,
                (true, false, _) => 2,
                (false, _, Key::Connection(_)) => 3,
                (false, _, Key::Named(_)) => 4,
            };
            let first = self.rows.iter().filter(|row| row.id != kept).map(group).min();
            self.evict_least_fresh(|row| row.id != kept && Some(group(row)) == first);
        }
    }

    /// A tenth of the cap; at least one, or small rosters could not have other writers' beacons.
    pub(super) fn evict_over_quota(&mut self, conn: u64) {
        let is_held = |row: &ModelRow| row.holder == Some(conn);
        while self.rows.iter().filter(|row| is_held(row)).count() > (self.cap / 10).max(1) {
            self.evict_least_fresh(is_held);
        }
    }

    pub(super) fn evict_least_fresh(&mut self, is_wanted: impl Fn(&ModelRow) -> bool) {
        let least = (0..self.rows.len())
            .filter(|&at| is_wanted(&self.rows[at]))
            .min_by_key(|&at| self.rows[at].freshness());
        if let Some(at) = least {
            self.remove(at);
        }
    }
}
