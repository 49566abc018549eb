//! Lines of the log about evictions and disputed ids in the hub, at most one a minute of each kind.

use presence_core::Now;
use tracing::warn;

use super::Driver;

impl Driver {
    /// Logs the number of rows evicted since the last such line, at most once a minute.
    pub(super) fn log_evictions(&mut self, now: Now) {
        let evictions = self.hub.evictions();
        if evictions == self.logged_evictions || !self.eviction_lines.passes(now.age_ms) {
            return;
        }
        let logged = std::mem::replace(&mut self.logged_evictions, evictions);
        let rows = evictions.total() - logged.total();
        let over_quota = evictions.over_quota - logged.over_quota;
        if rows == over_quota {
            warn!(
                rows,
                over_quota,
                "rows evicted: a client without operator.admin reports about more others than a tenth of max_entries"
            );
            return;
        }
        warn!(
            rows,
            live = evictions.live - logged.live,
            over_quota,
            "rows evicted: the roster is full, of rows or of bytes; raise max_entries if live rows are missing \
             (above 1,953 it raises the bytes, too)"
        );
    }

    /// Logs how often clients used ids of other clients, at most once a minute.
    pub(super) fn log_disputes(&mut self, now: Now) {
        let disputes = self.hub.disputes();
        if disputes == self.logged_disputes || !self.dispute_lines.passes(now.age_ms) {
            return;
        }
        let logged = std::mem::replace(&mut self.logged_disputes, disputes);
        let shared = disputes.shared - logged.shared;
        if shared > 0 {
            warn!(
                shared,
                "clients of different hosts use one instanceId and share a row: a cloned disk or home keeps the id \
                 of the original; give each machine an instanceId of its own"
            );
        }
        if disputes.total() - logged.total() == shared {
            return;
        }
        warn!(
            apart = disputes.apart - logged.apart,
            moved = disputes.moved - logged.moved,
            refused_beacons = disputes.refused - logged.refused,
            "clients use ids that belong to another device key: they are listed without ids; give each client an \
             instanceId of its own"
        );
    }
}
