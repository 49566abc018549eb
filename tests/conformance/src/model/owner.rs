//! SPEC 1.2, "Claims and proofs" and "Ownership", and what a connection's beacon is about (SPEC 2).

use presence_core::Now;
use presence_core::model::beacon::Beacon;
use presence_core::roster::{ConnectWrite, Holder};

use super::identity::id_of;
use super::row::LiveConnection;
use super::text::{Key, normalise, present};
use super::{Model, Refusal};

/// The subject of a connection's beacon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The connection's row, by its ids.
    Own,
    /// The connection's row, whose ids are placeholders or another device's.
    OwnWithoutIds,
    /// Another row that no other device owns, or a new one.
    Another,
    /// A row that another device owns.
    AnotherOwned,
}

impl Model {
    /// Returns the subject of a beacon of the connection; `bound` is the row it was bound to.
    #[must_use]
    pub fn about(&self, beacon: &Beacon, write: &ConnectWrite<'_>, bound: Option<u64>) -> About {
        let ids = [&beacon.instance_id, &beacon.device_id];
        let are_placeholders = ids
            .into_iter()
            .all(|id| id.is_none() || present("id", id.clone()).is_none());
        if are_placeholders && ids.into_iter().any(Option::is_some) {
            return About::OwnWithoutIds;
        }
        let named = self.named_key(write);
        let is_apart = self.is_apart(write, bound);
        let bound = bound.and_then(|id| self.row_by_id(id));
        let device = write.device_id.and_then(normalise);
        let says_its_device =
            id_of(&beacon.instance_id).is_none() && device.is_some() && id_of(&beacon.device_id) == device;

        let target = self.row_of_beacon(beacon);
        let key = match &target {
            Ok(at) => &self.rows[*at].key,
            Err(key) => key,
        };
        let is_own_key = *key == named.unwrap_or_else(|| Key::Connection(write.conn_id.into()));
        let at = target.as_ref().ok().copied();
        let (of_handshake, would_be_apart) = self.row_of_handshake(write);
        let is_of_handshake = bound.is_none() && !would_be_apart && at.is_some() && of_handshake.ok() == at;
        // The handshake's instanceId becomes the row's key, and then a beacon with other ids leads elsewhere.
        let instance = self.instance_key(write);
        let stays_there = instance.is_none() || id_of(&beacon.instance_id) == instance || says_its_device;
        let is_own_key = is_own_key || (is_of_handshake && stays_there);
        if at.is_some() && at == bound {
            About::Own
        } else if is_apart && (is_own_key || says_its_device) {
            About::OwnWithoutIds
        } else if at.is_some_and(|at| !self.is_open_to(at, write)) {
            About::AnotherOwned
        } else if is_own_key {
            About::Own
        } else {
            About::Another
        }
    }

    /// Whether the connection has an id that belongs to another device, so that it is listed without ids. `bound` is
    /// the row it was bound to.
    #[must_use]
    pub fn is_apart(&self, write: &ConnectWrite<'_>, bound: Option<u64>) -> bool {
        self.named_key(write).is_some()
            && match bound.and_then(|id| self.row_by_id(id)) {
                Some(at) => matches!(self.rows[at].key, Key::Connection(_)),
                None => self.row_of_handshake(write).1,
            }
    }

    /// The key of the connection's `instanceId`, if it counts.
    #[must_use]
    pub fn instance_key(&self, write: &ConnectWrite<'_>) -> Option<String> {
        let own = id_of(&self.self_entry.instance_id);
        id_of(&write.client.instance_id).filter(|id| Some(id) != own.as_ref())
    }

    /// A beacon that is [`About::OwnWithoutIds`].
    ///
    /// # Errors
    /// [`Refusal::Full`]
    pub fn own_beacon(
        &mut self,
        beacon: &Beacon,
        write: &ConnectWrite<'_>,
        bound: Option<u64>,
        now: Now,
    ) -> Result<u64, Refusal> {
        self.settle(now);
        let own = id_of(&self.self_entry.instance_id);
        let (found, is_apart) = self.row_of_handshake(write);
        let bound = bound.and_then(|id| self.row_by_id(id));
        let has_ids = bound.is_none() && !is_apart;
        let beacon = Beacon {
            instance_id: write
                .client
                .instance_id
                .clone()
                .filter(|_| has_ids)
                .filter(|id| normalise(id) != own || own.is_none()),
            device_id: write.device_id.filter(|_| has_ids).map(Into::into),
            ..beacon.clone()
        };
        let at = match bound.map_or(found, Ok) {
            Ok(at) => at,
            Err(_) if 1 + self.live_rows() + 1 > self.cap => return Err(Refusal::Full),
            Err(key) => self.make_row(key),
        };
        if let Some(instance) = id_of(&beacon.instance_id) {
            self.rows[at].key = Key::Named(instance);
        }
        Ok(self.write_beacon(at, &beacon, Holder::Unlimited, now))
    }

    /// Connections that moved since the last call, and their new rows.
    pub fn take_moves(&mut self) -> Vec<(u64, Option<u64>)> {
        std::mem::take(&mut self.moves)
    }

    /// The key that the handshake's ids give.
    fn named_key(&self, write: &ConnectWrite<'_>) -> Option<Key> {
        self.instance_key(write)
            .or_else(|| write.device_id.and_then(normalise))
            .map(Key::Named)
    }

    /// The row that a handshake writes, or the key of a new one, and whether it is listed without its ids.
    pub(super) fn row_of_handshake(&self, write: &ConnectWrite<'_>) -> (Result<usize, Key>, bool) {
        let row_or = |key: Key| self.row_by_key(&key).ok_or(key);
        let by_connection = || row_or(Key::Connection(write.conn_id.into()));
        let Some(key) = self.named_key(write) else {
            return (by_connection(), false);
        };
        let device = write.device_id.and_then(normalise);
        let is_proven = |at: usize| device.is_some() && self.rows[at].owner == device;
        let found = if self.instance_key(write).is_some() {
            let has_no_instance = |at: usize| id_of(&self.rows[at].fields.instance_id).is_none();
            self.row_by_key(&key)
                .or_else(|| self.freshest_at(|at| is_proven(at) && has_no_instance(at)))
        } else {
            self.freshest_at(is_proven).or_else(|| self.row_by_key(&key))
        };
        match found {
            Some(at) if !self.is_open_to(at, write) => (by_connection(), true),
            found => (found.ok_or(key), false),
        }
    }

    fn is_open_to(&self, at: usize, write: &ConnectWrite<'_>) -> bool {
        let row = &self.rows[at];
        let device = write.device_id.and_then(normalise);
        row.owner.is_none()
            || row.owner == device
            || device.is_some_and(|device| row.key == Key::Named(device))
    }

    pub(super) fn move_apart(&mut self, leaving: Vec<LiveConnection>, now: Now) {
        for live in leaving {
            let conn = live.conn;
            if 1 + self.live_rows() + 1 > self.cap {
                self.moves.push((conn, None));
                continue;
            }
            let at = self.make_row(Key::Connection(live.conn_id.clone()));
            let id = self.rows[at].id;
            self.step(Some(id), |model| {
                model.rows[at].join(live, now.age_ms);
                model.mark_written(at, now);
                model.mark_alive(at, now);
            });
            self.version += 1;
            self.moves.push((conn, Some(id)));
        }
    }
}
