//! Expiry of rows, and its delay (SPEC 1.5).

use super::Row;
use crate::model::status::{Status, Thresholds, has_left};
use crate::model::time::Now;
use crate::roster::history::RowRemoval;
use crate::roster::{Roster, RowId};

/// The number of expired rows so far, and the longest delay of an expiry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiries {
    /// Rows that expired.
    pub rows: u64,
    /// Longest time, in ms, that a row was listed after its TTL. The TTL of a row that waited for a pong after a
    /// suspension of the machine ends with that window, and the suspension itself does not count.
    pub max_overstay_ms: u64,
    /// Whether the machine was suspended, and rows that expired meanwhile are not removed yet.
    pub(super) has_slept: bool,
}

impl Roster {
    /// The rows that expired so far.
    #[must_use]
    pub fn expiries(&self) -> Expiries {
        self.expiries
    }

    /// The number of rows by status, in the order of [`Status`]: self included, and of this gateway only.
    #[must_use]
    pub fn statuses(&self, now: Now) -> [usize; 4] {
        let thresholds = Thresholds::default();
        let mut counts = [0; 4];
        // The gateway's own row is touched by each list.
        counts[Status::Active as usize] = 1;
        for id in self.store.ids() {
            let row: &Row = &self.store[id];
            let age_ms = now.age_ms.saturating_sub(row.written_ms);
            let status = thresholds.display_status(has_left([row.fields.reason.as_deref()]), age_ms);
            counts[status as usize] += 1;
        }
        counts
    }

    /// Removes the rows that are older than their TTL.
    pub(super) fn expire_old(&mut self, now: Now) {
        while let Some(id) = self.store.next_to_expire()
            && self.is_over(&self.store[id], now.age_ms)
        {
            let over_ms = self.store[id].proof_ms.saturating_add(self.config.ttl_ms);
            self.expire(id, over_ms, now);
        }
        while let Some(&(end_ms, id)) = self.own_ends.first()
            && end_ms < now.age_ms
        {
            self.expire(id, end_ms, now);
        }
        self.expiries.has_slept = false;
        while now.age_ms >= self.spared_until_ms
            && let Some(id) = self.store.next_spared()
        {
            self.expire(id, self.spared_until_ms, now);
        }
    }

    /// Gives a row without a live connection a TTL of its own, up to its next proof of life.
    pub(in crate::roster) fn set_own_ttl(&mut self, id: RowId, ttl_ms: Option<u64>) {
        let row = &mut self.store[id];
        if row.live.is_empty() && ttl_ms.is_some_and(|ttl_ms| ttl_ms < self.config.ttl_ms) {
            row.own_ttl_ms = ttl_ms;
            self.own_ends.extend(row.own_end_ms().map(|end_ms| (end_ms, id)));
        }
    }

    /// Ends the row's own TTL, before a proof of life or its end.
    pub(super) fn end_own_ttl(&mut self, id: RowId) {
        let row = &mut self.store[id];
        if let Some(end_ms) = row.own_end_ms() {
            row.own_ttl_ms = None;
            self.own_ends.remove(&(end_ms, id));
        }
    }

    /// Removes a row that had to expire at `over_ms`.
    fn expire(&mut self, id: RowId, over_ms: u64, now: Now) {
        self.expiries.rows += 1;
        if !self.expiries.has_slept {
            let overstay_ms = now.age_ms.saturating_sub(over_ms);
            self.expiries.max_overstay_ms = self.expiries.max_overstay_ms.max(overstay_ms);
        }
        self.remove(id, RowRemoval::Expired, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::beacon::Beacon;
    use crate::model::entry::PresenceEntry;
    use crate::roster::{Holder, RosterConfig};

    const START: Now = Now {
        age_ms: 0,
        wall_ms: 1_700_000_000_000,
    };

    fn with_a_row() -> Roster {
        let mut roster = Roster::new(RosterConfig::default(), PresenceEntry::default(), START);
        let beacon = Beacon {
            text: "Node: pi".into(),
            ..Beacon::default()
        };
        roster.beacon(&beacon, Holder::Unlimited, START).unwrap();
        roster
    }

    #[test]
    fn a_late_timer_is_an_overstay() {
        let mut roster = with_a_row();
        roster.settle(START.after(300_000));
        assert_eq!(roster.expiries(), Expiries::default());
        roster.settle(START.after(300_700));
        let expiries = roster.expiries();
        assert_eq!((expiries.rows, expiries.max_overstay_ms), (1, 700));
    }

    #[test]
    fn a_suspension_is_not_an_overstay() {
        let mut roster = with_a_row();
        let woke = START.after(900_000);
        roster.spare_live_rows(woke.after(25_000).age_ms);
        roster.settle(woke);
        let expiries = roster.expiries();
        assert_eq!((expiries.rows, expiries.max_overstay_ms), (1, 0));
    }

    #[test]
    fn a_row_expires_by_its_own_ttl_unless_another_beacon_renews_it() {
        let mut roster = with_a_row();
        let beacon = |ttl_ms| Beacon {
            instance_id: Some("cron".into()),
            ttl_ms,
            ..Beacon::new("Node: cron")
        };
        roster
            .beacon(&beacon(Some(10_000)), Holder::Unlimited, START)
            .unwrap();
        assert_eq!(roster.poll_timeout(), Some(10_001));
        roster
            .beacon(&beacon(Some(20_000)), Holder::Unlimited, START.after(9_000))
            .unwrap();
        roster.settle(START.after(29_000));
        assert_eq!(roster.len(), 3);
        roster.settle(START.after(29_001));
        assert_eq!((roster.len(), roster.expiries().max_overstay_ms), (2, 1));
        // Without an own TTL, and with one that is not shorter, the roster's TTL applies.
        for ttl_ms in [Some(300_000), None] {
            roster
                .beacon(&beacon(Some(1_000)), Holder::Unlimited, START.after(30_000))
                .unwrap();
            roster
                .beacon(&beacon(ttl_ms), Holder::Unlimited, START.after(30_000))
                .unwrap();
            roster.settle(START.after(40_000));
            assert_eq!(roster.len(), 3);
        }
    }

    #[test]
    fn rows_are_counted_by_status() {
        let mut roster = with_a_row();
        assert_eq!(roster.statuses(START), [2, 0, 0, 0]);
        let later = START.after(120_001);
        roster.settle(later);
        assert_eq!(roster.statuses(later), [1, 1, 0, 0]);
    }
}
