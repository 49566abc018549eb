//! Gateways that observe each other. A gateway observes another one through a client on its own clocks, which is a peer
//! of the other one's world.

use std::mem::take;

use presence_core::client::{Client, ClientConfig, ClientEvent};
use presence_core::fleet::SourceId;
use presence_core::observer::{self, Observation};

use super::{Fleet, Gateway, Links, name};
use crate::Rng;
use crate::world::{TOKEN, World};

/// Longest delay of a hello, in ms: the time limit of a client for its socket and the handshake. A clock that was set
/// without a connection can be wrong by this much until the next tick.
const HELLO_MS: u64 = 30_000;

/// One gateway's client of another one.
#[derive(Clone, Debug)]
struct Observer {
    /// The gateway that observes.
    by: usize,
    /// The observed gateway as its source.
    source: SourceId,
    /// The gateway that is observed: the client is a peer of its world.
    of: usize,
    peer: usize,
    config: ClientConfig,
}

/// Every gateway observes every other one.
#[derive(Debug)]
pub struct Observers {
    observers: Vec<Observer>,
    /// Of each observer.
    observations: Vec<Observation>,
}

/// Two gateways reach each other again.
#[derive(Clone, Copy, Debug)]
pub struct Join(usize, usize);

impl Links for Observers {
    type Deed = Join;

    const LATE_MS: u64 = HELLO_MS;

    fn world(gateway: &Gateway, number: usize, count: usize) -> World {
        let names = others(number, count).map(|of| name(of).into()).collect();
        World::observing(gateway.config.clone(), names, gateway.start)
    }

    fn new(worlds: &mut [World], _: u64) -> Self {
        let count = worlds.len();
        let mut links = Self {
            observers: Vec::new(),
            observations: Vec::new(),
        };
        for by in 0..count {
            for (source, of) in (0..).zip(others(by, count)) {
                let config = ClientConfig {
                    token: Some(TOKEN.into()),
                    seed: (by * count + of) as u64,
                    ..observer::config("1.0", "linux")
                };
                let ahead = ahead(&worlds[by], &worlds[of]);
                let peer = worlds[of].add_skewed(config.clone(), ahead);
                let source = SourceId(source);
                links.observations.push(Observation::default());
                links.observers.push(Observer {
                    by,
                    source,
                    of,
                    peer,
                    config,
                });
            }
        }
        links
    }

    fn is_link(&self, of: usize, peer: usize) -> bool {
        let mut observers = self.observers.iter();
        observers.any(|observer| (observer.of, observer.peer) == (of, peer))
    }

    fn ended(&mut self, worlds: &mut [World], gateway: usize, _: bool) {
        for observer in self.of_gateway(gateway) {
            let now = worlds[observer.of].peer_now(observer.peer);
            // Until the new process starts it does nothing.
            let client = Client::new(observer.config, now);
            worlds[observer.of].replace_client(observer.peer, client);
        }
    }

    fn started(&mut self, worlds: &mut [World], gateway: usize) {
        for (index, observer) in self.observers.iter().enumerate() {
            if observer.by == gateway {
                self.observations[index] = Observation::default();
                worlds[observer.of].with(observer.peer, Client::start);
            }
        }
    }

    fn suspended(&mut self, worlds: &mut [World], gateway: usize) {
        for Observer { of, peer, .. } in self.of_gateway(gateway) {
            worlds[of].peers[peer].is_suspended = true;
        }
    }

    fn woken(&mut self, worlds: &mut [World], gateway: usize) {
        for Observer { of, peer, .. } in self.of_gateway(gateway) {
            worlds[of].wake(peer);
        }
    }

    fn stepped(&mut self, worlds: &mut [World], gateway: usize, ms: i64) {
        for observer in self.of_gateway(gateway) {
            worlds[observer.of].step_peer(observer.peer, ms);
        }
    }

    fn act(&mut self, worlds: &mut [World], Join(a, b): Join) {
        for (of, peer) in [(b, self.observer(a, b)), (a, self.observer(b, a))] {
            worlds[of].peers[peer].is_cut_off = false;
        }
    }

    /// Hands updates of observers to their gateways, until there are none.
    fn settle(&mut self, worlds: &mut [World]) {
        let mut has_moved = true;
        while has_moved {
            has_moved = false;
            for index in 0..self.observers.len() {
                let &Observer {
                    by, source, of, peer, ..
                } = &self.observers[index];
                for event in take(&mut worlds[of].peers[peer].events) {
                    let ClientEvent::Roster(diff) = event else {
                        continue;
                    };
                    let (now, client) = (worlds[of].peer_now(peer), &worlds[of].peers[peer].client);
                    let update = self.observations[index].update(client, &diff, now);
                    worlds[by].apply(source, update);
                    has_moved = true;
                }
            }
        }
    }

    /// The lines between two gateways break.
    fn strike(fleet: &mut Fleet<Self>, rng: &mut Rng, (a, b): (usize, usize)) {
        let is_held = rng.chance(30);
        let ms = rng.within(1_000..=400_000);
        fleet.part((a, b), is_held, ms);
    }

    fn trouble(fleet: &mut Fleet<Self>, _: &mut Rng, (by, of): (usize, usize)) -> Option<(usize, usize)> {
        Some((of, fleet.links.observer(by, of)))
    }
}

impl Observers {
    /// The peer of the world `of` that is the client of gateway `by`.
    fn observer(&self, by: usize, of: usize) -> usize {
        let mut observers = self.observers.iter();
        observers
            .find(|observer| (observer.by, observer.of) == (by, of))
            .unwrap()
            .peer
    }

    /// The clients of a gateway.
    fn of_gateway(&self, gateway: usize) -> Vec<Observer> {
        let observers = self.observers.iter().filter(|observer| observer.by == gateway);
        observers.cloned().collect()
    }
}

impl Fleet<Observers> {
    /// Separates two gateways for this time. With `is_held` their sockets deliver all frames afterwards; otherwise the
    /// sockets are dead.
    pub fn part(&mut self, (a, b): (usize, usize), is_held: bool, ms: u64) {
        for (of, peer) in [(b, self.links.observer(a, b)), (a, self.links.observer(b, a))] {
            let world = &mut self.worlds[of];
            world.peers[peer].is_cut_off = true;
            if is_held {
                world.hold(peer, ms);
            } else {
                world.cut(peer);
            }
        }
        self.plan_link(ms, Join(a, b));
    }
}

fn others(by: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).filter(move |&of| of != by)
}

/// How far the clocks of one gateway are ahead of those of another one.
fn ahead(a: &World, b: &World) -> (i64, i64) {
    let less = |a: u64, b: u64| a as i64 - b as i64;
    (
        less(a.now.age_ms, b.now.age_ms),
        less(a.now.wall_ms, b.now.wall_ms),
    )
}
