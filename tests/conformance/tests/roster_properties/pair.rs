//! The roster and the model, side by side.

use presence_conformance::model::owner::About;
use presence_conformance::model::text::{Key, is_placeholder, normalise};
use presence_conformance::model::{Model, Refusal};
use presence_core::model::beacon::Beacon;
use presence_core::model::entry::MAX_SAFE_INTEGER;
use presence_core::model::key::RowKey;
use presence_core::roster::{
    Aim, BeaconError, BeaconTarget, ConnectWrite, Holder, Roster, RosterConfig, RowId,
};
use presence_core::{Now, PresenceEntry, PresenceKey};

use crate::history::{Client, Op, Sender, Text};

const START: Now = Now {
    age_ms: 5_000_000,
    wall_ms: 1_700_000_000_000,
};

#[derive(Clone)]
struct Handshake {
    serial: u64,
    id: String,
    client: Client,
}

/// An open connection, and the row each roster bound it to.
struct Open {
    handshake: Handshake,
    row: Option<RowId>,
    model_row: Option<u64>,
}

impl Handshake {
    fn write(&self) -> ConnectWrite<'_> {
        ConnectWrite {
            conn: self.serial,
            seat: self.serial as u32,
            conn_id: &self.id,
            client: &self.client.info,
            role: self.client.role,
            scopes: &self.client.scopes,
            device_id: self.client.device_id.as_deref(),
            remote_ip: self.client.remote_ip.as_deref(),
            user: self.client.user.as_deref(),
        }
    }
}

impl Open {
    /// The rows it is bound to, if they are there.
    fn bound(&self, real: &Roster, model: &Model) -> Option<(RowId, u64)> {
        let row = self.row.filter(|&row| real.contains(row));
        let model_row = self.model_row.filter(|&row| model.contains(row));
        assert_eq!(row.is_some(), model_row.is_some(), "gone for one only");
        row.zip(model_row)
    }
}

pub(crate) struct Pair {
    pub(crate) now: Now,
    cap: usize,
    ttl_ms: u64,
    pub(crate) real: Roster,
    model: Model,
    open: Vec<Open>,
    stale: Vec<(Option<RowId>, Option<u64>)>,
    connects: u64,
    /// Whether the last operation moved connections off their row.
    pub(crate) has_moved: bool,
}

impl Pair {
    pub(crate) fn new(cap: usize, ttl_ms: u64) -> Self {
        let own = PresenceEntry {
            host: Some("pi".into()),
            mode: Some("gateway".into()),
            reason: Some("self".into()),
            instance_id: Some("Gateway-1".into()),
            ..PresenceEntry::default()
        };
        let config = RosterConfig {
            ttl_ms,
            max_entries: cap,
            ..RosterConfig::default()
        };
        Self {
            now: START,
            cap,
            ttl_ms,
            real: Roster::new(config, own.clone(), START),
            model: Model::new(ttl_ms, cap, own, START),
            open: Vec::new(),
            stale: Vec::new(),
            connects: 0,
            has_moved: false,
        }
    }

    pub(crate) fn apply(&mut self, op: &Op) {
        let now = self.now;
        self.has_moved = false;
        match op {
            Op::Connect(client) => {
                self.connects += 1;
                let handshake = Handshake {
                    serial: self.connects,
                    id: format!("conn-{}", self.connects),
                    client: client.clone(),
                };
                let row = self.real.connect(&handshake.write(), now);
                let model_row = self.model.connect(&handshake.write(), now);
                self.open.push(Open {
                    handshake,
                    row: Some(row),
                    model_row: Some(model_row),
                });
                self.follow_moves();
            }
            Op::Beacon(beacon, sender) => match (sender, self.open.len()) {
                (Sender::Quota(any), count) if count > 0 => self.beacon_of(any % count, beacon),
                _ => drop(self.beacon(beacon, Holder::Unlimited)),
            },
            Op::OwnBeacon(any, beacon) => self.own_beacon(*any, beacon),
            Op::RowlessBeacon(client, beacon) => self.rowless_beacon(client, beacon),
            Op::Pong(any) => {
                if self.open.is_empty() {
                    return;
                }
                let at = any % self.open.len();
                let open = &mut self.open[at];
                self.real.settle(now);
                self.model.settle(now);
                if let Some((row, model_row)) = open.bound(&self.real, &self.model) {
                    self.real.touch(row, now);
                    self.model.touch(model_row, now);
                    return;
                }
                let row = self.real.restore(&open.handshake.write(), now);
                let model_row = self.model.restore(&open.handshake.write(), now);
                assert_eq!(row.is_some(), model_row.is_some(), "restored for one only");
                (open.row, open.model_row) = (row, model_row);
                self.follow_moves();
            }
            Op::LatePong(any) => {
                if let Some((Some(row), Some(model_row))) = pick(&self.stale, *any) {
                    self.real.touch(*row, now);
                    self.model.touch(*model_row, now);
                }
            }
            Op::Close(any, proof) => {
                if !self.open.is_empty() {
                    let open = self.open.remove(any % self.open.len());
                    let conn = open.handshake.serial;
                    if let (Some(row), Some(model_row)) = (open.row, open.model_row) {
                        self.real.disconnect(row, conn, *proof, now);
                        self.model.disconnect(model_row, conn, *proof, now);
                    }
                    self.stale.push((open.row, open.model_row));
                }
            }
            Op::Report(any, seconds) => {
                if !self.open.is_empty() {
                    let open = &self.open[any % self.open.len()];
                    let serial = open.handshake.serial;
                    if let (Some(row), Some(model_row)) = (open.row, open.model_row) {
                        let real = self.real.report_input(row, serial, *seconds, now);
                        let model = self.model.report_input(model_row, serial, *seconds, now);
                        assert_eq!(real, model, "a last input before");
                    }
                }
            }
            Op::Withdraw(any) => {
                if !self.open.is_empty() {
                    let open = &self.open[any % self.open.len()];
                    let serial = open.handshake.serial;
                    if let (Some(row), Some(model_row)) = (open.row, open.model_row) {
                        self.real.withdraw_input(row, serial, now);
                        self.model.withdraw_input(model_row, serial, now);
                    }
                }
            }
            Op::WallStep(by) => self.now.wall_ms = now.wall_ms.saturating_add_signed(*by),
            Op::Pass(ms) => self.now = now.after(*ms),
            Op::Deadline => {
                if let Some(due) = self.real.poll_timeout() {
                    self.now = now.after(due.saturating_sub(now.age_ms));
                }
            }
            Op::Suspend { asleep_ms, window_ms } => {
                // Only a timer that is late shows a suspension, and the end of a window is a timer.
                self.now = now.after(*asleep_ms.max(&(self.ttl_ms / 4)));
                let until = self.now.age_ms + window_ms;
                self.real.spare_live_rows(until);
                self.model.spare_live_rows(until);
            }
        }
    }

    /// Whether it was accepted.
    fn beacon(&mut self, beacon: &Beacon, holder: Holder) -> bool {
        let real = self.real.beacon(beacon, holder, self.now);
        let model = self.model.beacon(beacon, holder, self.now);
        let refusal = refusal(real);
        assert_eq!(refusal, model.err());
        assert_eq!(refusal == Some(Refusal::ClaimsSelf), claims_self(beacon));
        refusal.is_none()
    }

    /// Whether it was accepted.
    fn connection_beacon(
        &mut self,
        beacon: &Beacon,
        handshake: &Handshake,
        bound: Option<(RowId, u64)>,
    ) -> bool {
        let (row, model_row) = bound.unzip();
        let real = self.real.own_beacon(beacon, &handshake.write(), row, self.now);
        let model = self
            .model
            .own_beacon(beacon, &handshake.write(), model_row, self.now);
        let refusal = refusal(real);
        assert_eq!(refusal, model.err());
        refusal.is_none()
    }

    /// What both take a beacon to be about.
    fn about(&self, beacon: &Beacon, handshake: &Handshake, bound: Option<(RowId, u64)>) -> Aim {
        let write = handshake.write();
        let client = &handshake.client;
        let key = self
            .real
            .connect_key(&client.info, client.device_id.as_deref(), &handshake.id);
        let (row, model_row) = bound.unzip();
        let aim = self.real.aim(&beacon.into(), &write, &key, row);
        let about = match aim {
            Aim::Own => About::Own,
            Aim::Connection => About::OwnWithoutIds,
            Aim::Other => About::Another,
            Aim::Owned => About::AnotherOwned,
        };
        assert_eq!(
            about,
            self.model.about(beacon, &write, model_row),
            "what it is about"
        );
        aim
    }

    /// The ids of its handshake in a beacon of a connection.
    fn own_beacon(&mut self, any: usize, beacon: &Beacon) {
        if !self.open.is_empty() {
            let at = any % self.open.len();
            let beacon = with_ids_of(&self.open[at].handshake.client, beacon);
            self.beacon_of(at, &beacon);
        }
    }

    /// A beacon of an open connection, as the hub treats it if it has the scopes.
    fn beacon_of(&mut self, at: usize, beacon: &Beacon) {
        self.real.settle(self.now);
        self.model.settle(self.now);
        let open = &self.open[at];
        let bound = open.bound(&self.real, &self.model);
        let aim = self.about(beacon, &open.handshake, bound);
        let is_own = matches!(aim, Aim::Own | Aim::Connection);
        let mut rebuilt = None;
        if is_own && bound.is_none() && !claims_self(beacon) {
            let open = &mut self.open[at];
            let row = self.real.rebuild(&open.handshake.write(), self.now);
            let model_row = self.model.rebuild(&open.handshake.write(), self.now);
            (open.row, open.model_row) = (Some(row), Some(model_row));
            rebuilt = Some((row, model_row));
            self.follow_moves();
        }
        let handshake = self.open[at].handshake.clone();
        let is_accepted = match aim {
            Aim::Connection => self.connection_beacon(beacon, &handshake, rebuilt.or(bound)),
            Aim::Own => self.beacon(beacon, Holder::Unlimited),
            Aim::Other | Aim::Owned => self.beacon(beacon, Holder::Connection(handshake.serial)),
        };
        if let (false, Some((row, model_row))) = (is_accepted, rebuilt) {
            self.real.keep_rebuilt(row);
            self.model.keep_rebuilt(model_row, self.now);
        }
    }

    /// A beacon of a connection whose mode makes no row, about its own ids.
    fn rowless_beacon(&mut self, client: &Client, beacon: &Beacon) {
        self.connects += 1;
        let handshake = Handshake {
            serial: self.connects,
            id: format!("conn-{}", self.connects),
            client: client.clone(),
        };
        let beacon = with_ids_of(client, beacon);
        self.real.settle(self.now);
        self.model.settle(self.now);
        match self.about(&beacon, &handshake, None) {
            Aim::Connection => self.connection_beacon(&beacon, &handshake, None),
            Aim::Own => self.beacon(&beacon, Holder::Unlimited),
            Aim::Other | Aim::Owned => self.beacon(&beacon, Holder::Connection(handshake.serial)),
        };
    }

    /// Binds the connections that moved to their new rows.
    fn follow_moves(&mut self) {
        let real = self.real.take_moves();
        let model = self.model.take_moves();
        assert_eq!(real.len(), model.len(), "moves");
        for (real, (conn, model_row)) in real.into_iter().zip(model) {
            assert_eq!((real.conn, u64::from(real.seat)), (conn, conn), "who moves");
            self.has_moved = true;
            assert_eq!(real.row.is_some(), model_row.is_some(), "moved for one only");
            let open = self.open.iter_mut().find(|open| open.handshake.serial == conn);
            let open = open.unwrap();
            (open.row, open.model_row) = (real.row, model_row);
        }
    }

    /// Compares everything that can be seen; returns the list with the model's row ids.
    pub(crate) fn check(&mut self) -> Vec<(Option<u64>, PresenceEntry)> {
        let now = self.now;
        let before = self.model.version();
        let expected = self.model.list_with_ids(now);
        let list = self.real.list(now);
        let entries: Vec<&PresenceEntry> = expected.iter().map(|(_, entry)| entry).collect();
        assert_eq!(list.iter().collect::<Vec<_>>(), entries, "list");
        assert_eq!(
            self.real.version(),
            self.model.version(),
            "version (was {before})"
        );
        assert_eq!(self.real.len(), self.model.len(), "len");
        assert_eq!(self.real.len(), list.len(), "len and list");

        let text = self.real.encode_list(now);
        let parsed: Vec<PresenceEntry> = serde_json::from_str(&text).unwrap();
        assert_eq!(parsed, list, "encoded list");
        check_json(&serde_json::from_str(&text).unwrap());
        assert_eq!(
            self.real.version(),
            self.model.version(),
            "reading changes nothing"
        );

        assert!(
            (1..=self.cap).contains(&list.len()),
            "{} rows of {}",
            list.len(),
            self.cap
        );
        assert_eq!(list[0].reason.as_deref(), Some("self"), "self is first");
        assert_eq!(list[0].ts, self.real.wall_ms(now), "self is touched");
        assert!(
            list[0].ts.abs_diff(now.wall_ms) <= 2_000,
            "the roster's clock is off"
        );
        assert!(
            list.is_sorted_by_key(|entry| std::cmp::Reverse(entry.ts)),
            "newest first"
        );
        self.check_keys();
        self.check_deadline();
        expected
    }

    /// Each key leads to a row of its own, and to the one the model has under it.
    fn check_keys(&self) {
        let mut rows: Vec<RowId> = Vec::new();
        for row in self.model.rows() {
            let Key::Named(key) = &row.key else { continue };
            let beacon = Beacon {
                instance_id: Some(key.to_uppercase().into())
                    .filter(|id: &Text| normalise(id).as_ref() == Some(key) && !is_placeholder("id", id)),
                ..Beacon::new("t")
            };
            if beacon.instance_id.is_none() {
                continue;
            }
            let BeaconTarget::Row(found) = self.real.beacon_target(&(&beacon).into()) else {
                panic!("no row under {key:?}");
            };
            let named = RowKey::Named(PresenceKey::of_name(key).unwrap());
            assert_eq!(self.real.key(found), Some(&named));
            assert!(!rows.contains(&found), "{key:?} leads to another key's row");
            rows.push(found);
        }
    }

    /// The roster asks to be settled in the future, and not after a row is due.
    fn check_deadline(&self) {
        let asked = self.real.poll_timeout();
        assert_eq!(
            asked.is_some(),
            self.real.len() > 1,
            "a deadline if and only if there are rows"
        );
        if let (Some(asked), Some(due)) = (asked, self.model.next_expiry()) {
            assert!(asked > self.now.age_ms, "asks for a moment that is over");
            assert!(
                asked <= due,
                "asks for {asked}, {} ms after a row is due (now {})",
                asked - due,
                self.now.age_ms
            );
        }
    }
}

fn refusal(result: Result<RowId, BeaconError>) -> Option<Refusal> {
    result.err().map(|error| match error {
        BeaconError::SelfInstance => Refusal::ClaimsSelf,
        BeaconError::Full { .. } => Refusal::Full,
        error => panic!("the histories have short strings only: {error}"),
    })
}

fn with_ids_of(client: &Client, beacon: &Beacon) -> Beacon {
    Beacon {
        instance_id: client.info.instance_id.clone(),
        device_id: client.device_id.clone(),
        ..beacon.clone()
    }
}

fn claims_self(beacon: &Beacon) -> bool {
    beacon.instance_id.as_deref().and_then(normalise).as_deref() == Some("gateway-1")
}

/// Never `null`, and every number is an integer in `0..=2^53-1` (SPEC 1.1).
fn check_json(value: &serde_json::Value) {
    match value {
        serde_json::Value::Null => panic!("null in the list"),
        serde_json::Value::Number(number) => {
            assert!(
                number.as_u64().is_some_and(|n| n <= MAX_SAFE_INTEGER),
                "{number} in the list"
            );
        }
        serde_json::Value::Array(items) => items.iter().for_each(check_json),
        serde_json::Value::Object(members) => members.values().for_each(check_json),
        _ => {}
    }
}

/// A row that was there before and after a write lost no member (SPEC 1.4).
pub(crate) fn check_nothing_erased(
    before: &[(Option<u64>, PresenceEntry)],
    after: &[(Option<u64>, PresenceEntry)],
    may_clear_input: bool,
) {
    for (id, old) in before {
        let Some((_, new)) = after.iter().find(|(other, _)| other == id) else {
            continue;
        };
        let members = |entry: &PresenceEntry| {
            let value = serde_json::to_value(entry).unwrap();
            let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
            // Roles and scopes are those of the live connections: SPEC 1.4 has its own rule.
            // The last activity is that of all rows of the user, and a new stay may have no user.
            names.retain(|name| !["roles", "scopes", "lastActivityAt", "user"].contains(&name.as_str()));
            names
        };
        let kept = members(new);
        for name in members(old) {
            let is_cleared = may_clear_input && name == "lastInputSeconds";
            assert!(
                is_cleared || kept.contains(&name),
                "{name} of row {id:?} was erased"
            );
        }
    }
}

fn pick<T>(from: &[T], any: usize) -> Option<&T> {
    (!from.is_empty()).then(|| &from[any % from.len()])
}
