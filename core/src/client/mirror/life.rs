//! Ageing and removal of rows (SPEC 3, "Ageing").

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Mirror, RemovalRule, Row};
use crate::model::ranked::ranked;
use crate::model::status::Status;

impl Mirror {
    /// Updates every status for `now_ms` and removes expired rows. Early or repeated calls do nothing.
    pub fn settle(&mut self, now_ms: u64) {
        if self.settled.contains(&now_ms) {
            return;
        }
        let life_ms = self.life_ms();
        let mut over: Vec<Arc<str>> = Vec::new();
        for row in self.rows.values_mut() {
            let age_ms = row.age_ms(now_ms);
            let status = self.config.thresholds.display_status(row.has_left, age_ms);
            if status != row.status {
                self.changes.note(&row.key, Some(row));
                Arc::make_mut(row).status = status;
            }
            if may_be_removed(self.removal_rule, row) && life_ms.is_some_and(|life_ms| age_ms > life_ms) {
                over.push(row.key.clone());
            }
        }
        self.drop_rows(&over, now_ms);
        let next_ms = self.rows.values().filter_map(|row| self.next_of(row)).min();
        self.settled = now_ms..next_ms.unwrap_or(u64::MAX);
    }

    /// Narrows the settled period to that of a row that was merged at `now_ms`.
    pub(super) fn narrow(&mut self, row: &Row, now_ms: u64) {
        let next_ms = self.next_of(row).unwrap_or(u64::MAX);
        self.settled = self.settled.start.max(now_ms)..self.settled.end.min(next_ms);
    }

    /// Returns when [`settle`](Self::settle) is next due: no status changes and no row is removed earlier. It
    /// may be too early after a delta that postponed the change.
    #[must_use]
    pub fn next_change_ms(&self) -> Option<u64> {
        Some(self.settled.end).filter(|&end_ms| end_ms < u64::MAX)
    }

    /// Returns when the status of a row changes, or the row is removed.
    pub(super) fn next_of(&self, row: &Row) -> Option<u64> {
        let goes = self
            .life_ms()
            .filter(|_| may_be_removed(self.removal_rule, row))
            .map(|life_ms| after(row, life_ms));
        earlier(self.status_change_ms(row), goes)
    }

    /// Returns when to request the gateway's list, because the current one will be insufficient: `lead_ms`
    /// before a status change, since touches may not have been announced; and when a row is past the TTL,
    /// since gateways do not always announce removals. `None` while offline.
    #[must_use]
    pub fn next_request_ms(&self, lead_ms: u64) -> Option<u64> {
        let listed_ms = self
            .listed_ms
            .filter(|_| self.removal_rule == RemovalRule::Gateway)?;
        let next = |row: &Arc<Row>| {
            let change = self
                .status_change_ms(row)
                .map(|change_ms| change_ms.saturating_sub(lead_ms));
            let expiry = Some(after(row, self.config.ttl_ms));
            // A list from that time or later already answered the request.
            earlier(
                change.filter(|&at_ms| listed_ms < at_ms),
                expiry.filter(|&at_ms| listed_ms < at_ms),
            )
        };
        self.rows.values().filter_map(next).min()
    }

    pub(super) fn enforce_cap(&mut self, now_ms: u64) {
        if self.removal_rule != RemovalRule::Mirror {
            return;
        }
        let excess = self.rows.len().saturating_sub(self.config.max_rows.max(1));
        if excess == 0 {
            return;
        }
        // Rows that left are evicted first, as on a gateway; then rows by ascending `ts`; ties by position in
        // the list.
        let freshness = |row: &Row| row.ts | u64::from(!row.has_left) << 63;
        let others = self.rows.values().filter(|row| !row.is_self()).collect();
        let others = ranked(others, |row: &&Arc<Row>| (freshness(row), row.place()));
        let excess: Vec<Arc<str>> = others.take(excess).map(|row| row.key.clone()).collect();
        self.drop_rows(&excess, now_ms);
    }

    /// Returns the age at which a row is removed, in ms; `None` if the gateway decides.
    fn life_ms(&self) -> Option<u64> {
        match self.removal_rule {
            RemovalRule::Gateway => None,
            RemovalRule::Lost => Some(self.config.ttl_ms.saturating_mul(2)),
            RemovalRule::Mirror => Some(self.config.ttl_ms),
        }
    }

    fn status_change_ms(&self, row: &Row) -> Option<u64> {
        let thresholds = self.config.thresholds;
        match row.status {
            Status::Active => Some(after(row, thresholds.active_ms)),
            Status::Idle => Some(after(row, thresholds.idle_ms)),
            Status::Stale | Status::Left => None,
        }
    }
}

/// Returns whether a row may be removed. A gateway never removes its own row; an unreachable gateway's row expires
/// like others.
pub(super) fn may_be_removed(removal_rule: RemovalRule, row: &Row) -> bool {
    removal_rule == RemovalRule::Lost || !row.is_self()
}

/// Returns the first time at which the row is older than `age_ms`.
fn after(row: &Row, age_ms: u64) -> u64 {
    row.ts.saturating_add(age_ms).saturating_add(1)
}

fn earlier(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
