//! Who may write which row: the first device key that connects under an id owns its row (SPEC 1.2).

use alloc::vec::Vec;
use core::mem::take;

use super::row::Live;
use super::table::Device;
use super::{BeaconTarget, ConnectWrite, Holder, ROW_SHARE_BYTES, Report, Roster, RowId, key_of};
use crate::model::ClientInfo;
use crate::model::key::{PresenceKey, RowKey};
use crate::model::time::Now;

/// What a beacon of a connection is about, as far as its rights go (SPEC 2, "Beacon rights").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The connection's own row.
    Own,
    /// The row of the connection whatever the ids of the beacon are: they identify nothing, or lead to a row
    /// that another device owns. Write it with [`Roster::own_beacon`].
    Connection,
    /// Another row that no other device owns, or a new one.
    Other,
    /// A row that another device owns.
    Owned,
}

/// A connection left its row for one of its own, because a device key owns the row now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The connection: its [`ConnectWrite::conn`].
    pub conn: u64,
    /// Its [`ConnectWrite::seat`].
    pub seat: u32,
    /// Its row now; `None` if there was no room for one.
    pub row: Option<RowId>,
}

/// How often clients used ids that are those of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disputes {
    /// Handshakes that got a row without their ids.
    pub apart: u64,
    /// Connections that left a row when a device key came to own it.
    pub moved: u64,
    /// Beacons that were refused.
    pub refused: u64,
    /// Handshakes that joined a row while the client that was connected to it last is of another host: one id in
    /// two places, as after a disk image was cloned.
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

/// Where a handshake's row is.
#[derive(Debug)]
pub(super) struct Landing {
    /// The row, if it is there.
    pub(super) slot: Option<u32>,
    /// The key that a new row gets.
    pub(super) key: RowKey,
    /// Whether the row is listed without the handshake's ids.
    pub(super) is_apart: bool,
}

impl Roster {
    /// What a beacon of the connection `write` is about; `row` is the row it is bound to, which may be gone,
    /// and `key` its [`connect_key`](Self::connect_key).
    ///
    /// The row that the beacon resolves to decides, and only where there is none the key. Otherwise an id of
    /// one's own beside somebody else's `deviceId` would open the other's row.
    #[must_use]
    pub fn aim(
        &self,
        report: &Report<'_>,
        write: &ConnectWrite<'_>,
        key: &RowKey,
        row: Option<RowId>,
    ) -> Aim {
        if report.has_placeholder_ids() {
            return Aim::Connection;
        }
        let (names_key, is_owned) = match self.beacon_target(report) {
            BeaconTarget::Row(target) if Some(target) == row => return Aim::Own,
            BeaconTarget::Row(target) => (
                self.key(target) == Some(key),
                self.is_closed_to(target.slot, write.device_id),
            ),
            BeaconTarget::Key(target) => (target == *key, false),
        };
        let names_self = names_key || names_device_only(report, write);
        if names_self && self.is_apart(write, key, row) {
            return Aim::Connection;
        }
        match (is_owned, names_key) {
            (true, _) => Aim::Owned,
            (false, true) => Aim::Own,
            (false, false) => Aim::Other,
        }
    }

    /// The connections that left their rows since the last call.
    pub fn take_moves(&mut self) -> Vec<Move> {
        take(&mut self.moves)
    }

    /// How often ids of owned rows were used by others, refused beacons aside.
    #[must_use]
    pub fn disputes(&self) -> Disputes {
        self.disputes
    }

    /// Whether the row is another device's. The row of a device's own id is open to it, whoever owns it.
    fn is_closed_to(&self, slot: u32, device_id: Option<&str>) -> bool {
        let row = &self.table.slab[slot];
        let Some(owner) = row.owner() else { return false };
        let Some(device) = key_of(device_id) else {
            return true;
        };
        *owner != device && !matches!(&row.key, RowKey::Named(key) if *key == device)
    }

    /// Whether the connection has, or would get, a row without the ids of its handshake.
    pub(crate) fn is_apart(&self, write: &ConnectWrite<'_>, key: &RowKey, row: Option<RowId>) -> bool {
        if matches!(key, RowKey::Connection(_)) {
            return false;
        }
        match row.and_then(|row| self.key(row)) {
            Some(key) => matches!(key, RowKey::Connection(_)),
            None => self.landing(write).is_apart,
        }
    }

    /// Where the handshake's row is (SPEC 1.2).
    pub(super) fn landing(&self, write: &ConnectWrite<'_>) -> Landing {
        let key = self.connect_key(write.client, write.device_id, write.conn_id);
        let slot = self.resolve_connect(write.client, write.device_id, &key);
        if slot.is_some_and(|slot| self.is_closed_to(slot, write.device_id)) {
            let key = RowKey::Connection(write.conn_id.into());
            return Landing {
                slot: self.table.find(&key),
                key,
                is_apart: true,
            };
        }
        Landing {
            slot,
            key,
            is_apart: false,
        }
    }

    /// The row that the ids of a handshake lead to, whoever owns it; `key` is its [`connect_key`](Self::connect_key).
    fn resolve_connect(&self, client: &ClientInfo, device_id: Option<&str>, key: &RowKey) -> Option<u32> {
        let device = key_of(device_id);
        let proven = |takes_over| self.row_of_device(device.as_ref()?, true, takes_over);
        let by_ids = match self.instance_key(client) {
            Some(instance) => self.table.find_named(&instance).or_else(|| proven(true)),
            None => proven(false),
        };
        by_ids.or_else(|| self.table.find(key))
    }

    /// The row with live connections that a handshake would come to own, so that they have to leave it.
    pub(super) fn taken_over(
        &self,
        client: &ClientInfo,
        device_id: Option<&str>,
        conn_id: &str,
    ) -> Option<u32> {
        let device = key_of(device_id)?;
        let key = self.connect_key(client, device_id, conn_id);
        let slot = self.resolve_connect(client, device_id, &key)?;
        let row = &self.table.slab[slot];
        let is_taken = row.owner() != Some(&device) && !self.is_closed_to(slot, device_id);
        (is_taken && !row.live.is_empty()).then_some(slot)
    }

    /// The freshest row of a proven or a claimed `deviceId`; without an `instanceId` if it is to be taken
    /// over.
    pub(super) fn row_of_device(&self, key: &PresenceKey, is_proven: bool, takes_over: bool) -> Option<u32> {
        self.table
            .of_device(key, is_proven)
            .find(|&slot| !takes_over || !self.table.slab[slot].has_instance_id())
    }

    /// The row is the device's from now on. Returns the connections that have to leave it.
    pub(super) fn own(&mut self, slot: u32, device: PresenceKey) -> Vec<Live> {
        let row = &mut self.table.slab[slot];
        if row.owner() == Some(&device) {
            return Vec::new();
        }
        let others = row.detach_all();
        self.table.set_device(slot, Some(Device::proven(device)));
        others
    }

    /// Gives connections that left a row rows of their own, as far as no row with a live connection has to
    /// go for them.
    pub(super) fn move_apart(&mut self, others: Vec<Live>, now: Now) {
        for live in others {
            self.disputes.moved = self.disputes.moved.saturating_add(1);
            let (conn, seat) = (live.conn, live.seat);
            let has_room = self.has_room_without_live_rows() && self.has_bytes_without_live_rows();
            let row = has_room.then(|| {
                let key = RowKey::Connection(live.conn_id.clone());
                let slot = self.make_row(key, Holder::Unlimited, now);
                let max_bytes = self.max_row_bytes(slot).max(ROW_SHARE_BYTES);
                self.table.slab[slot].attach(live, now.age_ms, max_bytes);
                self.measure(slot);
                self.wrote(slot, now, true);
                self.note_change(slot);
                self.index_user(slot);
                self.version += 1;
                self.id(slot)
            });
            self.moves.push(Move { conn, seat, row });
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
