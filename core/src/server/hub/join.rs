//! Joins: a connection with an accepted handshake becomes a member, gets its row and is sent hello.

use alloc::vec::Vec;
use core::mem::take;

use super::member::{self, Heartbeat, Member, may_read, takes_deltas, wants_own_rows};
use super::nodes::Offer;
use super::trace::Trace;
use super::{BEACON_MODE, ConnId, Hub, HubOutput, hello};
use crate::model::key::{PresenceKey, RowKey};
use crate::model::time::Now;
use crate::server::{Handshake, Item};
use crate::wire::CloseFrame;

impl Hub {
    /// Adds a connection with an accepted handshake: writes its row and queues hello as its first frame.
    pub fn join(&mut self, handshake: Handshake, now: Now) -> ConnId {
        self.advance(now);
        let conn = self.admit(handshake, now);
        self.queue_first_frame(conn, now);
        self.announce(now);
        conn
    }

    /// Adds several connections that arrived together, in this order: all rows are written before the first
    /// hello, so that one encoded list serves all of them.
    pub fn join_all(&mut self, handshakes: impl IntoIterator<Item = Handshake>, now: Now) -> Vec<ConnId> {
        self.advance(now);
        let mut conns: Vec<ConnId> = Vec::new();
        let mut joined = 0;
        let mut proofs = self.roster.proofs();
        for handshake in handshakes {
            // Each hello has to contain its client, so all are queued before a join may evict a row of another one.
            let device_id = handshake.device_id.as_deref();
            let (client, conn_id) = (&handshake.client, &handshake.conn_id);
            if self.roster.unlists_after(proofs, client, device_id, conn_id) {
                self.queue_first_frames(&conns[joined..], now);
                joined = conns.len();
                proofs = self.roster.proofs();
            }
            conns.push(self.admit(handshake, now));
        }
        self.queue_first_frames(&conns[joined..], now);
        self.announce(now);
        conns
    }

    /// Adds the member, and writes its row.
    pub(super) fn admit(&mut self, mut handshake: Handshake, now: Now) -> ConnId {
        let placeholder = member::drop_placeholders(&mut handshake);
        let sees_own = self.fleet.is_some() && wants_own_rows(&handshake);
        let takes_deltas = !sees_own && takes_deltas(&handshake);
        let hides = member::hides(&handshake);
        let offer = Offer {
            caps: take(&mut handshake.caps),
            commands: take(&mut handshake.commands),
        };
        let serial = self.next_serial;
        self.next_serial += 1;
        let is_tracked = self.is_tracked(&handshake);
        let member = Member {
            serial,
            reads: !self.is_muted && may_read(handshake.role, &handshake.scopes),
            takes_deltas,
            sees_own,
            hides,
            is_tracked,
            key: self.connect_key(&handshake),
            row: None,
            node: None,
            has_version: 0,
            refused_calls: 0,
            heartbeat: Heartbeat {
                due_ms: now.age_ms.saturating_add(self.ping_interval_ms()),
                awaits_pong: false,
            },
            trace: Trace {
                joined_ms: now.age_ms,
                placeholder,
                ..Trace::default()
            },
            handshake,
        };
        let due_ms = member.heartbeat.due_ms;
        let conn = self.members.insert(member);
        let slot = conn.slot;
        if let Some(member) = self.members.get_mut(slot)
            && member.is_tracked
            && !self.is_shut_down
        {
            member.row = Some(self.roster.connect(&member.connect_write(slot), now));
            self.follow_moves();
        }
        if takes_deltas {
            self.add_delta_member(now);
        }
        if hides {
            self.add_hidden_member(takes_deltas);
        }
        if sees_own {
            let at_ms = now.age_ms.saturating_add(self.own_rows_interval_ms());
            self.own_rows_at_ms.get_or_insert(at_ms);
        }
        if !self.is_shut_down {
            self.heartbeats.insert((due_ms, conn.serial, slot));
            let interval_ms = self.config.limits.tick_interval_ms.max(1);
            let tick_at_ms = now.age_ms.saturating_add(interval_ms);
            self.tick_at_ms.get_or_insert(tick_at_ms);
        }
        self.add_node(conn, &offer, now);
        conn
    }

    /// The key it resolves to, regardless of the owner of that row.
    pub(super) fn connect_key(&self, handshake: &Handshake) -> RowKey {
        let device_id = handshake.device_id.as_deref();
        self.roster
            .connect_key(&handshake.client, device_id, &handshake.conn_id)
    }

    /// Whether its mode makes a row.
    pub(super) fn is_tracked(&self, handshake: &Handshake) -> bool {
        let mode = PresenceKey::of_name(&handshake.client.mode);
        !mode.is_some_and(|mode| {
            let mut ephemeral = self.config.ephemeral_modes.iter();
            mode.as_str() == BEACON_MODE || ephemeral.any(|ephemeral| **ephemeral == *mode.as_str())
        })
    }

    fn queue_first_frames(&mut self, conns: &[ConnId], now: Now) {
        for &conn in conns {
            self.queue_first_frame(conn, now);
        }
    }

    /// Queues its first frame.
    fn queue_first_frame(&mut self, conn: ConnId, now: Now) {
        let Some(hello) = hello::hello(self, conn.slot, now) else {
            return;
        };
        self.outputs
            .push_back(HubOutput::Send(conn, Item::Response(hello)));
        if self.is_shut_down {
            self.outputs
                .push_back(HubOutput::Send(conn, Item::Close(CloseFrame::SERVICE_RESTART)));
        }
    }
}
