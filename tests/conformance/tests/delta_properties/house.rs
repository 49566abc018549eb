//! A gateway, the clients that change its roster, and the clients that follow it.

use std::collections::BTreeMap;
use std::sync::Arc;

use presence_conformance::virtual_hub::{START, config, handshake, request};
use presence_core::client::ClientState;
use presence_core::digest::{Digest, of_entry};
use presence_core::model::RawEntry;
use presence_core::model::entry::TIME_MEMBERS;
use presence_core::server::{ConnId, Hub, HubOutput, Item, LeaveCause};
use presence_core::{Now, PresenceEntry};
use serde_json::{Value, json};

use crate::Event;
use crate::follower::{Follower, Seen};

/// Short enough for rows to expire within a case.
const TTL_MS: u64 = 120_000;
/// Clients that come and go.
const MAX_ACTORS: usize = 12;

pub(crate) struct House {
    hub: Hub,
    now: Now,
    /// Writes other people's rows, and answers for the gateway's state.
    clerk: ConnId,
    answer: Option<Value>,
    actors: Vec<Actor>,
    joined: u64,
    followers: Vec<Follower>,
}

struct Actor {
    conn: ConnId,
    is_mute: bool,
}

impl House {
    pub(crate) fn new(max_entries: usize, window_ms: u64) -> Self {
        let mut hub = Hub::new(config(TTL_MS, max_entries, window_ms), START);
        let clerk = hub.join(handshake("clerk", "cli", &["operator.admin"], 0), START);
        let followers = [true, false, true, true];
        let mut house = Self {
            hub,
            now: START,
            clerk,
            answer: None,
            actors: Vec::new(),
            joined: 0,
            followers: (0..)
                .zip(followers)
                .map(|(n, deltas)| Follower::new(n, deltas, START))
                .collect(),
        };
        house.settle();
        house
    }

    pub(crate) fn happen(&mut self, event: &Event) {
        let now = self.now;
        match *event {
            Event::Beacon {
                instance,
                device,
                text,
                last_input,
            } => {
                let mut params =
                    json!({ "text": format!("text {text}"), "instanceId": format!("i-{instance}") });
                if let Some(device) = device {
                    params["deviceId"] = format!("d-{device}").into();
                    if instance % 2 == 0 {
                        params.as_object_mut().unwrap().remove("instanceId");
                    }
                }
                if let Some(seconds) = last_input {
                    params["lastInputSeconds"] = seconds.into();
                }
                self.hub.call(self.clerk, &request("system-event", params), now);
            }
            Event::Join { instance, device } if self.actors.len() < MAX_ACTORS => {
                self.joined += 1;
                let id = instance.map_or_else(String::new, |instance| format!("i-{instance}"));
                let mut joins = handshake(&id, "ui", &["operator.read"], self.joined);
                // Distinguishes rows without ids.
                let client = Arc::make_mut(&mut joins.client);
                client.display_name = Some(format!("actor {}", self.joined).into());
                client.instance_id = instance.map(|_| id.into());
                joins.device_id = device.map(|device| format!("d-{device}").into());
                let conn = self.hub.join(joins, now);
                self.actors.push(Actor { conn, is_mute: false });
            }
            Event::Join { .. } => {}
            Event::Leave(actor) => {
                if let Some(at) = pick(actor, self.actors.len()) {
                    let actor = self.actors.remove(at);
                    self.hub.leave(actor.conn, LeaveCause::PeerClosed, now);
                }
            }
            Event::Mute(actor) => {
                if let Some(at) = pick(actor, self.actors.len()) {
                    self.actors[at].is_mute ^= true;
                }
            }
            Event::Pong(actor) => {
                if let Some(at) = pick(actor, self.actors.len()) {
                    self.hub.pong(self.actors[at].conn, now);
                }
            }
            Event::Flood(instance) => {
                for n in 0..20 {
                    let text = format!("{n} {}", "x".repeat(4_000));
                    let params = json!({ "text": text, "instanceId": format!("i-{instance}") });
                    self.hub
                        .call(self.clerk, &request("system-event", params), self.now);
                    self.pass(50);
                }
            }
            Event::Pass(ms) => self.pass(ms.into()),
            Event::WallStep(by) => self.now.wall_ms = now.wall_ms.saturating_add_signed(by.into()),
            Event::Pause(follower) => self.follower(follower).is_paused ^= true,
            Event::Lose { follower, frames } => self.follower(follower).loses = frames,
            Event::Break(follower) => {
                let at = usize::from(follower) % self.followers.len();
                self.followers[at].break_off(&mut self.hub, now);
            }
        }
        self.settle();
    }

    /// Nothing is withheld any more, and there is time for ticks and touches.
    pub(crate) fn come_to_rest(&mut self) {
        for follower in &mut self.followers {
            follower.is_paused = false;
            follower.loses = 0;
        }
        self.settle();
        self.pass(100_000);
    }

    /// The frames of all followers.
    pub(crate) fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        self.followers
            .iter()
            .for_each(|follower| seen.add(&follower.seen));
        seen
    }

    // ---- checks -------------------------------------------------------------------------------

    /// Checks that each live mirror with the gateway's version has its rows and its digest.
    pub(crate) fn check_those_with_the_version(&mut self) {
        let held = self.held();
        for follower in self.followers.iter().filter(|follower| follower.takes_deltas) {
            let mirror = follower.client.mirror();
            if follower.client.state() == ClientState::Live && mirror.version() == Some(held.version) {
                held.check(mirror.raw_list());
                assert_eq!(mirror.digest().to_hex(), held.digest, "the mirror's digest");
            }
        }
    }

    pub(crate) fn check_all(&mut self) {
        let held = self.held();
        for follower in &self.followers {
            assert_eq!(follower.client.state(), ClientState::Live);
            let mirror = follower.client.mirror();
            held.check(mirror.raw_list());
            if follower.takes_deltas {
                assert_eq!(mirror.version(), Some(held.version));
                assert_eq!(mirror.digest().to_hex(), held.digest, "the mirror's digest");
                // 30 s without a broadcast, 25 s to the next pong, 60 s to the next lone touch.
                held.check_times(mirror.raw_list(), 115_000);
            }
        }
    }

    /// The gateway's rows, with their digest computed from scratch.
    fn held(&mut self) -> Held {
        self.hub
            .call(self.clerk, &request("presence.snapshot", json!({})), self.now);
        self.settle();
        let answer = self.answer.take().unwrap();
        let payload = &answer["payload"];
        let rows: Vec<PresenceEntry> = serde_json::from_value(payload["presence"].clone()).unwrap();
        let keys: Vec<String> = serde_json::from_value(payload["keys"].clone()).unwrap();
        assert_eq!(rows.len(), keys.len());
        let mut sum = Digest::default();
        keys.iter()
            .zip(&rows)
            .for_each(|(key, row)| sum.add(of_entry(key, row)));
        let digest = payload["digest"].as_str().unwrap().to_owned();
        assert_eq!(
            digest,
            sum.to_hex(),
            "the digest that is kept is the one of the rows"
        );
        Held {
            rows: rows
                .iter()
                .map(|row| raw(&serde_json::to_string(row).unwrap()))
                .collect(),
            version: payload["version"].as_u64().unwrap(),
            digest,
        }
    }

    // ---- time and delivery --------------------------------------------------------------------

    fn follower(&mut self, number: u8) -> &mut Follower {
        let at = usize::from(number) % self.followers.len();
        &mut self.followers[at]
    }

    /// Lets time pass, every timer on time.
    fn pass(&mut self, ms: u64) {
        let end_ms = self.now.age_ms + ms;
        loop {
            let timers = self.followers.iter().filter_map(Follower::poll_timeout);
            let due_ms = timers.chain(self.hub.poll_timeout()).min();
            let Some(due_ms) = due_ms.filter(|&due_ms| due_ms <= end_ms) else {
                break;
            };
            self.now = self.now.after(due_ms.saturating_sub(self.now.age_ms));
            self.hub.handle_timeout(self.now);
            for follower in &mut self.followers {
                follower.handle_timeout(self.now);
            }
            self.settle();
        }
        self.now = self.now.after(end_ms - self.now.age_ms);
        self.settle();
    }

    /// Executes the outputs of all machines until there are none.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            while let Some(output) = self.hub.poll_output() {
                moved = true;
                self.obey(output);
            }
            for follower in &mut self.followers {
                moved |= follower.serve(&mut self.hub, self.now);
            }
            if !moved {
                return;
            }
        }
    }

    fn obey(&mut self, output: HubOutput) {
        match output {
            HubOutput::Send(conn, Item::Response(frame)) if conn == self.clerk => {
                self.answer = Some(serde_json::from_str(&frame.to_string()).unwrap());
            }
            HubOutput::Send(conn, item) => {
                if let Some(follower) = self.followers.iter_mut().find(|follower| follower.is(conn)) {
                    follower.send(item, &mut self.hub, self.now);
                }
            }
            HubOutput::Ping(conn) => {
                let is_mute = self
                    .actors
                    .iter()
                    .any(|actor| actor.conn == conn && actor.is_mute);
                if !is_mute {
                    self.hub.pong(conn, self.now);
                }
            }
            HubOutput::Drop(conn, _) => self.actors.retain(|actor| actor.conn != conn),
            other => panic!("{other:?}"),
        }
    }
}

/// The gateway's state.
struct Held {
    rows: Vec<RawEntry>,
    version: u64,
    digest: String,
}

impl Held {
    /// The rows say the same, but for the times that pongs move in silence.
    fn check<'a>(&self, mirrored: impl Iterator<Item = &'a RawEntry>) {
        let mut own: Vec<String> = mirrored.map(content).collect();
        let mut held: Vec<String> = self.rows.iter().map(content).collect();
        own.sort();
        held.sort();
        assert_eq!(own, held);
    }

    /// The times are at most so much behind, and the last input was when it was.
    fn check_times<'a>(&self, mirrored: impl Iterator<Item = &'a RawEntry>, late_ms: u64) {
        let held: BTreeMap<String, &RawEntry> = self.rows.iter().map(|row| (content(row), row)).collect();
        for own in mirrored {
            let row = held[&content(own)];
            let (own_ts, ts) = (own.ts().unwrap(), row.ts().unwrap());
            assert!(own_ts <= ts && ts - own_ts <= late_ms, "{own} for {row}");
            let input = |row: &RawEntry| {
                let seconds = row.integer("lastInputSeconds")?;
                Some(row.ts()?.saturating_sub(seconds * 1_000))
            };
            match (input(own), input(row)) {
                (Some(own_ms), Some(ms)) => assert!(own_ms.abs_diff(ms) < 2_000, "{own} for {row}"),
                (own_ms, ms) => assert_eq!(own_ms, ms),
            }
            assert_eq!(
                [own.integer("onlineSince"), own.integer("lastActivityAt")],
                [row.integer("onlineSince"), row.integer("lastActivityAt")],
                "{own} for {row}"
            );
        }
    }
}

fn raw(text: &str) -> RawEntry {
    RawEntry::read(text).unwrap()
}

fn content(entry: &RawEntry) -> String {
    let members = entry.members().filter(|(name, _)| !TIME_MEMBERS.contains(name));
    // Of long texts the beginning says enough.
    members
        .map(|(name, value)| format!("{name}={:.40};", value))
        .collect()
}

fn pick(number: u8, len: usize) -> Option<usize> {
    (len > 0).then(|| usize::from(number) % len)
}
