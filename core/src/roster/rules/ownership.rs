//! Ownership: the first device key that connects under an id owns its row (SPEC 1.2).

use alloc::vec::Vec;
use core::mem::take;

use super::{BeaconTarget, ConnectWrite, Holder, Report, key_of};
use crate::model::ClientInfo;
use crate::model::key::{PresenceKey, RowKey};
use crate::model::time::Now;
use crate::roster::history::{RowEventKind, RowRemoval};
use crate::roster::row::{Device, Live, Row};
use crate::roster::{ROW_SHARE_BYTES, Roster, RowId};

/// The subject of a beacon, for the rights of its connection (SPEC 2, "Beacon rights").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeaconSubject {
    /// The connection's own row.
    Own,
    /// The row of the connection, regardless of the beacon's ids: they identify nothing, or resolve to a row
    /// that another device owns. Write it with [`Roster::own_beacon`].
    Connection,
    /// Another row that no other device owns, or a new one.
    Other,
    /// A row that another device owns.
    Owned,
}

/// A connection that left its row for one of its own, because a device key owns the row now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The connection: its [`ConnectWrite::conn`].
    pub conn: u64,
    /// Its [`ConnectWrite::seat`].
    pub seat: u32,
    /// Its row now; `None` if there was no room for one.
    pub row: Option<RowId>,
}

/// How often clients used ids of other clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disputes {
    /// Handshakes that got a row without their ids.
    pub apart: u64,
    /// Connections that left a row because a device key now owns it.
    pub moved: u64,
    /// Beacons that were refused.
    pub refused: u64,
    /// Handshakes that joined a row while its last connected client is on another host, and beacons that
    /// took turns with those of a connection on another host: one id in two places, as after a disk image was
    /// cloned.
    pub shared: u64,
}

impl Disputes {
    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        [self.apart, self.moved, self.refused, self.shared]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

impl Roster {
    /// Returns the subject of a beacon of the connection `write`; `row` is the row it is bound to, which may be
    /// gone, and `key` its [`connect_key`](Self::connect_key).
    ///
    /// The row that the beacon resolves to decides, and only without such a row the key. Otherwise a client could
    /// write the row of another one by sending its own id with the `deviceId` of the other.
    #[must_use]
    pub fn beacon_subject(
        &self,
        report: &Report<'_>,
        write: &ConnectWrite<'_>,
        key: &RowKey,
        row: Option<RowId>,
    ) -> BeaconSubject {
        if report.has_placeholder_ids() {
            return BeaconSubject::Connection;
        }
        let (names_key, is_owned) = match self.beacon_target(report) {
            BeaconTarget::Row(target) if Some(target) == row => return BeaconSubject::Own,
            BeaconTarget::Row(target) => (
                self.key(target) == Some(key) || self.leads_to(target, report, write, row),
                self.is_closed_to(target, key_of(write.device_id).as_ref()),
            ),
            BeaconTarget::Key(target) => (target == *key, false),
        };
        let names_self = names_key || names_device_only(report, write);
        if names_self && self.is_apart(write, key, row) {
            return BeaconSubject::Connection;
        }
        match (is_owned, names_key) {
            (true, _) => BeaconSubject::Owned,
            (false, true) => BeaconSubject::Own,
            (false, false) => BeaconSubject::Other,
        }
    }

    /// Whether the handshake of a connection whose row is gone, or that has none, resolves to the target of its beacon:
    /// that row can have another key, because of the `deviceId` join. `row` is the row the connection is bound to.
    fn leads_to(
        &self,
        target: RowId,
        report: &Report<'_>,
        write: &ConnectWrite<'_>,
        row: Option<RowId>,
    ) -> bool {
        if row.is_some_and(|row| self.contains(row)) {
            return false;
        }
        let own = self.connect_target(write);
        if own.is_apart || own.row != Some(target) {
            return false;
        }
        // A rebuild gives the row the handshake's `instanceId`. A beacon with other ids would not find it then, and
        // would make or write a row that is not its sender's.
        let instance = own.ids.instance.as_ref();
        instance.is_none_or(|instance| report.instance() == Some(instance))
            || names_device_only(report, write)
    }

    /// The connections that left their rows since the last call.
    pub fn take_moves(&mut self) -> Vec<Move> {
        take(&mut self.moves)
    }

    /// How often ids of owned rows were used by other clients, without refused beacons.
    #[must_use]
    pub fn disputes(&self) -> Disputes {
        self.disputes
    }

    /// Whether another device owns the row. A device may always use the row whose key is its own id.
    pub(super) fn is_closed_to(&self, id: RowId, device: Option<&PresenceKey>) -> bool {
        let row = &self.store[id];
        let Some(owner) = row.owner() else { return false };
        let Some(device) = device else { return true };
        owner != device && !matches!(&row.key, RowKey::Named(key) if key == device)
    }

    /// Whether the connection has, or would get, a row without the ids of its handshake.
    pub(crate) fn is_apart(&self, write: &ConnectWrite<'_>, key: &RowKey, row: Option<RowId>) -> bool {
        if matches!(key, RowKey::Connection(_)) {
            return false;
        }
        match row.and_then(|row| self.key(row)) {
            Some(key) => matches!(key, RowKey::Connection(_)),
            None => self.connect_target(write).is_apart,
        }
    }

    /// The row with live connections that a handshake would own, so that they have to leave it.
    pub(super) fn taken_over(
        &self,
        client: &ClientInfo,
        device_id: Option<&str>,
        conn_id: &str,
    ) -> Option<RowId> {
        device_id?;
        let ids = self.ids(client, device_id);
        let id = self.row_of(&ids, &ids.key(conn_id))?;
        let row = &self.store[id];
        let is_taken = row.owner() != ids.device.as_ref() && !self.is_closed_to(id, ids.device.as_ref());
        (is_taken && !row.live.is_empty()).then_some(id)
    }

    /// Makes the device the owner of the row. Returns the connections that have to leave it.
    pub(super) fn own(&mut self, id: RowId, device: PresenceKey) -> Vec<Live> {
        if self.store[id].owner() == Some(&device) {
            return Vec::new();
        }
        #[cfg(feature = "changes")]
        self.note_takeover(id);
        let others = self.store[id].detach_all();
        self.store.set_device(id, Some(Device::proven(device)));
        others
    }

    /// Gives connections that left a row rows of their own, as far as this evicts no row with a live
    /// connection.
    pub(super) fn move_apart(&mut self, others: Vec<Live>, now: Now) {
        for live in others {
            self.disputes.moved = self.disputes.moved.saturating_add(1);
            let (conn, seat) = (live.conn, live.seat);
            let has_room = self.has_room_without_live_rows() && self.has_bytes_without_live_rows();
            let row = has_room.then(|| {
                let key = RowKey::Connection(live.conn_id.clone());
                self.note(key.clone(), None, RowEventKind::MovedApart, conn);
                let id = self.make_row(key, Holder::Unlimited, now);
                let max_bytes = self.max_row_bytes(id).max(ROW_SHARE_BYTES);
                self.attach(id, live, max_bytes, now);
                self.log.publish();
                id
            });
            self.moves.push(Move { conn, seat, row });
        }
    }

    /// Removes rows that the verified device proved, with equal role, client and mode and without a connection:
    /// earlier loads of the same page left them behind (SPEC 1.2).
    pub(super) fn replace_left_behind(&mut self, kept: RowId, write: &ConnectWrite<'_>) {
        let Some(device) = key_of(write.device_id) else {
            return;
        };
        let mode = PresenceKey::of_name(&write.client.mode);
        let is_left_behind = |row: &Row| {
            row.live.is_empty()
                && row.fields.roles.iter().any(|role| **role == *write.role.as_str())
                && row.fields.client_id.as_deref() == Some(&write.client.id)
                && row.fields.mode.as_deref().and_then(PresenceKey::of_name) == mode
        };
        let left_behind: Vec<RowId> = self
            .store
            .of_device(&device, true)
            .filter(|&id| id != kept && is_left_behind(&self.store[id]))
            .collect();
        for id in left_behind {
            self.remove(id, RowRemoval::Replaced, write.conn);
        }
    }
}

/// Whether the beacon has the verified device of its sender and no other id.
fn names_device_only(report: &Report<'_>, write: &ConnectWrite<'_>) -> bool {
    report.instance().is_none()
        && report
            .device()
            .is_some_and(|device| write.device_id.and_then(PresenceKey::parse).as_ref() == Some(device))
}
