//! Ends of connections, and the shutdown.

use alloc::sync::Arc;

use super::journal::{Ended, RefusedClock};
use super::{ConnId, Hub, HubOutput, LeaveCause};
use crate::model::json::json_text;
use crate::model::time::Now;
use crate::server::{Item, Refused};
use crate::wire::{CloseFrame, EventFrame};

impl Hub {
    /// Removes a connection. A second call for it does nothing.
    pub fn leave(&mut self, conn: ConnId, cause: LeaveCause, now: Now) {
        self.advance(now);
        self.remove(conn, cause, now);
        self.announce(now);
    }

    /// Notes a refused handshake. Only refusals for the client's clock are kept, for findings.
    pub fn refused(&mut self, refused: &Refused, now: Now) {
        if let Some(skew_ms) = refused.clock_skew_ms {
            self.journal.note_refused(RefusedClock {
                at_ms: now.age_ms,
                client_id: refused.client.id.clone().unwrap_or_default(),
                skew_ms,
            });
        }
    }

    /// Announces the end to all connections: the last state, the `shutdown` event, then close 1012. Later joins
    /// get hello and the same close.
    pub fn shutdown(&mut self, reason: &str, now: Now) {
        if self.is_shut_down {
            return;
        }
        self.advance(now);
        self.broadcast(now);
        self.is_shut_down = true;
        self.heartbeats.clear();
        self.tick_at_ms = None;
        self.touch_at_ms = None;
        self.own_rows_at_ms = None;
        let event = Arc::new(shutdown_event(reason));
        for (conn, _) in self.members.iter() {
            self.outputs
                .push_back(HubOutput::Send(conn, Item::Event(event.clone())));
            self.outputs
                .push_back(HubOutput::Send(conn, Item::Close(CloseFrame::SERVICE_RESTART)));
        }
    }

    pub(super) fn remove(&mut self, conn: ConnId, cause: LeaveCause, now: Now) {
        if !self.members.holds(conn) {
            return;
        }
        let Some(mut member) = self.members.remove(conn.slot) else {
            return;
        };
        self.heartbeats
            .remove(&(member.heartbeat.due_ms, conn.serial, conn.slot));
        if member.takes_deltas {
            self.remove_delta_member(now);
        }
        if member.hides {
            self.remove_hidden_member(member.takes_deltas);
        }
        if self.members.len() == 0 {
            self.tick_at_ms = None;
        }
        // Visits would displace real connections in the journal.
        if member.handshake.visitor.is_none() {
            let key = member.row.and_then(|row| self.roster.key(row)).cloned();
            self.journal.note(Ended::new(&mut member, key, cause, now.age_ms));
        }
        if let Some(row) = member.row {
            self.roster
                .disconnect(row, member.serial, cause != LeaveCause::Silent, now);
        }
        self.remove_node(conn, member, now);
    }
}

/// The `shutdown` event.
fn shutdown_event(reason: &str) -> EventFrame {
    let reason = json_text(reason);
    EventFrame::new("shutdown", format_args!(r#"{{"reason":{reason}}}"#))
}
