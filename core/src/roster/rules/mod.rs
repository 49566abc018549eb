//! The rules of rows: the effects of handshakes, beacons, pongs, closes and time (SPEC 1).
//!
//! [`identity`]: the row of a write. [`ownership`]: the right to write it. [`bounds`]: number and size of
//! rows. [`report`]: the values of a beacon. [`activity`]: changes of the last input.

mod activity;
mod bounds;
mod expiries;
mod identity;
mod ownership;
mod removal;
mod report;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub(super) use self::activity::Activity;
pub use self::bounds::{BeaconError, Evictions, Holder};
pub use self::expiries::Expiries;
pub use self::identity::BeaconTarget;
pub use self::ownership::{BeaconSubject, Disputes, Move};
pub use self::report::Report;
use super::clock::moment_before;
use super::history::RowEventKind;
use super::row::{Detached, Device, HandshakeFields, Live, Row, overlay, overlay_id};
use super::store::RowId;
use super::{MAX_ROW_BYTES, ROW_SHARE_BYTES, Roster, size};
use crate::model::ip::is_loopback;
use crate::model::key::{PresenceKey, RowKey};
use crate::model::time::Now;
use crate::model::{ClientInfo, Role};

/// The values of a handshake (SPEC 1.4, "Connect").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectWrite<'a> {
    /// The connection: a number that is unique in the roster's lifetime.
    pub conn: u64,
    /// The caller's own number for it, returned in its [`Move`].
    pub seat: u32,
    /// The connection's id on the wire: the key of last resort.
    pub conn_id: &'a str,
    /// The client.
    pub client: &'a Arc<ClientInfo>,
    /// Its role.
    pub role: Role,
    /// Its scopes.
    pub scopes: &'a Arc<[Box<str>]>,
    /// The *verified* device id.
    pub device_id: Option<&'a str>,
    /// Its address; a loopback one is ignored.
    pub remote_ip: Option<&'a str>,
    /// The id of its user, from a trusted proxy.
    pub user: Option<&'a str>,
}

impl ConnectWrite<'_> {
    /// The live connection that it makes.
    fn as_live(&self, written_ms: u64) -> Live {
        let ip = self.remote_ip.filter(|ip| !is_loopback(ip));
        Live {
            conn: self.conn,
            seat: self.seat,
            conn_id: self.conn_id.into(),
            role: self.role,
            scopes: self.scopes.clone(),
            handshake: HandshakeFields::new(self.client, self.role, ip, self.user),
            written_ms,
        }
    }

    /// The live connection that it made; `fields` are the bits of those that the row had room for.
    #[cfg(feature = "recording")]
    pub(crate) fn live(&self, fields: u16, written_ms: u64) -> Live {
        let mut live = self.as_live(written_ms);
        live.handshake = live.handshake.limited_to(fields);
        live
    }
}

impl Roster {
    // ---- connections ----------------------------------------------------------------------------

    /// Handles an accepted handshake: writes the connection's row and binds the connection to it. Connections
    /// that have to leave that row are in [`take_moves`](Self::take_moves) afterwards.
    pub fn connect(&mut self, write: &ConnectWrite<'_>, now: Now) -> RowId {
        self.settle(now);
        let row = self.write_connect(write, now);
        self.log.publish();
        self.replace_left_behind(row, write);
        self.enforce_cap(row);
        self.publish_activity();
        row
    }

    /// Handles a pong on a live connection whose row is gone: writes the row from the handshake and binds
    /// the connection to it, if there is room or a row without a live connection can be evicted (SPEC 1.4).
    /// Otherwise returns `None` and changes nothing.
    pub fn restore(&mut self, write: &ConnectWrite<'_>, now: Now) -> Option<RowId> {
        self.settle(now);
        let is_there = self.connect_target(write).row.is_some();
        if !self.has_bytes_without_live_rows() || !is_there && !self.has_room_without_live_rows() {
            return None;
        }
        let row = self.write_connect(write, now);
        self.keep_rebuilt(row);
        Some(row)
    }

    /// Writes the row of a connection whose row is gone from its handshake, as the first half of its
    /// own beacon (SPEC 1.4), without a new version. If the beacon is refused, call
    /// [`keep_rebuilt`](Self::keep_rebuilt).
    pub fn rebuild(&mut self, write: &ConnectWrite<'_>, now: Now) -> RowId {
        self.settle(now);
        self.write_connect(write, now)
    }

    /// Publishes a rebuilt row whose beacon was refused.
    pub fn keep_rebuilt(&mut self, row: RowId) {
        self.log.publish();
        self.enforce_cap(row);
        self.publish_activity();
    }

    fn write_connect(&mut self, write: &ConnectWrite<'_>, now: Now) -> RowId {
        let target = self.connect_target(write);
        let id = match target.row {
            Some(id) => id,
            None => {
                if target.is_apart {
                    self.disputes.apart += 1;
                    self.note(target.key.clone(), None, RowEventKind::Apart, write.conn);
                }
                self.make_row(target.key, Holder::Unlimited, now)
            }
        };
        let max_bytes = self.max_row_bytes(id).max(ROW_SHARE_BYTES);
        let mut others = Vec::new();
        if !target.is_apart {
            self.rekey(id, target.ids.instance.as_ref());
            let own_id = self.own_instance_id(write.client, &target.ids);
            if let Some(device) = target.ids.device {
                others = self.own(id, device);
            }
            let row = &mut self.store[id];
            overlay_id(&mut row.fields.instance_id, own_id);
            overlay(&mut row.fields.device_id, write.device_id);
            if row.owner().is_none() && size::of_ids(&row.fields) > MAX_ROW_BYTES + 1 {
                row.fields.device_id = None;
                self.store.set_device(id, None);
            }
        }
        let live = write.as_live(now.age_ms);
        let newest = self.store[id].live.last();
        self.disputes.shared +=
            u64::from(newest.is_some_and(|newest| newest.handshake.has_other_host(&live.handshake)));
        self.attach(id, live, max_bytes, now);
        // A row with a connection of its own counts against no quota.
        self.store.set_holder(id, None);
        self.move_apart(others, now);
        id
    }

    /// Writes a handshake to its row.
    fn attach(&mut self, id: RowId, live: Live, max_bytes: usize, now: Now) {
        self.store[id].attach(live, now.age_ms, max_bytes);
        self.measure(id);
        self.prove_alive(id, now);
        self.log_change(id);
    }

    /// Handles the end of a live connection of the row. The row's last close writes; any other removes the members
    /// that the connection wrote last (SPEC 1.4). `proof` states whether the close is a proof of life: our own close
    /// for silence is not.
    pub fn disconnect(&mut self, row: RowId, conn: u64, proof: bool, now: Now) {
        self.settle(now);
        if !self.contains(row) {
            return;
        }
        let max_bytes = self.max_row_bytes(row);
        match self.store[row].detach(conn, max_bytes) {
            Detached::Nothing => return,
            Detached::Last => {
                self.store[row].fields.reason = Some("disconnect".into());
                if proof {
                    self.prove_alive(row, now);
                } else {
                    self.store[row].written_ms = now.age_ms;
                    self.store.close_silently(row);
                }
                #[cfg(feature = "changes")]
                self.note_close(row, proof);
            }
            Detached::Visibly => {}
        }
        self.measure(row);
        self.log_change(row);
        self.log.publish();
        self.publish_activity();
    }

    /// Handles a pong on a live connection of the row, which is a proof of life, without a new version. Does
    /// nothing if the row is gone.
    pub fn touch(&mut self, row: RowId, now: Now) {
        self.settle(now);
        if self.contains(row) {
            self.prove_alive(row, now);
            self.log_touch(row);
        }
    }

    // ---- beacons --------------------------------------------------------------------------------

    /// Handles a beacon (SPEC 1.3, reference 1.3). An absent member never erases a stored one.
    ///
    /// # Errors
    /// [`BeaconError::SelfInstance`] if it has the gateway's id, [`BeaconError::Full`] if it needs a
    /// new row and could only evict rows with live connections, [`BeaconError::RowTooLarge`] and
    /// [`BeaconError::ListTooLarge`] if the row or the list would have too many bytes. A refused beacon
    /// changes nothing.
    pub fn beacon<'a>(
        &mut self,
        report: impl Into<Report<'a>>,
        holder: Holder,
        now: Now,
    ) -> Result<RowId, BeaconError> {
        self.write_beacon(report.into(), None, holder, now)
    }

    /// Handles a beacon that is about the row of its connection regardless of its ids ([`BeaconSubject::Connection`]):
    /// writes that row without ids. If it is not listed, writes the row that the handshake would get, with the
    /// handshake's ids unless these belong to another device (SPEC 1.2, 1.4).
    ///
    /// # Errors
    /// As [`beacon`](Self::beacon).
    pub fn own_beacon<'a>(
        &mut self,
        report: impl Into<Report<'a>>,
        write: &ConnectWrite<'a>,
        row: Option<RowId>,
        now: Now,
    ) -> Result<RowId, BeaconError> {
        let (mut instance_id, mut device_id) = (None, None);
        let target = match row.filter(|&row| self.contains(row)) {
            Some(row) => BeaconTarget::Row(row),
            None => {
                let target = self.connect_target(write);
                if !target.is_apart {
                    instance_id = self.own_instance_id(write.client, &target.ids);
                    device_id = write.device_id;
                }
                target
                    .row
                    .map_or(BeaconTarget::Key(target.key), BeaconTarget::Row)
            }
        };
        let report = report.into().with_ids(instance_id, device_id);
        self.write_beacon(report, Some(target), Holder::Unlimited, now)
    }

    fn write_beacon(
        &mut self,
        mut report: Report<'_>,
        target: Option<BeaconTarget>,
        holder: Holder,
        now: Now,
    ) -> Result<RowId, BeaconError> {
        if report.instance().is_some() && report.instance() == self.self_key.as_ref() {
            return Err(BeaconError::SelfInstance);
        }
        self.settle(now);
        let target = match target {
            Some(BeaconTarget::Row(row)) if self.contains(row) => BeaconTarget::Row(row),
            Some(BeaconTarget::Row(_)) => self.target_of(report.key()),
            Some(BeaconTarget::Key(key)) => self.target_of(key),
            None => self.beacon_target(&report),
        };
        let found = target.row();
        if found.is_some_and(|id| self.store[id].owner().is_some()) {
            // A claim never overwrites a proof.
            report = report.without_device();
        }
        let max_bytes = self.max_bytes_for(&report, found)?;
        let id = match target {
            BeaconTarget::Row(id) => {
                self.rekey(id, report.instance());
                id
            }
            BeaconTarget::Key(_) if !self.has_room_without_live_rows() => {
                return Err(BeaconError::Full { rows: self.len() });
            }
            BeaconTarget::Key(key) => self.make_row(key, holder, now),
        };
        #[cfg(feature = "server")]
        self.note_replaced_host(id, &report);
        if report.write(&mut self.store[id], now.age_ms) {
            self.measure(id);
        }
        if report.clears_last_input() {
            self.set_input(id, None, None);
        } else if let Some(seconds) = report.last_input_seconds {
            self.set_input(id, Some(moment_before(now.age_ms, seconds)), None);
        }
        if self.store[id].add_sets(report.roles(), report.scopes(), max_bytes) {
            self.measure(id);
        }
        self.prove_alive(id, now);
        self.set_own_ttl(id, report.ttl_ms());
        if let Some(device) = report.device() {
            self.store.set_device(id, Some(Device::claimed(device.clone())));
        }
        self.log_change(id);
        self.log.publish();
        self.enforce_quota(holder, id);
        self.enforce_cap(id);
        self.publish_activity();
        Ok(id)
    }

    // ---- life -----------------------------------------------------------------------------------

    /// Advances the roster to `now`: follows a step of the wall clock, removes expired rows. Every
    /// write does this first; call it alone when [`poll_timeout`](Self::poll_timeout) is due.
    pub fn settle(&mut self, now: Now) {
        self.settled_ms = now.age_ms;
        if self.clock.follow(now) {
            self.texts.clear();
            self.log.shifted(self.store.ids());
        }
        self.expire_old(now);
        self.publish_activity();
    }

    /// When [`settle`](Self::settle) is next due, on `Now::age_ms`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let expiry = self.store.next_to_expire().map(|id| {
            let proof_ms = self.store[id].proof_ms;
            proof_ms.saturating_add(self.config.ttl_ms).saturating_add(1)
        });
        let spared = self.store.next_spared().map(|_| self.spared_until_ms);
        let own_end = self.own_ends.first().map(|&(end_ms, _)| end_ms.saturating_add(1));
        [expiry, own_end, spared, self.activity_due_ms()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Handles a suspension: rows with live connections that would be past the TTL before `until_ms`
    /// (one pong window from now) are spared until then; call before anything else at the new time
    /// (SPEC 1.5).
    pub fn spare_live_rows(&mut self, until_ms: u64) {
        let ttl_ms = self.config.ttl_ms;
        self.store
            .spare(|row| until_ms.saturating_sub(row.proof_ms) > ttl_ms);
        self.spared_until_ms = self.spared_until_ms.max(until_ms);
        self.expiries.has_slept = true;
    }

    /// Whether the row's last proof of life is older than the TTL.
    fn is_over(&self, row: &Row, now_ms: u64) -> bool {
        now_ms.saturating_sub(row.proof_ms) > self.config.ttl_ms
    }

    fn make_row(&mut self, key: RowKey, holder: Holder, now: Now) -> RowId {
        self.rows_made += 1;
        let id = self.store.insert(Row::new(key, self.rows_made, now.age_ms));
        self.log.keyed(id);
        self.measure(id);
        if let Holder::Connection(conn) = holder {
            self.store.set_holder(id, Some(conn));
        }
        id
    }

    fn prove_alive(&mut self, id: RowId, now: Now) {
        self.end_own_ttl(id);
        let row = &mut self.store[id];
        row.written_ms = now.age_ms;
        row.proof_ms = now.age_ms;
        self.store.refresh(id);
    }

    pub(super) fn log_change(&mut self, id: RowId) {
        self.texts.clear();
        self.store[id].revision = self.log.changed(id);
        self.share_with_siblings(id);
    }

    fn log_touch(&mut self, id: RowId) {
        self.texts.clear();
        let row = &mut self.store[id];
        row.revision = self.log.touched(id, row.written_ms);
    }
}

fn key_of(raw: Option<&str>) -> Option<PresenceKey> {
    raw.and_then(PresenceKey::parse)
}
