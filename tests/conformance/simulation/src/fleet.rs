//! Several gateways that observe each other, and their clients: a world per gateway, all on one virtual time.
//!
//! The gateways' clocks have other origins and are hours apart. A gateway observes another one through a client on its
//! own clocks, which is a peer of the other one's world.

use std::collections::BTreeMap;
use std::mem::take;

use presence_core::Now;
use presence_core::client::{Client, ClientConfig, ClientEvent};
use presence_core::fleet::SourceId;
use presence_core::observer::{self, Observation};
use presence_core::server::HubConfig;

use crate::world::{TOKEN, World};

/// A gateway's clocks, and how it is set up.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its configuration.
    pub config: HubConfig,
    /// What its clocks read at the start.
    pub start: Now,
}

/// What happens at a set time.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// A gateway's new process starts.
    Start(usize),
    /// A gateway's machine wakes up.
    Wake(usize),
    /// Two gateways reach each other again.
    Join(usize, usize),
}

/// One gateway's client of another one.
#[derive(Clone, Debug)]
struct Observer {
    /// The gateway that observes.
    by: usize,
    /// What the observed one is to it.
    source: SourceId,
    /// The gateway that is observed: the client is a peer of its world.
    of: usize,
    peer: usize,
    config: ClientConfig,
}

/// Gateways that observe each other.
#[derive(Debug)]
pub struct Fleet {
    /// Each gateway with the clients of it.
    pub worlds: Vec<World>,
    /// Time since the start, in ms.
    pub at_ms: u64,
    observers: Vec<Observer>,
    /// Of each observer.
    observations: Vec<Observation>,
    /// What is to happen, by time and number.
    agenda: BTreeMap<(u64, u64), Deed>,
    deeds: u64,
    /// When each gateway woke up last.
    woken_ms: Vec<u64>,
}

impl Fleet {
    /// Gateways that observe each other, each with the name `g` and its number.
    #[must_use]
    pub fn new(gateways: &[Gateway]) -> Self {
        let count = gateways.len();
        let others = |by: usize| (0..count).filter(move |&of| of != by);
        let world = |(by, gateway): (usize, &Gateway)| {
            let names = others(by).map(|of| name(of).into()).collect();
            World::observing(gateway.config.clone(), names, gateway.start)
        };
        let mut fleet = Self {
            worlds: gateways.iter().enumerate().map(world).collect(),
            at_ms: 0,
            observers: Vec::new(),
            observations: Vec::new(),
            agenda: BTreeMap::new(),
            deeds: 0,
            woken_ms: vec![0; count],
        };
        for by in 0..count {
            for (source, of) in (0..).zip(others(by)) {
                let config = ClientConfig {
                    token: Some(TOKEN.into()),
                    seed: (by * count + of) as u64,
                    ..observer::config("1.0", "linux")
                };
                let ahead = fleet.ahead(by, of);
                let peer = fleet.worlds[of].add_skewed(config.clone(), ahead);
                let source = SourceId(source);
                fleet.observations.push(Observation::default());
                fleet.observers.push(Observer {
                    by,
                    source,
                    of,
                    peer,
                    config,
                });
            }
        }
        fleet.settle();
        fleet
    }

    /// The peer of the world `of` that is the client of gateway `by`.
    #[must_use]
    pub fn observer(&self, by: usize, of: usize) -> usize {
        let mut observers = self.observers.iter();
        observers
            .find(|observer| (observer.by, observer.of) == (by, of))
            .unwrap()
            .peer
    }

    /// Whether that peer of a world is a gateway's client.
    #[must_use]
    pub fn is_observer(&self, of: usize, peer: usize) -> bool {
        let mut observers = self.observers.iter();
        observers.any(|observer| (observer.of, observer.peer) == (of, peer))
    }

    /// How long a gateway has been awake, in ms.
    #[must_use]
    pub fn awake_ms(&self, gateway: usize) -> u64 {
        self.at_ms - self.woken_ms[gateway]
    }

    /// Whether a gateway's process runs.
    #[must_use]
    pub fn is_served(&self, gateway: usize) -> bool {
        let world = &self.worlds[gateway];
        world.is_up && !world.is_suspended
    }

    /// A gateway's process ends: as it is told to, or killed. Another one takes its place after `down_ms`.
    pub fn end(&mut self, gateway: usize, is_told: bool, down_ms: u64) {
        if !self.is_served(gateway) {
            return;
        }
        if is_told {
            self.worlds[gateway].stop_gateway();
        } else {
            self.worlds[gateway].crash_gateway();
        }
        for observer in self.of_gateway(gateway) {
            let now = self.worlds[observer.of].peer_now(observer.peer);
            // Until the new process starts it does nothing.
            let client = Client::new(observer.config, now);
            self.worlds[observer.of].replace_client(observer.peer, client);
        }
        self.plan(down_ms, Deed::Start(gateway));
        self.settle();
    }

    /// A gateway's machine is suspended for that long.
    pub fn suspend(&mut self, gateway: usize, ms: u64) {
        if self.is_served(gateway) {
            self.set_suspended(gateway, true);
            self.plan(ms, Deed::Wake(gateway));
        }
    }

    /// Two gateways do not reach each other for that long. Their sockets are dead; or, if they are `held`, carry
    /// everything afterwards.
    pub fn part(&mut self, (a, b): (usize, usize), is_held: bool, ms: u64) {
        for (of, peer) in [(b, self.observer(a, b)), (a, self.observer(b, a))] {
            let world = &mut self.worlds[of];
            world.peers[peer].is_cut_off = true;
            if is_held {
                world.hold(peer, ms);
            } else {
                world.cut(peer);
            }
        }
        self.plan(ms, Deed::Join(a, b));
    }

    /// A gateway's wall clock is set by this many ms.
    pub fn step(&mut self, gateway: usize, ms: i64) {
        self.worlds[gateway].step_gateway(ms);
        for observer in self.of_gateway(gateway) {
            self.worlds[observer.of].step_peer(observer.peer, ms);
        }
    }

    /// All machines sleep for that long: all timers are late by it.
    pub fn sleep(&mut self, ms: u64) {
        self.advance(ms);
        self.woken_ms.fill(self.at_ms);
        for world in &mut self.worlds {
            world.fire();
        }
        self.settle();
    }

    /// All that is planned happens now.
    pub fn hurry(&mut self) {
        while let Some((_, deed)) = self.agenda.pop_first() {
            self.act(deed);
        }
    }

    /// Lets time pass, every timer on time.
    pub fn pass(&mut self, ms: u64) {
        let end_ms = self.at_ms + ms;
        let mut rounds = 0;
        loop {
            let of_world = |world: &World| Some(world.next_due_ms()?.saturating_sub(world.now.age_ms));
            let in_ms = self.worlds.iter().filter_map(of_world).min();
            let due_ms = in_ms.map(|in_ms| self.at_ms + in_ms);
            let planned_ms = self
                .agenda
                .first_key_value()
                .map(|(&(at_ms, _), _)| at_ms.max(self.at_ms));
            let next_ms = [due_ms, planned_ms].into_iter().flatten().min();
            let Some(next_ms) = next_ms.filter(|&next_ms| next_ms <= end_ms) else {
                break;
            };
            rounds += 1;
            assert!(rounds < 1_000_000, "time does not pass");
            self.advance(next_ms - self.at_ms);
            while let Some(entry) = self.agenda.first_entry()
                && entry.key().0 <= self.at_ms
            {
                let deed = entry.remove();
                self.act(deed);
            }
            for world in &mut self.worlds {
                if world
                    .next_due_ms()
                    .is_some_and(|due_ms| due_ms <= world.now.age_ms)
                {
                    world.fire();
                }
            }
            self.settle();
        }
        self.advance(end_ms - self.at_ms);
    }

    /// Hands what observers say to their gateways, until none says anything.
    pub fn settle(&mut self) {
        let mut has_moved = true;
        while has_moved {
            has_moved = false;
            for index in 0..self.observers.len() {
                let &Observer {
                    by, source, of, peer, ..
                } = &self.observers[index];
                for event in take(&mut self.worlds[of].peers[peer].events) {
                    let ClientEvent::Roster(diff) = event else {
                        continue;
                    };
                    let (now, client) = (
                        self.worlds[of].peer_now(peer),
                        &self.worlds[of].peers[peer].client,
                    );
                    let update = self.observations[index].update(client, &diff, now);
                    self.worlds[by].apply(source, update);
                    has_moved = true;
                }
            }
        }
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Start(gateway) => {
                self.worlds[gateway].start_gateway();
                for (index, observer) in self.observers.iter().enumerate() {
                    if observer.by == gateway {
                        self.observations[index] = Observation::default();
                        self.worlds[observer.of].with(observer.peer, Client::start);
                    }
                }
            }
            Deed::Wake(gateway) => {
                self.woken_ms[gateway] = self.at_ms;
                self.worlds[gateway].wake_gateway();
                self.set_suspended(gateway, false);
            }
            Deed::Join(a, b) => {
                for (of, peer) in [(b, self.observer(a, b)), (a, self.observer(b, a))] {
                    self.worlds[of].peers[peer].is_cut_off = false;
                }
            }
        }
        self.settle();
    }

    fn plan(&mut self, in_ms: u64, deed: Deed) {
        self.deeds += 1;
        self.agenda.insert((self.at_ms + in_ms, self.deeds), deed);
    }

    fn set_suspended(&mut self, gateway: usize, is_suspended: bool) {
        self.worlds[gateway].is_suspended = is_suspended;
        for Observer { of, peer, .. } in self.of_gateway(gateway) {
            if is_suspended {
                self.worlds[of].peers[peer].is_suspended = true;
            } else {
                self.worlds[of].wake(peer);
            }
        }
    }

    /// The clients of a gateway.
    fn of_gateway(&self, gateway: usize) -> Vec<Observer> {
        let observers = self.observers.iter().filter(|observer| observer.by == gateway);
        observers.cloned().collect()
    }

    /// What the clocks of one gateway are ahead of another one's.
    fn ahead(&self, of: usize, before: usize) -> (i64, i64) {
        let (a, b) = (self.worlds[of].now, self.worlds[before].now);
        let less = |a: u64, b: u64| a as i64 - b as i64;
        (less(a.age_ms, b.age_ms), less(a.wall_ms, b.wall_ms))
    }

    fn advance(&mut self, ms: u64) {
        self.at_ms += ms;
        for world in &mut self.worlds {
            world.now = world.now.after(ms);
        }
    }
}

/// What other gateways call it.
#[must_use]
pub fn name(gateway: usize) -> String {
    format!("g{gateway}")
}
