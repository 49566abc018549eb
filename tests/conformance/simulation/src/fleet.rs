//! Several gateways and their clients: a world per gateway, all on one virtual time. The gateways' clocks have other
//! origins and are hours apart.

mod observers;
mod shared;
mod store;

use std::collections::BTreeMap;
use std::fmt::Debug;

use presence_core::Now;
use presence_core::server::HubConfig;

pub use self::observers::Observers;
pub use self::shared::Shared;

use crate::Rng;
use crate::world::World;

/// A gateway's clocks and configuration.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Its configuration.
    pub config: HubConfig,
    /// The readings of its clocks at the start.
    pub start: Now,
}

/// The links by which gateways get each other's rows.
pub trait Links: Sized + Debug {
    /// An event of the links at a set time.
    type Deed: Copy + Debug;

    /// Allowed delay of a row's removal beyond TTL + lease + 1 s, in ms.
    const LATE_MS: u64;

    /// The world of a gateway, one of `count`.
    fn world(gateway: &Gateway, number: usize, count: usize) -> World;

    /// Links between these gateways; their randomness depends on the seed only.
    fn new(worlds: &mut [World], seed: u64) -> Self;

    /// Whether that peer of a world is a gateway's client.
    fn is_link(&self, _of: usize, _peer: usize) -> bool {
        false
    }

    /// Handles the end of a gateway's process: by a signal to stop, or killed.
    fn ended(&mut self, worlds: &mut [World], gateway: usize, is_told: bool);

    /// Handles the start of a gateway's new process.
    fn started(&mut self, worlds: &mut [World], gateway: usize);

    /// A gateway's machine is suspended.
    fn suspended(&mut self, _worlds: &mut [World], _gateway: usize) {}

    /// Handles the end of a suspension; the timers of the gateway fired.
    fn woken(&mut self, worlds: &mut [World], gateway: usize);

    /// A gateway's wall clock was set.
    fn stepped(&mut self, _worlds: &mut [World], _gateway: usize, _ms: i64) {}

    /// Carries out an event of the links.
    fn act(&mut self, worlds: &mut [World], deed: Self::Deed);

    /// Advances the time.
    fn advance(&mut self, _ms: u64) {}

    /// Handles a sleep of all machines.
    fn slept(&mut self) {}

    /// Time until the next deadline of the links, in ms.
    fn next_due_ms(&self, _worlds: &[World]) -> Option<u64> {
        None
    }

    /// Carries out all work that is due.
    fn settle(&mut self, worlds: &mut [World]);

    /// Applies a random fault between gateways, such as those two.
    fn strike(fleet: &mut Fleet<Self>, rng: &mut Rng, pair: (usize, usize));

    /// Applies a fault to the link of a world's peer, or to one without a peer.
    fn trouble(fleet: &mut Fleet<Self>, rng: &mut Rng, pair: (usize, usize)) -> Option<(usize, usize)>;

    /// All links work as well as they can.
    fn calm(&mut self) {}

    /// Whether all gateways have all changes. It must become true in a time without events. `None`: unchanged lists are
    /// the only indication, which does not work for an instance with two connections, whose row changes with the
    /// beacons of both.
    fn is_settled(_fleet: &mut Fleet<Self>) -> Option<bool> {
        None
    }
}

/// An event at a set time.
#[derive(Clone, Copy, Debug)]
enum Deed<D> {
    /// A gateway's new process starts.
    Start(usize),
    /// A gateway's machine wakes up.
    Wake(usize),
    /// Something of the links.
    Link(D),
}

/// Gateways that list each other's rows.
#[derive(Debug)]
pub struct Fleet<L: Links> {
    /// Each gateway with the clients of it.
    pub worlds: Vec<World>,
    /// The links between them.
    pub links: L,
    /// Time since the start, in ms.
    pub at_ms: u64,
    /// Planned events, by time and number.
    agenda: BTreeMap<(u64, u64), Deed<L::Deed>>,
    deeds: u64,
    /// When each gateway woke up last.
    woken_ms: Vec<u64>,
}

impl<L: Links> Fleet<L> {
    /// Gateways, each with the name `g` and its number.
    #[must_use]
    pub fn new(gateways: &[Gateway], seed: u64) -> Self {
        let count = gateways.len();
        let world = |(number, gateway): (usize, &Gateway)| L::world(gateway, number, count);
        let mut worlds: Vec<World> = gateways.iter().enumerate().map(world).collect();
        let mut fleet = Self {
            links: L::new(&mut worlds, seed),
            worlds,
            at_ms: 0,
            agenda: BTreeMap::new(),
            deeds: 0,
            woken_ms: vec![0; count],
        };
        fleet.settle();
        fleet
    }

    /// How long a gateway has been awake, in ms.
    #[must_use]
    pub fn awake_ms(&self, gateway: usize) -> u64 {
        self.at_ms - self.woken_ms[gateway]
    }

    /// Whether a gateway's process runs.
    #[must_use]
    pub fn is_served(&self, gateway: usize) -> bool {
        self.worlds[gateway].is_served()
    }

    /// Ends a gateway's process: by a signal to stop, or killed. Another one starts after `down_ms`.
    pub fn end(&mut self, gateway: usize, is_told: bool, down_ms: u64) {
        if !self.is_served(gateway) {
            return;
        }
        if is_told {
            self.worlds[gateway].stop_gateway();
        } else {
            self.worlds[gateway].crash_gateway();
        }
        self.links.ended(&mut self.worlds, gateway, is_told);
        self.plan(down_ms, Deed::Start(gateway));
        self.settle();
    }

    /// Suspends a gateway's machine for this time.
    pub fn suspend(&mut self, gateway: usize, ms: u64) {
        if self.is_served(gateway) {
            self.worlds[gateway].is_suspended = true;
            self.links.suspended(&mut self.worlds, gateway);
            self.plan(ms, Deed::Wake(gateway));
        }
    }

    /// Moves a gateway's wall clock by this many ms.
    pub fn step(&mut self, gateway: usize, ms: i64) {
        self.worlds[gateway].step_gateway(ms);
        self.links.stepped(&mut self.worlds, gateway, ms);
    }

    /// Lets all machines sleep for this time. Timers that became due fire at its end.
    pub fn sleep(&mut self, ms: u64) {
        self.advance(ms);
        self.links.slept();
        self.woken_ms.fill(self.at_ms);
        for world in &mut self.worlds {
            world.fire();
        }
        self.settle();
    }

    /// Carries out all planned events now.
    pub fn hurry(&mut self) {
        while let Some((_, deed)) = self.agenda.pop_first() {
            self.act(deed);
        }
    }

    /// Advances the time, every timer on time.
    pub fn pass(&mut self, ms: u64) {
        let end_ms = self.at_ms + ms;
        let mut rounds = 0;
        loop {
            let of_world = |world: &World| Some(world.next_due_ms()?.saturating_sub(world.now.age_ms));
            let of_worlds = self.worlds.iter().filter_map(of_world);
            let in_ms = of_worlds.chain(self.links.next_due_ms(&self.worlds)).min();
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

    /// Carries out the gateways' outputs for each other.
    pub fn settle(&mut self) {
        self.links.settle(&mut self.worlds);
    }

    fn act(&mut self, deed: Deed<L::Deed>) {
        match deed {
            Deed::Start(gateway) => {
                self.worlds[gateway].start_gateway();
                self.links.started(&mut self.worlds, gateway);
            }
            Deed::Wake(gateway) => {
                self.woken_ms[gateway] = self.at_ms;
                self.worlds[gateway].wake_gateway();
                self.links.woken(&mut self.worlds, gateway);
            }
            Deed::Link(deed) => self.links.act(&mut self.worlds, deed),
        }
        self.settle();
    }

    /// Plans an event of the links in that many ms.
    pub(crate) fn plan_link(&mut self, in_ms: u64, deed: L::Deed) {
        self.plan(in_ms, Deed::Link(deed));
    }

    fn plan(&mut self, in_ms: u64, deed: Deed<L::Deed>) {
        self.deeds += 1;
        self.agenda.insert((self.at_ms + in_ms, self.deeds), deed);
    }

    fn advance(&mut self, ms: u64) {
        self.at_ms += ms;
        self.links.advance(ms);
        for world in &mut self.worlds {
            world.now = world.now.after(ms);
        }
    }
}

/// Its name at other gateways.
#[must_use]
pub fn name(gateway: usize) -> String {
    format!("g{gateway}")
}
