//! Beacons of several connections that write different hosts to one row in turn, as after a disk was cloned
//! (SPEC 1.2, "One id in two places").

use alloc::boxed::Box;

use super::row::{Field, HostTurn, Origin};
use super::rules::Report;
use super::{Roster, RowId};
use crate::model::time::Now;

/// The host of a row that a beacon of another connection replaced.
#[derive(Clone, Debug)]
pub(crate) struct ReplacedHost {
    /// The serial of the connection whose beacon had written it.
    pub(crate) conn: u64,
    pub(crate) host: Box<str>,
}

impl Roster {
    /// Notes the host that the beacon is about to replace, if a beacon of another connection wrote it.
    pub(super) fn note_replaced_host(&mut self, id: RowId, report: &Report<'_>) {
        let row = &self.store[id];
        let writer = row.stamps.of(Field::Host.into());
        // A live connection may have written the host with its handshake since.
        let is_of_other = row.writers.writer(Field::Host).is_none()
            && writer.is_some_and(|stamp| stamp.origin == Origin::Beacon && stamp.conn != report.conn());
        self.replaced_host = match (writer, row.fields.host.as_deref(), report.host()) {
            (Some(writer), Some(host), Some(new)) if is_of_other && host != new => Some(ReplacedHost {
                conn: writer.conn,
                host: host.into(),
            }),
            _ => None,
        };
    }

    /// The host that the last beacon replaced, if a beacon of another connection had written it.
    pub(crate) fn take_replaced_host(&mut self) -> Option<ReplacedHost> {
        self.replaced_host.take()
    }

    /// Notes that the connection `conn` returned to its row: it had written a host there, and its beacon replaced the
    /// host that `other` had written. Counts it if the two take turns.
    pub(crate) fn note_return(&mut self, id: RowId, conn: u64, other: u64, now: Now) {
        if !self.contains(id) {
            return;
        }
        let turns = self.store[id].turns.get_or_insert_default();
        if turns.note_return(conn, other, now.age_ms) {
            self.disputes.shared = self.disputes.shared.saturating_add(1);
        }
    }

    /// The last two connections that took turns in this row.
    pub(crate) fn turn(&self, id: RowId) -> Option<HostTurn> {
        let row = self.contains(id).then(|| &self.store[id])?;
        row.turns.as_ref()?.last()
    }
}
