//! Signs of life, which refresh the connection's row, and restore it after an eviction.

use super::member::Heartbeat;
use super::{ConnId, Hub};
use crate::model::time::Now;

impl Hub {
    /// Handles a pong, a proof of life of the connection's row. An evicted row is restored, unless a row with a
    /// live connection would have to be evicted for it.
    pub fn pong(&mut self, conn: ConnId, now: Now) {
        self.advance(now);
        if !self.members.holds(conn) {
            return self.announce(now);
        }
        let due_ms = now.age_ms.saturating_add(self.ping_interval_ms());
        self.refresh_row(conn.slot, now);
        if let Some(member) = self.members.get_mut(conn.slot)
            && member.heartbeat.awaits_pong
        {
            self.heartbeats
                .remove(&(member.heartbeat.due_ms, conn.serial, conn.slot));
            member.heartbeat = Heartbeat {
                due_ms,
                awaits_pong: false,
            };
            self.heartbeats.insert((due_ms, conn.serial, conn.slot));
        }
        self.announce(now);
    }

    /// Handles a sign of life on a connection: touches its row. An evicted row is restored, unless a row with
    /// a live connection would have to be evicted for it.
    pub(super) fn refresh_row(&mut self, slot: u32, now: Now) {
        let Some(member) = self.members.get_mut(slot) else {
            return;
        };
        match member.row.filter(|&row| self.roster.contains(row)) {
            Some(row) => self.roster.touch(row, now),
            None if member.is_tracked && !self.is_shut_down => {
                member.row = self.roster.restore(&member.connect_write(slot), now);
                self.rekey_node(slot);
            }
            None => {}
        }
        self.follow_moves();
    }

    /// Binds connections that left their rows to their new ones.
    pub(super) fn follow_moves(&mut self) {
        for moved in self.roster.take_moves() {
            if let Some(member) = self.members.get_mut(moved.seat)
                && member.serial == moved.conn
            {
                member.row = moved.row;
                self.move_node(moved.seat);
            }
        }
    }
}
