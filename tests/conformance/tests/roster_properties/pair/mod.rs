//! The roster and the model, side by side.

mod beacons;
mod checks;

use presence_conformance::model::Model;
use presence_core::roster::{ConnectWrite, Holder, Roster, RosterConfig, RowId};
use presence_core::{Now, PresenceEntry};

use self::checks::check_nothing_erased;
use crate::history::{Client, Op, Sender};

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

/// Applies a history to both rosters and compares them after every operation.
pub(crate) fn play(cap: usize, ttl_ms: u64, history: &[(u64, Op)]) {
    let mut pair = Pair::new(cap, ttl_ms);
    let mut before = pair.check();
    for (pause_ms, op) in history {
        pair.now = pair.now.after(*pause_ms);
        pair.apply(op);
        let after = pair.check();
        let may_clear = matches!(
            op,
            Op::Beacon(b, _) | Op::OwnBeacon(_, b) | Op::RowlessBeacon(_, b) if b.clear_last_input
        ) || matches!(op, Op::Report(_, None) | Op::Withdraw(_));
        // A close, or a move, takes along what only its connection had.
        if !matches!(op, Op::Close(..)) && !pair.has_moved {
            check_nothing_erased(&before, &after, may_clear);
        }
        before = after;
    }
    // An abandoned roster empties itself, in no more steps than it has rows.
    for _ in 0..=pair.real.len() + 1 {
        pair.apply(&Op::Deadline);
        pair.check();
    }
    assert_eq!(pair.real.len(), 1);
    assert_eq!(pair.real.poll_timeout(), None);
}

struct Pair {
    now: Now,
    cap: usize,
    ttl_ms: u64,
    real: Roster,
    model: Model,
    open: Vec<Open>,
    stale: Vec<(Option<RowId>, Option<u64>)>,
    connects: u64,
    /// Whether the last operation moved connections off their row.
    has_moved: bool,
}

impl Pair {
    fn new(cap: usize, ttl_ms: u64) -> Self {
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

    fn apply(&mut self, op: &Op) {
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
}

fn pick<T>(from: &[T], any: usize) -> Option<&T> {
    (!from.is_empty()).then(|| &from[any % from.len()])
}
