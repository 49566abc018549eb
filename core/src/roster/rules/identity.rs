//! Identity: the row of a write (SPEC 1.2).

use super::{ConnectWrite, Report, key_of};
use crate::model::ClientInfo;
use crate::model::key::{PresenceKey, RowKey};
use crate::model::placeholder::Kind;
use crate::roster::history::RowEventKind;
use crate::roster::{Roster, RowId};

/// The target of a beacon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeaconTarget {
    /// An existing row.
    Row(RowId),
    /// A new row with this key.
    Key(RowKey),
}

impl BeaconTarget {
    /// The row, if it exists.
    pub(super) fn row(&self) -> Option<RowId> {
        match self {
            Self::Row(row) => Some(*row),
            Self::Key(_) => None,
        }
    }
}

/// The ids of a handshake as keys.
#[derive(Debug)]
pub(super) struct Ids {
    pub(super) instance: Option<PresenceKey>,
    /// The verified device.
    pub(super) device: Option<PresenceKey>,
}

impl Ids {
    pub(super) fn key(&self, conn_id: &str) -> RowKey {
        let named = self.instance.as_ref().or(self.device.as_ref());
        named
            .cloned()
            .map_or_else(|| RowKey::Connection(conn_id.into()), RowKey::Named)
    }
}

/// The target of a handshake.
#[derive(Debug)]
pub(super) struct ConnectTarget {
    pub(super) ids: Ids,
    /// The row, if it exists.
    pub(super) row: Option<RowId>,
    /// The key that a new row gets.
    pub(super) key: RowKey,
    /// Whether the row is listed without the handshake's ids.
    pub(super) is_apart: bool,
}

impl Roster {
    /// The key a handshake resolves to, whether it makes a row or not (SPEC 1.2).
    #[must_use]
    pub fn connect_key(&self, client: &ClientInfo, device_id: Option<&str>, conn_id: &str) -> RowKey {
        self.ids(client, device_id).key(conn_id)
    }

    /// Returns the target of a beacon, with the `deviceId` join.
    #[must_use]
    pub fn beacon_target(&self, report: &Report<'_>) -> BeaconTarget {
        let by_device = |takes_over: bool| {
            report.device().and_then(|device| {
                self.row_of_device(device, true, takes_over)
                    .or_else(|| self.row_of_device(device, false, takes_over))
            })
        };
        let by_ids = match report.instance() {
            Some(instance) => self.store.find_named(instance).or_else(|| by_device(true)),
            None => by_device(false),
        };
        by_ids.map_or_else(|| self.target_of(report.key()), BeaconTarget::Row)
    }

    /// The row of a key, or a new one.
    pub(super) fn target_of(&self, key: RowKey) -> BeaconTarget {
        match self.store.find(&key) {
            Some(row) => BeaconTarget::Row(row),
            None => BeaconTarget::Key(key),
        }
    }

    /// Returns the target of the handshake.
    pub(super) fn connect_target(&self, write: &ConnectWrite<'_>) -> ConnectTarget {
        let ids = self.ids(write.client, write.device_id);
        let key = ids.key(write.conn_id);
        let row = self.row_of(&ids, &key);
        if row.is_some_and(|row| self.is_closed_to(row, ids.device.as_ref())) {
            let key = RowKey::Connection(write.conn_id.into());
            return ConnectTarget {
                ids,
                row: self.store.find(&key),
                key,
                is_apart: true,
            };
        }
        ConnectTarget {
            ids,
            row,
            key,
            is_apart: false,
        }
    }

    /// The row that the ids of a handshake resolve to, regardless of its owner; `key` is their [`Ids::key`].
    pub(super) fn row_of(&self, ids: &Ids, key: &RowKey) -> Option<RowId> {
        let proven = |takes_over| self.row_of_device(ids.device.as_ref()?, true, takes_over);
        let by_ids = match &ids.instance {
            Some(instance) => self.store.find_named(instance).or_else(|| proven(true)),
            None => proven(false),
        };
        by_ids.or_else(|| self.store.find(key))
    }

    /// The freshest row of a proven or a claimed `deviceId`; without an `instanceId` if it is to be taken
    /// over.
    fn row_of_device(&self, key: &PresenceKey, is_proven: bool, takes_over: bool) -> Option<RowId> {
        self.store
            .of_device(key, is_proven)
            .find(|&id| !takes_over || !self.store[id].has_instance_id())
    }

    pub(super) fn ids(&self, client: &ClientInfo, device_id: Option<&str>) -> Ids {
        Ids {
            // The gateway's own id in a connect counts as absent.
            instance: key_of(client.instance_id.as_deref()).filter(|key| self.self_key.as_ref() != Some(key)),
            device: key_of(device_id),
        }
    }

    /// The client's `instanceId`, unless it is a placeholder or the gateway's own.
    pub(super) fn own_instance_id<'a>(&self, client: &'a ClientInfo, ids: &Ids) -> Option<&'a str> {
        Kind::Id
            .present(client.instance_id.as_deref())
            .filter(|id| ids.instance.is_some() || !self.is_self(Some(id)))
    }

    /// Whether this is the gateway's own `instanceId`.
    #[must_use]
    pub fn is_self(&self, instance_id: Option<&str>) -> bool {
        self.self_key.is_some() && key_of(instance_id) == self.self_key
    }

    /// Makes the `instanceId` the key of the row.
    pub(super) fn rekey(&mut self, id: RowId, instance: Option<&PresenceKey>) {
        if let Some(instance) = instance
            && !matches!(&self.store[id].key, RowKey::Named(key) if key == instance)
        {
            let old_key = self.store.set_key(id, RowKey::Named(instance.clone()));
            let new_key = RowKey::Named(instance.clone());
            #[cfg(feature = "changes")]
            self.note_rename(&old_key, &new_key);
            self.note(new_key, Some(old_key.clone()), RowEventKind::Renamed, 0);
            self.log.rekeyed(id, old_key, self.store.len());
        }
    }
}
