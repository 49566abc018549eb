//! Seeded simulation of links that are slow, lose pongs and die, and of clients that come, go, beacon
//! and come again: when all is quiet, every reader has the roster's list.
//! `SEED=7 cargo test --test coalescing` replays one.

use std::collections::BTreeMap;

use presence_conformance::seed::{Rng, for_each_seed};
use presence_conformance::virtual_hub::{START, config, handshake, request};
use presence_core::model::Role;
use presence_core::server::{ConnId, Handshake, Hub, HubConfig, HubOutput, LeaveCause};
use presence_core::wire::Limits;
use presence_core::{Now, PresenceEntry};
use serde_json::json;

use crate::reader::Reader;

const WINDOW_MS: u64 = 50;

/// What happens; which connection or instance is drawn when it does.
#[derive(Clone, Copy, Debug)]
enum Event {
    Join,
    Beacon,
    Request,
    Close,
    /// The cable is cut: no more frames pass.
    Cut,
    Pong(ConnId),
    /// A slow link takes a frame.
    Receive(ConnId),
}

struct Link {
    reader: Reader,
    instance: String,
    may_read: bool,
    /// How long a frame takes, in ms; 0: everything is there at once.
    frame_ms: u64,
    is_cut: bool,
    is_receiving: bool,
}

struct Network {
    rng: Rng,
    hub: Hub,
    now: Now,
    links: BTreeMap<ConnId, Link>,
    agenda: BTreeMap<(u64, u64), Event>,
    planned: u64,
    joined: u64,
    /// No more clients join and no more faults occur.
    is_quiet: bool,
    frames: usize,
}

impl Network {
    fn new(mut rng: Rng) -> Self {
        let ttl_ms = *rng.pick(&[300_000, 40_000]);
        let max_entries = *rng.pick(&[200, 12]);
        let limits = Limits {
            window_ms: *rng.pick(&[WINDOW_MS, WINDOW_MS, 0]),
            ..Limits::default()
        };
        let config = HubConfig {
            limits,
            ..config(ttl_ms, max_entries, WINDOW_MS)
        };
        Self {
            rng,
            hub: Hub::new(config, START),
            now: START,
            links: BTreeMap::new(),
            agenda: BTreeMap::new(),
            planned: 0,
            joined: 0,
            is_quiet: true,
            frames: 0,
        }
    }

    /// Lets clients come and go, and links break, for this long.
    fn bustle(&mut self, ms: u64) {
        self.is_quiet = false;
        for event in [
            Event::Join,
            Event::Beacon,
            Event::Request,
            Event::Close,
            Event::Cut,
        ] {
            self.plan_again(event);
        }
        self.run(ms);
    }

    /// Goes on until this much virtual time is over.
    fn run(&mut self, ms: u64) {
        let end = self.now.age_ms + ms;
        loop {
            let timer_at = self.hub.poll_timeout();
            let planned_at = self.agenda.first_key_value().map(|(&(at, _), _)| at);
            let next = [timer_at, planned_at].into_iter().flatten().min();
            let Some(at) = next.filter(|&at| at <= end) else {
                break;
            };
            self.now = self.now.after(at.saturating_sub(self.now.age_ms));
            if planned_at == Some(at) {
                let (_, event) = self.agenda.pop_first().unwrap();
                self.happen(event);
            } else {
                self.hub.handle_timeout(self.now);
                let due = self.hub.poll_timeout();
                assert!(
                    due.is_none_or(|due| due > self.now.age_ms),
                    "something due was left undone"
                );
            }
            self.deliver();
        }
        self.now = self.now.after(end - self.now.age_ms);
    }

    fn plan(&mut self, in_ms: u64, event: Event) {
        self.planned += 1;
        self.agenda.insert((self.now.age_ms + in_ms, self.planned), event);
    }

    fn plan_again(&mut self, event: Event) {
        let pause_ms = match event {
            Event::Join => 1_500,
            Event::Beacon => 400,
            Event::Request => 1_000,
            Event::Close => 4_000,
            Event::Cut => 9_000,
            Event::Pong(_) | Event::Receive(_) => return,
        };
        // In bursts: often at once, sometimes much later.
        let in_ms = if self.rng.chance(50) {
            self.rng.within(0..=20)
        } else {
            self.rng.within(0..=pause_ms * 4)
        };
        self.plan(in_ms, event);
    }

    fn happen(&mut self, event: Event) {
        if self.is_quiet && !matches!(event, Event::Pong(_) | Event::Receive(_)) {
            return;
        }
        self.plan_again(event);
        match event {
            Event::Join => self.join(),
            Event::Beacon => self.beacon(),
            Event::Request => self.request_list(),
            Event::Close => {
                if let Some(conn) = self.any_link() {
                    self.links.remove(&conn);
                    self.hub.leave(conn, LeaveCause::PeerClosed, self.now);
                }
            }
            Event::Cut => {
                if let Some(conn) = self.any_link() {
                    self.links.get_mut(&conn).unwrap().is_cut = true;
                    // Sometimes the transport notices, mostly the pings do.
                    if self.rng.chance(20) {
                        self.links.remove(&conn);
                        self.hub.leave(conn, LeaveCause::PeerClosed, self.now);
                    }
                }
            }
            Event::Pong(conn) => self.hub.pong(conn, self.now),
            Event::Receive(conn) => {
                if let Some(link) = self.links.get_mut(&conn) {
                    link.is_receiving = false;
                    link.reader.receive(usize::from(!link.is_cut));
                }
            }
        }
    }

    fn join(&mut self) {
        self.joined += 1;
        let instance = format!("inst-{}", self.rng.within(0..=19));
        let (scopes, role) = match self.rng.within(0..=9) {
            0 => (&[][..], Role::Operator),
            1 => (&["operator.read"][..], Role::Node),
            2 => (&["operator.admin"][..], Role::Operator),
            _ => (&["operator.read"][..], Role::Operator),
        };
        let may_read = role == Role::Operator && !scopes.is_empty();
        let asks = Handshake {
            role,
            ..handshake(&instance, "ui", scopes, self.joined)
        };
        let conn = self.hub.join(asks, self.now);
        let frame_ms = *self.rng.pick(&[0, 0, 5, 70, 700, 6_000]);
        let link = Link {
            reader: Reader::default(),
            instance,
            may_read,
            frame_ms,
            is_cut: false,
            is_receiving: false,
        };
        self.links.insert(conn, link);
    }

    fn beacon(&mut self) {
        let Some(conn) = self.any_link() else { return };
        let link = &self.links[&conn];
        if link.may_read {
            let seconds = self.rng.within(0..=600);
            let beacon =
                json!({ "text": "beacon", "instanceId": link.instance, "lastInputSeconds": seconds });
            self.hub.call(conn, &request("system-event", beacon), self.now);
        }
    }

    fn request_list(&mut self) {
        let Some(conn) = self.any_link() else { return };
        if self.links[&conn].may_read {
            self.hub
                .call(conn, &request("system-presence", json!({})), self.now);
            let version = self.hub.version();
            self.links.get_mut(&conn).unwrap().reader.requested(version);
        }
    }

    fn any_link(&mut self) -> Option<ConnId> {
        let open: Vec<ConnId> = self
            .links
            .iter()
            .filter(|(_, link)| !link.is_cut)
            .map(|(&conn, _)| conn)
            .collect();
        (!open.is_empty()).then(|| *self.rng.pick(&open))
    }

    fn deliver(&mut self) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                HubOutput::Send(conn, item) => {
                    // One that just closed may still have been addressed.
                    if let Some(link) = self.links.get_mut(&conn) {
                        link.reader.send(item);
                        self.frames += 1;
                    }
                }
                HubOutput::Ping(conn) => {
                    let is_lost = self.rng.chance(5) && !self.is_quiet;
                    if self.links.get(&conn).is_some_and(|link| !link.is_cut) && !is_lost {
                        let in_ms = self.rng.within(0..=300);
                        self.plan(in_ms, Event::Pong(conn));
                    }
                }
                HubOutput::Drop(conn, _) => drop(self.links.remove(&conn)),
                other => panic!("{other:?}"),
            }
        }
        let mut receiving = Vec::new();
        for (&conn, link) in &mut self.links {
            if link.is_cut {
                continue;
            }
            if link.frame_ms == 0 {
                link.reader.receive(usize::MAX);
            } else if link.reader.is_behind() && !link.is_receiving {
                link.is_receiving = true;
                receiving.push((link.frame_ms, conn));
            }
        }
        for (frame_ms, conn) in receiving {
            self.plan(frame_ms, Event::Receive(conn));
        }
    }

    /// Waits until everything has settled: slow links have recovered, cut ones are noticed.
    fn calm_down(&mut self) {
        self.is_quiet = true;
        for link in self.links.values_mut() {
            link.frame_ms = 0;
        }
        self.run(120_000);
    }

    fn check(&mut self) {
        let list = timeless(self.hub.list(self.now));
        self.deliver();
        assert_eq!(self.links.len(), self.hub.connections());
        for (conn, link) in &self.links {
            assert!(!link.is_cut && !link.reader.is_behind() && link.reader.close.is_none());
            if link.may_read {
                assert_eq!(
                    link.reader.version,
                    self.hub.version(),
                    "{conn:?} has an old version"
                );
                assert_eq!(timeless(link.reader.entries()), list, "{conn:?} has another list");
            } else {
                assert!(link.reader.events.is_empty() && link.reader.entries().is_empty());
            }
        }
    }
}

/// The parts of a list that pongs do not change, in an order that pongs do not change.
fn timeless(mut list: Vec<PresenceEntry>) -> Vec<PresenceEntry> {
    assert_eq!(list[0].reason.as_deref(), Some("self"));
    for entry in &mut list {
        entry.ts = 0;
        entry.last_input_seconds = None;
    }
    list.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
    list
}

#[test]
fn every_reader_ends_with_the_rosters_list() {
    for_each_seed(60, |rng| {
        let mut network = Network::new(rng);
        for _ in 0..3 {
            network.bustle(60_000);
            network.calm_down();
            network.check();
        }
        assert!(
            network.joined > 20 && network.frames > 500,
            "a quiet night: {} frames",
            network.frames
        );
    });
}
