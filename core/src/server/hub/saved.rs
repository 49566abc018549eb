//! The hub in a checkpoint of a recording: the state that the further course of its rows and findings depends on. State
//! that only the list of nodes shows is left out.

mod memory;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

pub(crate) use self::memory::{RefusedClock, RowEvent, SavedEnded, SavedMemory, SavedTrace};
use super::member::{Heartbeat, Member};
use super::nodes::Offer;
use super::{ConnId, Hub, HubConfig};
use crate::model::time::Now;
pub(crate) use crate::roster::saved::{SavedRoster, SavedRow};
use crate::server::Handshake;

/// The state outside rows and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SavedHub {
    pub(crate) roster: SavedRoster,
    pub(crate) next_serial: u64,
    pub(crate) is_shut_down: bool,
}

/// A joined connection.
#[derive(Clone, Debug)]
pub(crate) struct SavedMember {
    pub(crate) serial: u64,
    pub(crate) handshake: Handshake,
    pub(crate) joined_ms: u64,
    /// When it is pinged next, or its pong is due, on the age clock.
    pub(crate) due_ms: u64,
    pub(crate) awaits_pong: bool,
    pub(crate) refused_calls: u32,
    pub(crate) trace: SavedTrace,
    /// See [`Hub::saved_activity`].
    pub(crate) activity: Option<(u64, u64)>,
}

impl Hub {
    pub(crate) fn saved(&self) -> SavedHub {
        SavedHub {
            roster: self.roster.saved(),
            next_serial: self.next_serial,
            is_shut_down: self.is_shut_down,
        }
    }

    /// The connections in the order of their serials.
    pub(crate) fn saved_members(&self) -> Vec<SavedMember> {
        let saved = |(conn, member): (ConnId, &Member)| SavedMember {
            serial: member.serial,
            handshake: member.handshake.clone(),
            joined_ms: member.trace.joined_ms,
            due_ms: member.heartbeat.due_ms,
            awaits_pong: member.heartbeat.awaits_pong,
            refused_calls: member.refused_calls,
            trace: SavedTrace::new(&member.trace),
            activity: self.saved_activity(conn),
        };
        let mut members: Vec<_> = self.members.iter().map(saved).collect();
        members.sort_by_key(|member| member.serial);
        members
    }

    /// The rows in the order of their last proofs of life.
    pub(crate) fn saved_rows(&self) -> Vec<SavedRow> {
        self.roster.saved_rows()
    }

    /// A muted hub like the one that was saved `now`, and its connections in the order of their serials.
    ///
    /// # Errors
    /// The name of the impossible part.
    pub(crate) fn restored(
        config: HubConfig,
        saved: SavedHub,
        members: Vec<SavedMember>,
        rows: Vec<SavedRow>,
        now: Now,
    ) -> Result<(Self, Vec<ConnId>), &'static str> {
        let mut hub = Self::new(config, now);
        hub.remove_readers();
        hub.roster.resume(saved.roster);
        hub.next_serial = saved.next_serial;
        let mut seats = BTreeMap::new();
        let mut activities = Vec::new();
        for member in members {
            if member.serial >= saved.next_serial || seats.contains_key(&member.serial) {
                return Err("a connection");
            }
            let activity = member.activity;
            let conn = hub.restore_member(member);
            seats.insert(conn.serial, conn);
            activities.extend(activity.map(|activity| (conn, activity)));
        }
        let mut free = seats.clone();
        let mut newest = None;
        for row in rows {
            let live: Option<Vec<_>> = row
                .live
                .iter()
                .map(|live| {
                    let conn = free.remove(&live.conn)?;
                    let member = hub.members.get(conn.slot)?;
                    Some(member.connect_write(conn.slot).live(live.fields, live.written))
                })
                .collect();
            let live = live.ok_or("a row's connection")?;
            let slots: Vec<u32> = live.iter().map(|live| live.seat).collect();
            let id = hub.roster.restore_row(row, live).ok_or("a row")?;
            newest = Some(id);
            for slot in slots {
                if let Some(member) = hub.members.get_mut(slot) {
                    member.row = Some(id);
                }
            }
        }
        if let Some(newest) = newest {
            hub.roster.bound_restored(newest);
        }
        for &conn in seats.values() {
            hub.add_node(conn, &Offer::default(), now);
        }
        for (conn, activity) in activities {
            hub.restore_activity(conn, activity);
        }
        hub.announced_version = hub.roster.version();
        hub.is_shut_down = saved.is_shut_down;
        Ok((hub, seats.into_values().collect()))
    }

    fn restore_member(&mut self, saved: SavedMember) -> ConnId {
        let handshake = saved.handshake;
        let member = Member {
            serial: saved.serial,
            reads: false,
            takes_deltas: false,
            sees_own: false,
            hides: false,
            is_tracked: self.is_tracked(&handshake),
            key: self.connect_key(&handshake),
            row: None,
            node: None,
            has_version: 0,
            refused_calls: saved.refused_calls,
            heartbeat: Heartbeat {
                due_ms: saved.due_ms,
                awaits_pong: saved.awaits_pong,
            },
            trace: saved.trace.trace(saved.joined_ms),
            handshake,
        };
        let conn = self.members.insert(member);
        self.heartbeats.insert((saved.due_ms, conn.serial, conn.slot));
        conn
    }
}
