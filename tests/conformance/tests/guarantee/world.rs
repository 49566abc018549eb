//! A hub on a virtual clock, the schedule of what happens to it, and what the outside knows of its rows.

mod checks;
mod outputs;

use std::collections::{BTreeMap, BTreeSet};

use presence_conformance::seed::Rng;
use presence_conformance::virtual_hub::{START, config, handshake, request};
use presence_core::Now;
use presence_core::server::{ConnId, Hub, LeaveCause};
use serde_json::json;

/// Longer than any ping interval and the 30 s from which a late timer means a suspension.
const SLEEP_MS: u64 = 56_000;

#[derive(Clone, Copy, Debug)]
enum Event {
    Join,
    Beacon,
    OwnBeacon(ConnId),
    Pong(ConnId),
    Close(ConnId),
    WallStep,
    Suspend,
}

/// An open connection, as the outside knows it.
#[derive(Clone, Debug)]
struct Peer {
    instance: String,
    /// From then on it answers no ping: the half-dead kind.
    silent_from: u64,
}

/// The state of a row as seen from outside.
#[derive(Clone, Debug, Default)]
struct Known {
    proof_ms: u64,
    written_ms: u64,
    live: usize,
    /// It was asked for a pong when the gateway woke, and may answer until then.
    asked_until: Option<u64>,
}

pub(crate) struct World {
    rng: Rng,
    hub: Hub,
    now: Now,
    ttl_ms: u64,
    /// How late a timer may fire.
    lateness_ms: u64,
    /// The wall clock gains that many ms in a thousand.
    skew: i64,
    peers: BTreeMap<ConnId, Peer>,
    known: BTreeMap<String, Known>,
    /// Rows the gateway had after the last call.
    present: BTreeSet<String>,
    /// Rows in the reader's last snapshot.
    seen: BTreeSet<String>,
    reader: ConnId,
    agenda: BTreeMap<(u64, u64), Event>,
    planned: u64,
    conns: u64,
    timer: Option<(u64, u64)>,
    has_just_woken: bool,
    pub(crate) expired: usize,
    pub(crate) dropped: usize,
}

impl World {
    pub(crate) fn new(mut rng: Rng) -> Self {
        let ttl_ms = *rng.pick(&[300_000, 60_000, 20_000]);
        let mut hub = Hub::new(config(ttl_ms, 10_000, 50), START);
        let reader = hub.join(handshake("reader", "ui", &["operator.admin"], 0), START);
        let mut world = Self {
            lateness_ms: *rng.pick(&[0, 450, 999]),
            skew: *rng.pick(&[0, 0, -3, 3]),
            rng,
            hub,
            now: START,
            ttl_ms,
            peers: BTreeMap::new(),
            known: BTreeMap::new(),
            present: BTreeSet::new(),
            seen: BTreeSet::new(),
            reader,
            agenda: BTreeMap::new(),
            planned: 0,
            conns: 0,
            timer: None,
            has_just_woken: false,
            expired: 0,
            dropped: 0,
        };
        world.opened(reader, "reader", u64::MAX);
        world.finish_call(None);
        for event in [Event::Join, Event::Beacon, Event::WallStep, Event::Suspend] {
            world.plan_again(event);
        }
        world
    }

    fn window_ms(&self) -> u64 {
        25_000.min(self.ttl_ms / 4)
    }

    pub(crate) fn run(&mut self, events: usize) {
        for _ in 0..events {
            let timer_at = self.timer_at();
            let planned_at = self.agenda.first_key_value().map(|(&(at, _), _)| at);
            let at = [timer_at, planned_at].into_iter().flatten().min().unwrap();
            self.pass(at.saturating_sub(self.now.age_ms));
            self.check_nothing_overstays();
            if planned_at.is_some_and(|planned_at| timer_at.is_none_or(|timer_at| planned_at <= timer_at)) {
                let (_, event) = self.agenda.pop_first().unwrap();
                self.happen(event);
            } else {
                self.timer = None;
                self.hub.handle_timeout(self.now);
                self.finish_call(None);
                self.check_rows();
            }
        }
    }

    /// When the shell's timer for the hub fires: as late as it happens to be.
    fn timer_at(&mut self) -> Option<u64> {
        let due = self.hub.poll_timeout()?;
        match self.timer {
            Some((for_due, at)) if for_due == due => Some(at),
            _ => {
                let at = due + self.rng.within(0..=self.lateness_ms);
                self.timer = Some((due, at));
                Some(at)
            }
        }
    }

    fn pass(&mut self, ms: u64) {
        let gained = ms as i64 * self.skew / 1_000;
        self.now = self.now.after(ms);
        self.now.wall_ms = self.now.wall_ms.saturating_add_signed(gained);
    }

    fn plan(&mut self, in_ms: u64, event: Event) {
        self.planned += 1;
        self.agenda.insert((self.now.age_ms + in_ms, self.planned), event);
    }

    fn plan_again(&mut self, event: Event) {
        let pause = match event {
            Event::Join => self.ttl_ms / 12,
            Event::Beacon => self.ttl_ms / 6,
            Event::WallStep => self.ttl_ms * 2,
            Event::Suspend => self.ttl_ms * 5,
            _ => return,
        };
        let in_ms = self.rng.within(0..=pause * 2);
        self.plan(in_ms, event);
    }

    fn happen(&mut self, event: Event) {
        self.plan_again(event);
        let now = self.now;
        match event {
            Event::Join => self.join(),
            Event::Beacon => {
                let instance = format!("beacon-{}", self.rng.within(0..=9));
                self.beacon(self.reader, &instance);
            }
            Event::OwnBeacon(conn) => {
                if let Some(peer) = self.peers.get(&conn) {
                    let instance = peer.instance.clone();
                    self.beacon(conn, &instance);
                }
            }
            Event::Pong(conn) => {
                self.hub.pong(conn, now);
                self.finish_call(Some((conn, Event::Pong(conn))));
                self.check_rows();
            }
            Event::Close(conn) => {
                let cause = *self.rng.pick(&[LeaveCause::PeerClosed, LeaveCause::WeClosed]);
                self.hub.leave(conn, cause, now);
                self.finish_call(Some((conn, Event::Close(conn))));
                self.check_rows();
            }
            Event::WallStep => {
                let bits = self.rng.within(1..=40);
                let by = self.rng.within(0..=1 << bits) as i64;
                let by = if self.rng.chance(50) { -by } else { by };
                self.now.wall_ms = now.wall_ms.saturating_add_signed(by).max(now.age_ms + SLEEP_MS);
            }
            Event::Suspend => {
                let longest =
                    *self
                        .rng
                        .pick(&[SLEEP_MS, self.ttl_ms + SLEEP_MS, self.ttl_ms * 20 + SLEEP_MS]);
                let asleep = self.rng.within(SLEEP_MS..=longest);
                self.pass(asleep);
                self.has_just_woken = true;
            }
        }
    }

    fn join(&mut self) {
        self.conns += 1;
        let instance = format!("inst-{}", self.rng.within(0..=11));
        let conn = self
            .hub
            .join(handshake(&instance, "ui", &[], self.conns), self.now);
        let lives = self.rng.within(0..=self.ttl_ms * 2);
        let silent_from = if self.rng.chance(40) {
            self.now.age_ms + lives / 2
        } else {
            u64::MAX
        };
        self.finish_call(None);
        self.opened(conn, &instance, silent_from);
        self.check_rows();
        self.plan(lives, Event::Close(conn));
        if self.rng.chance(30) {
            self.plan(lives / 3, Event::OwnBeacon(conn));
        }
    }

    fn opened(&mut self, conn: ConnId, instance: &str, silent_from: u64) {
        let instance = instance.to_owned();
        let known = self.known.entry(instance.clone()).or_default();
        known.live += 1;
        known.written(self.now, true);
        self.peers.insert(
            conn,
            Peer {
                instance,
                silent_from,
            },
        );
    }

    fn beacon(&mut self, sender: ConnId, instance: &str) {
        let params = json!({ "text": "still here", "instanceId": instance });
        self.hub.call(sender, &request("system-event", params), self.now);
        self.finish_call(None);
        if self.peers.contains_key(&sender) {
            self.known
                .entry(instance.to_owned())
                .or_default()
                .written(self.now, true);
        }
        self.check_rows();
    }
}

impl Known {
    fn written(&mut self, now: Now, is_proof: bool) {
        self.written_ms = now.age_ms;
        if is_proof {
            self.proof_ms = now.age_ms;
            self.asked_until = None;
        }
    }
}
