//! The most naive roster imaginable: a `Vec` of rows, linear scans, everything computed anew.
//!
//! It is written from the rules (SPEC 1.1 to 1.7), not from `presence_core::roster`, and shares only
//! the types of its inputs and its result. Properties compare the two after every operation.

mod activity;
pub mod owner;
pub mod row;
pub mod text;

use std::collections::BTreeMap;

use presence_core::model::beacon::Beacon;
use presence_core::model::entry::MAX_SAFE_INTEGER;
use presence_core::roster::{ConnectWrite, Holder};
use presence_core::{Now, PresenceEntry};

use self::row::{LiveConnection, ModelRow, Text, add_missing};
use self::text::{Key, normalise, parsed_text, present, text_key};

/// The roster as a list of rows in the order they were made.
#[derive(Clone, Debug)]
pub struct Model {
    ttl_ms: u64,
    cap: usize,
    self_entry: PresenceEntry,
    rows: Vec<ModelRow>,
    /// What the gateway's clock said, and the age clock with it, when they were last set alike.
    synced: Now,
    version: u64,
    rows_made: u64,
    proofs: u64,
    moves: Vec<(u64, Option<u64>)>,
    untold: activity::Untold,
}

/// Why a beacon was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It claimed to be the gateway.
    ClaimsSelf,
    /// Only rows with live connections could have gone for its row.
    Full,
}

impl Model {
    /// A roster with the gateway's own row.
    #[must_use]
    pub fn new(ttl_ms: u64, cap: usize, self_entry: PresenceEntry, now: Now) -> Self {
        Self {
            ttl_ms,
            cap,
            self_entry,
            rows: Vec::new(),
            synced: now,
            version: 1,
            rows_made: 0,
            proofs: 0,
            moves: Vec::new(),
            untold: activity::Untold::default(),
        }
    }

    /// Presence version: one more for every change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Number of rows, self included.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a roster is never empty")]
    pub fn len(&self) -> usize {
        self.rows.len() + 1
    }

    /// Whether the row still is there.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.rows.iter().any(|row| row.id == id)
    }

    /// The rows in the order they were made, self not among them.
    #[must_use]
    pub fn rows(&self) -> &[ModelRow] {
        &self.rows
    }

    /// A handshake succeeded.
    pub fn connect(&mut self, write: &ConnectWrite<'_>, now: Now) -> u64 {
        self.settle(now);
        let id = self.write_handshake(write, now);
        self.version += 1;
        self.replace(id, write);
        self.evict_over_cap(id);
        self.tell(now);
        id
    }

    /// A pong on a live connection whose row was evicted: back, unless a row with a live connection had to
    /// go for it.
    pub fn restore(&mut self, write: &ConnectWrite<'_>, now: Now) -> Option<u64> {
        self.settle(now);
        let mut after = self.clone();
        let id = after.write_handshake(write, now);
        after.version += 1;
        let live_before = after.live_rows();
        after.evict_over_cap(id);
        if after.live_rows() < live_before {
            return None;
        }
        *self = after;
        self.tell(now);
        Some(id)
    }

    fn live_rows(&self) -> usize {
        self.rows.iter().filter(|row| !row.live.is_empty()).count()
    }

    /// The row of a connection was evicted; its own beacon is about to write it anew.
    pub fn rebuild(&mut self, write: &ConnectWrite<'_>, now: Now) -> u64 {
        self.settle(now);
        self.write_handshake(write, now)
    }

    /// That beacon was refused.
    pub fn keep_rebuilt(&mut self, id: u64, now: Now) {
        self.version += 1;
        self.evict_over_cap(id);
        self.tell(now);
    }

    /// A beacon arrived.
    ///
    /// # Errors
    /// [`Refusal`]
    pub fn beacon(&mut self, beacon: &Beacon, holder: Holder, now: Now) -> Result<u64, Refusal> {
        let instance = id_of(&beacon.instance_id);
        if instance.is_some() && instance == id_of(&self.self_entry.instance_id) {
            return Err(Refusal::ClaimsSelf);
        }
        self.settle(now);
        let at = match self.row_of_beacon(beacon) {
            Ok(at) => at,
            // Self, the rows with live connections, and this one.
            Err(_) if 1 + self.live_rows() + 1 > self.cap => return Err(Refusal::Full),
            Err(key) => {
                let at = self.make_row(key);
                if let Holder::Connection(conn) = holder {
                    self.rows[at].holder = Some(conn);
                }
                at
            }
        };
        if let Some(instance) = instance {
            self.rows[at].key = Key::Named(instance);
        }
        Ok(self.write_beacon(at, beacon, holder, now))
    }

    /// The row that a beacon leads to, or the key of a new one.
    fn row_of_beacon(&self, beacon: &Beacon) -> Result<usize, Key> {
        let (instance, device) = (id_of(&beacon.instance_id), id_of(&beacon.device_id));
        let parsed = parsed_text(&beacon.text);
        let key = beacon_key(beacon, parsed.as_ref(), instance.clone(), device.clone());
        self.row_by_ids(&instance, &device)
            .or_else(|| self.row_by_key(&key))
            .ok_or(key)
    }

    fn write_beacon(&mut self, at: usize, beacon: &Beacon, holder: Holder, now: Now) -> u64 {
        let beacon = &Beacon {
            host: present("host", beacon.host.clone()),
            ip: present("ip", beacon.ip.clone()),
            version: present("version", beacon.version.clone()),
            instance_id: present("id", beacon.instance_id.clone()),
            device_id: present("id", beacon.device_id.clone()),
            ..beacon.clone()
        };
        let parsed = parsed_text(&beacon.text);
        let id = self.rows[at].id;
        self.step(Some(id), |model| {
            let row = &mut model.rows[at];
            let fields = &mut row.fields;
            let from_text = |kind: &str, pick: fn(&text::ParsedText) -> &str| -> Option<Box<str>> {
                present(kind, parsed.as_ref().map(|parsed| pick(parsed).into()))
            };
            let host = beacon.host.clone().or_else(|| from_text("host", |p| &p.host));
            let ip = beacon.ip.clone().or_else(|| from_text("ip", |p| &p.ip));
            let version = beacon
                .version
                .clone()
                .or_else(|| from_text("version", |p| &p.version));
            let mode = beacon
                .mode
                .clone()
                .or_else(|| parsed.as_ref().map(|p| p.mode.as_str().into()));
            let reason = beacon
                .reason
                .clone()
                .or_else(|| parsed.as_ref().map(|p| p.reason.as_str().into()));
            let are_written = [&host, &ip, &version, &mode, &reason].map(Option::is_some);
            last_write_wins(&mut fields.host, host);
            last_write_wins(&mut fields.ip, ip);
            last_write_wins(&mut fields.version, version);
            last_write_wins(&mut fields.mode, mode);
            last_write_wins(&mut fields.reason, reason);
            last_write_wins(&mut fields.platform, beacon.platform.clone());
            last_write_wins(&mut fields.device_family, beacon.device_family.clone());
            last_write_wins(&mut fields.model_identifier, beacon.model_identifier.clone());
            last_id_wins(&mut fields.instance_id, beacon.instance_id.clone());
            if row.owner.is_none() {
                last_id_wins(&mut fields.device_id, beacon.device_id.clone());
            }
            fields.text = Some(beacon.text.clone());
            let seconds = beacon
                .last_input_seconds
                .or_else(|| parsed.as_ref().map(|parsed| parsed.last_input_seconds))
                .map(|seconds| seconds.min(MAX_SAFE_INTEGER));
            for (member, is_written) in [
                ("host", are_written[0]),
                ("ip", are_written[1]),
                ("version", are_written[2]),
                ("mode", are_written[3]),
                ("reason", are_written[4]),
                ("platform", beacon.platform.is_some()),
                ("deviceFamily", beacon.device_family.is_some()),
                ("modelIdentifier", beacon.model_identifier.is_some()),
                ("text", true),
            ] {
                if is_written {
                    row.written_by.remove(member);
                }
            }
            if beacon.clear_last_input {
                (row.input_at, row.input_by) = (None, None);
            } else if let Some(seconds) = seconds {
                row.input_at = Some(i128::from(now.age_ms) - i128::from(seconds) * 1_000);
                row.input_by = None;
            }
            add_missing(&mut row.from_beacons.0, &beacon.roles);
            add_missing(&mut row.from_beacons.1, &beacon.scopes);
            model.mark_written(at, now);
            model.mark_alive(at, now);
        });
        self.version += 1;
        if let Holder::Connection(conn) = holder {
            self.evict_over_quota(conn);
        }
        self.evict_over_cap(id);
        self.tell(now);
        id
    }

    /// A pong on a live connection of the row.
    pub fn touch(&mut self, id: u64, now: Now) {
        self.settle(now);
        if let Some(at) = self.row_by_id(id) {
            self.mark_written(at, now);
            self.mark_alive(at, now);
        }
    }

    /// A live connection of the row is over.
    pub fn disconnect(&mut self, id: u64, conn: u64, proof: bool, now: Now) {
        self.settle(now);
        let Some(at) = self.row_by_id(id) else { return };
        let before = self.rows[at].shown();
        let row = &mut self.rows[at];
        if row.live.iter().all(|live| live.conn != conn) {
            return;
        }
        self.step(Some(id), |model| {
            let row = &mut model.rows[at];
            row.set_of_last_live = row.live_sets();
            row.live.retain(|live| live.conn != conn);
            // What a node reported of its user goes with its connection.
            let had_input = row.input_by == Some(conn);
            if had_input {
                (row.input_at, row.input_by) = (None, None);
            }
            if row.live.is_empty() {
                row.fields.reason = Some("disconnect".into());
                row.written_by.remove("reason");
                model.mark_written(at, now);
                if proof {
                    model.mark_alive(at, now);
                }
                model.version += 1;
            } else {
                row.take_back(conn);
                if had_input || model.rows[at].shown() != before {
                    model.version += 1;
                }
            }
        });
        self.tell(now);
    }

    /// Follows the wall clock and drops what is too old.
    pub fn settle(&mut self, now: Now) {
        let shown = self.shown_wall(now.age_ms);
        if shown.abs_diff(i128::from(now.wall_ms)) > 2_000 {
            self.synced = now;
            self.version += 1;
        }
        let ttl_ms = self.ttl_ms;
        let is_over = |row: &ModelRow| !row.is_spared(now.age_ms) && now.age_ms - row.proof > ttl_ms;
        while let Some(at) = self.rows.iter().position(is_over) {
            self.remove(at);
        }
        self.tell(now);
    }

    /// The gateway was suspended: rows with live connections wait for their pongs until `until_ms`.
    pub fn spare_live_rows(&mut self, until_ms: u64) {
        for row in &mut self.rows {
            let is_overdue_by_then = until_ms.saturating_sub(row.proof) > self.ttl_ms;
            row.spared_until = (!row.live.is_empty() && is_overdue_by_then).then_some(until_ms);
        }
    }

    /// When the next row is due to go if nothing happens, on the age clock.
    #[must_use]
    pub fn next_expiry(&self) -> Option<u64> {
        let expiry = |row: &ModelRow| match row.spared_until {
            Some(until) if !row.live.is_empty() => until.max(row.proof + self.ttl_ms + 1),
            _ => row.proof + self.ttl_ms + 1,
        };
        self.rows.iter().map(expiry).min()
    }

    /// The list, and which row each entry is (`None`: self).
    pub fn list_with_ids(&mut self, now: Now) -> Vec<(Option<u64>, PresenceEntry)> {
        self.settle(now);
        let mut own = self.self_entry.clone();
        own.ts = self.ts(now.age_ms);
        own.last_input_seconds = None;
        let mut list = vec![(None, own)];
        list.extend(self.rows.iter().map(|row| {
            let mut entry = row.shown();
            entry.ts = self.ts(row.written);
            let is_online = !row.live.is_empty();
            entry.online_since = self.shown_stay(row).filter(|_| is_online).map(|at| self.ts(at));
            entry.last_activity_at = self.shown_input(row).map(|at| self.ts_of(at));
            entry.last_input_seconds = row.input_at.map(|at| {
                let seconds = (i128::from(row.written) - at).max(0) / 1_000;
                u64::try_from(seconds).unwrap_or(u64::MAX).min(MAX_SAFE_INTEGER)
            });
            (Some(row.id), entry)
        }));
        // Stable: ties keep the order the rows were made in, self first.
        list.sort_by_key(|(_, entry)| core::cmp::Reverse(entry.ts));
        list
    }

    // ---- identity -----------------------------------------------------------------------------

    fn row_by_id(&self, id: u64) -> Option<usize> {
        self.rows.iter().position(|row| row.id == id)
    }

    fn row_by_key(&self, key: &Key) -> Option<usize> {
        self.rows.iter().position(|row| row.key == *key)
    }

    /// SPEC 1.2: the row of the instanceId; else the deviceId join, or the takeover.
    fn row_by_ids(&self, instance: &Option<String>, device: &Option<String>) -> Option<usize> {
        let of_device = |at: usize| device.is_some() && id_of(&self.rows[at].fields.device_id) == *device;
        let proven_first = |is_wanted: &dyn Fn(usize) -> bool| {
            let is_owned = |at: usize| self.rows[at].owner.is_some();
            self.freshest_at(|at| is_wanted(at) && is_owned(at))
                .or_else(|| self.freshest_at(is_wanted))
        };
        let Some(instance) = instance else {
            return proven_first(&of_device);
        };
        self.row_by_key(&Key::Named(instance.clone())).or_else(|| {
            proven_first(&|at| of_device(at) && id_of(&self.rows[at].fields.instance_id).is_none())
        })
    }

    fn freshest_at(&self, is_wanted: impl Fn(usize) -> bool) -> Option<usize> {
        (0..self.rows.len())
            .filter(|&at| is_wanted(at))
            .max_by_key(|&at| self.rows[at].freshness())
    }

    fn make_row(&mut self, key: Key) -> usize {
        self.rows_made += 1;
        self.rows.push(ModelRow {
            id: self.rows_made,
            key,
            spared_until: None,
            fields: PresenceEntry::default(),
            written: 0,
            proof: 0,
            proof_number: 0,
            input_at: None,
            input_by: None,
            live: Vec::new(),
            stay_began: 0,
            was_connected: false,
            set_of_last_live: Default::default(),
            from_beacons: Default::default(),
            written_by: Default::default(),
            owner: None,
            holder: None,
        });
        self.rows.len() - 1
    }

    // ---- merge --------------------------------------------------------------------------------

    fn write_handshake(&mut self, write: &ConnectWrite<'_>, now: Now) -> u64 {
        let client = write.client;
        let own = id_of(&self.self_entry.instance_id);
        let instance = id_of(&client.instance_id).filter(|id| Some(id) != own.as_ref());
        let device = write.device_id.and_then(normalise);
        let (found, is_apart) = self.row_of_handshake(write);
        let at = match found {
            Ok(at) => at,
            Err(key) => self.make_row(key),
        };
        let id = self.rows[at].id;
        let leaving = self.step(Some(id), |model| {
            let mut leaving = Vec::new();
            let row = &mut model.rows[at];
            if !is_apart {
                if let Some(instance) = &instance {
                    row.key = Key::Named(instance.clone());
                }
                if let Some(device) = device {
                    leaving = row.take_ownership(device);
                }
                last_write_wins(&mut row.fields.device_id, write.device_id.map(Into::into));
                if id_of(&client.instance_id).is_none() || instance.is_some() {
                    let own = present("id", client.instance_id.clone());
                    last_id_wins(&mut row.fields.instance_id, own);
                }
            }
            let is_node = write.role.as_str() == "node";
            let required = |value: &Text| Some(value.clone());
            let live = LiveConnection {
                conn: write.conn,
                conn_id: write.conn_id.into(),
                role: write.role.as_str(),
                scopes: write.scopes.to_vec(),
                client_id: client.id.clone(),
                mode: client.mode.clone(),
                says: BTreeMap::from([
                    ("host", present("host", client.display_name.clone())),
                    (
                        "ip",
                        write
                            .remote_ip
                            .filter(|ip| !text::is_loopback(ip) && !text::is_placeholder("ip", ip))
                            .map(Into::into),
                    ),
                    ("version", present("version", required(&client.version))),
                    ("platform", required(&client.platform)),
                    ("mode", required(&client.mode)),
                    ("clientId", required(&client.id)),
                    ("deviceFamily", client.device_family.clone()),
                    ("modelIdentifier", client.model_identifier.clone()),
                    ("timeZone", client.time_zone.clone()),
                    ("user", write.user.map(Into::into)),
                    (
                        "reason",
                        Some(if is_node { "node-connected" } else { "connect" }.into()),
                    ),
                ]),
            };
            row.join(live, now.age_ms);
            row.holder = None;
            model.mark_written(at, now);
            model.mark_alive(at, now);
            leaving
        });
        self.move_apart(leaving, now);
        id
    }

    fn mark_written(&mut self, at: usize, now: Now) {
        self.rows[at].written = now.age_ms;
    }

    fn mark_alive(&mut self, at: usize, now: Now) {
        self.proofs += 1;
        self.rows[at].proof = now.age_ms;
        self.rows[at].proof_number = self.proofs;
        self.rows[at].spared_until = None;
    }

    /// SPEC 1.2, "Replacement".
    fn replace(&mut self, kept: u64, write: &ConnectWrite<'_>) {
        let Some(device) = write.device_id.and_then(normalise) else {
            return;
        };
        let is_left_behind = |row: &ModelRow| {
            row.id != kept
                && row.live.is_empty()
                && row.owner.as_ref() == Some(&device)
                && row.sets().0.iter().any(|role| **role == *write.role.as_str())
                && row.fields.client_id.as_ref() == Some(&write.client.id)
                && row.fields.mode.as_deref().and_then(normalise) == normalise(&write.client.mode)
        };
        while let Some(at) = self.rows.iter().position(is_left_behind) {
            self.remove(at);
        }
    }

    fn remove(&mut self, at: usize) {
        self.step(None, |model| drop(model.rows.remove(at)));
        self.version += 1;
    }

    // ---- bounds -------------------------------------------------------------------------------

    /// SPEC 1.5, "Eviction".
    fn evict_over_cap(&mut self, kept: u64) {
        while self.len() > self.cap {
            let group = |row: &ModelRow| match (row.live.is_empty(), row.was_connected, &row.key) {
                (true, true, _) => 1,
                (true, false, _) => 2,
                (false, _, Key::Connection(_)) => 3,
                (false, _, Key::Named(_)) => 4,
            };
            let first = self.rows.iter().filter(|row| row.id != kept).map(group).min();
            self.evict_least_fresh(|row| row.id != kept && Some(group(row)) == first);
        }
    }

    /// A tenth of the cap; at least one, or small rosters could hold nobody else's beacon.
    fn evict_over_quota(&mut self, conn: u64) {
        let is_held = |row: &ModelRow| row.holder == Some(conn);
        while self.rows.iter().filter(|row| is_held(row)).count() > (self.cap / 10).max(1) {
            self.evict_least_fresh(is_held);
        }
    }

    fn evict_least_fresh(&mut self, is_wanted: impl Fn(&ModelRow) -> bool) {
        let least = (0..self.rows.len())
            .filter(|&at| is_wanted(&self.rows[at]))
            .min_by_key(|&at| self.rows[at].freshness());
        if let Some(at) = least {
            self.remove(at);
        }
    }

    // ---- the gateway's clock ------------------------------------------------------------------

    fn shown_wall(&self, age_ms: u64) -> i128 {
        i128::from(self.synced.wall_ms) + i128::from(age_ms) - i128::from(self.synced.age_ms)
    }

    fn ts(&self, age_ms: u64) -> u64 {
        let wall = self.shown_wall(age_ms).clamp(0, i128::from(MAX_SAFE_INTEGER));
        u64::try_from(wall).unwrap_or(0)
    }
}

fn beacon_key(
    beacon: &Beacon,
    parsed: Option<&text::ParsedText>,
    instance: Option<String>,
    device: Option<String>,
) -> Key {
    let key = instance
        .or(device)
        .or_else(|| normalise(&present("host", Some(parsed?.host.as_str().into()))?))
        .or_else(|| normalise(&present("ip", Some(parsed?.ip.as_str().into()))?));
    Key::Named(key.unwrap_or_else(|| text_key(&beacon.text)))
}

fn id_of(value: &Option<Box<str>>) -> Option<String> {
    value
        .as_deref()
        .filter(|id| !text::is_placeholder("id", id))
        .and_then(normalise)
}

fn last_write_wins(stored: &mut Option<Box<str>>, new: Option<Box<str>>) {
    if new.is_some() {
        *stored = new;
    }
}

/// A blank id is none (SPEC 1.2), so it erases none but another blank one.
fn last_id_wins(stored: &mut Option<Box<str>>, new: Option<Box<str>>) {
    if id_of(stored).is_none() || id_of(&new).is_some() {
        last_write_wins(stored, new);
    }
}
