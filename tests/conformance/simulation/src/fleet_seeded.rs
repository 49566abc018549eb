//! Seeded simulations of several gateways: clients join, leave and beacon, gateways crash, restart, sleep and are
//! separated, clocks are set. No row outlives its client, and in the end all gateways list the connected clients.

mod checks;

use std::collections::BTreeSet;

use presence_core::Now;
use presence_core::client::{BeaconPolicy, ClientConfig, ClientState};
use presence_core::server::HubConfig;
use presence_core::wire::Limits;

use crate::Rng;
use crate::fleet::{Fleet, Gateway, Links, name};
use crate::virtual_hub;
use crate::world::{Fault, Pace, config, plain, with_device};

/// Events of a run.
const HAPPENINGS: u64 = 100;
/// The longest pause between two of them, in ms.
const MAX_PAUSE_MS: u64 = 25_000;
/// Half a day: how far clocks are apart at most, in ms.
const MAX_SKEW_MS: i64 = 43_200_000;
/// One in this many seeds is a large one.
const LARGE: u64 = 10;

/// Runs the simulation of that seed, and returns a line about it.
///
/// # Panics
/// If a gateway lists a wrong row.
#[must_use]
pub fn run<L: Links>(seed: u64) -> String {
    let mut simulation = Simulation::<L>::new(seed);
    for _ in 0..HAPPENINGS {
        simulation.happen();
        simulation.check_ghosts();
    }
    let lists = simulation.calm_down();
    simulation.check_lists(&lists);
    simulation.line(seed)
}

struct Simulation<L: Links> {
    rng: Rng,
    fleet: Fleet<L>,
    ttl_ms: u64,
    /// Clients that are not gateways: world and peer.
    clients: Vec<(usize, usize)>,
    /// Clients that moved to another gateway for good.
    moved: BTreeSet<(usize, usize)>,
    most_clients: u64,
    /// Counts instances.
    instances: u64,
    /// Lists that were compared.
    lists: u64,
}

impl<L: Links> Simulation<L> {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let is_large = seed.is_multiple_of(LARGE);
        let count = rng.within(2..=if is_large { 8 } else { 4 }) as usize;
        let ttl_ms = *rng.pick(&[300_000, 300_000, 150_000]);
        let gateways: Vec<Gateway> = (0..count).map(|index| gateway(&mut rng, index, ttl_ms)).collect();
        let mut simulation = Self {
            fleet: Fleet::new(&gateways, seed),
            ttl_ms,
            clients: Vec::new(),
            moved: BTreeSet::new(),
            most_clients: rng.within(5..=if is_large { 200 } else { 40 }),
            instances: 0,
            lists: 0,
            rng,
        };
        for gateway in 0..count {
            // A reader of either kind.
            for (kind, name) in [(config as Kind, "deltas"), (plain, "lists")] {
                let config = kind(&format!("{name}-{gateway}"));
                simulation.add(gateway, config);
            }
        }
        while (simulation.clients.len() as u64) < simulation.most_clients / 2 {
            simulation.join();
        }
        simulation
    }

    /// Carries out a random event, followed by a pause.
    fn happen(&mut self) {
        let (of, peer) = *self.rng.pick(&self.clients);
        let world = &mut self.fleet.worlds[of];
        match self.rng.within(0..=22) {
            0..=2 => self.join(),
            3 | 4 => world.with(peer, |client, now| client.stop(now)),
            5..=7 if self.moved.contains(&(of, peer)) => {}
            5..=7 => world.with(peer, |client, now| client.start(now)),
            // Refused while it is not connected.
            8 => drop(world.with(peer, |client, now| client.beacon("instances-refresh", now))),
            9 => world.with(peer, |client, now| client.report_input(now)),
            10 => world.break_off(peer),
            11 => world.cut(peer),
            12 => self.suspend_or_wake(of, peer),
            13 | 14 => self.trouble_line(),
            15 => self.step_clock(),
            21 | 22 => self.move_on(of, peer),
            _ => self.strike(),
        }
        self.fleet.settle();
        let pause_ms = if self.rng.chance(40) {
            self.rng.within(0..=60)
        } else {
            self.rng.within(0..=MAX_PAUSE_MS)
        };
        self.fleet.pass(pause_ms);
    }

    /// Another instance, sometimes with a connection to a second gateway or a second one to the same.
    fn join(&mut self) {
        if self.clients.len() as u64 >= self.most_clients {
            return;
        }
        let kind = *self.rng.pick(&[config as Kind, plain, with_device]);
        let mut config = kind(&format!("client-{}", self.instances));
        self.instances += 1;
        config.client.mode = (*self.rng.pick(&["webchat", "ui"])).into();
        if self.rng.chance(15) {
            // Some have a device all the same.
            config.client.instance_id = None;
        }
        let has_id = config.client.instance_id.is_some() || config.device.is_some();
        if self.rng.chance(80) {
            // Most clients do not read, because all readers get the same frames.
            config.scopes = Some(Vec::new());
        }
        if self.rng.chance(60) {
            config.beacons = BeaconPolicy::every(self.rng.within(12_000..=120_000));
        }
        let places = if has_id && self.rng.chance(25) { 2 } else { 1 };
        for _ in 0..places {
            let gateway = self.rng.within(0..=self.fleet.worlds.len() as u64 - 1) as usize;
            self.add(gateway, config.clone());
        }
    }

    /// Moves a client to another gateway.
    fn move_on(&mut self, of: usize, peer: usize) {
        let config = self.fleet.worlds[of].peers[peer].config.clone();
        self.fleet.worlds[of].with(peer, |client, now| client.stop(now));
        let gateway = self.rng.within(0..=self.fleet.worlds.len() as u64 - 1) as usize;
        self.moved.insert((of, peer));
        self.add(gateway, config);
    }

    fn add(&mut self, gateway: usize, config: ClientConfig) {
        let ahead = (self.rng.within(0..=1_000_000) as i64, self.hours());
        let seed = self.rng.any();
        let peer = self.fleet.worlds[gateway].add_skewed(ClientConfig { seed, ..config }, ahead);
        self.clients.push((gateway, peer));
    }

    /// Makes a line of a client or of a gateway slow, stops it, or spoils a frame.
    fn trouble_line(&mut self) {
        let (of, peer) = if self.rng.chance(50) {
            let pair = self.pair();
            let Some(line) = L::trouble(&mut self.fleet, &mut self.rng, pair) else {
                return;
            };
            line
        } else {
            *self.rng.pick(&self.clients)
        };
        let world = &mut self.fleet.worlds[of];
        match self.rng.within(0..=5) {
            0 => {
                let ms = self.rng.within(1..=90_000);
                world.hold(peer, ms);
            }
            1 => {
                let pace = Pace {
                    frame_ms: *self.rng.pick(&[0, 3, 80, 900]),
                    delay_ms: *self.rng.pick(&[0, 1, 40, 300]),
                };
                world.set_pace(peer, pace);
            }
            2 => world.break_off(peer),
            3 => world.cut(peer),
            _ => {
                let fault = *self.rng.pick(&[Fault::Lost, Fault::Twice]);
                let text = *self
                    .rng
                    .pick(&["presence", "presence.delta", "stateVersion", "hello-ok", ""]);
                world.spoil_to_client(peer, text, fault);
            }
        }
    }

    fn suspend_or_wake(&mut self, of: usize, peer: usize) {
        let world = &mut self.fleet.worlds[of];
        if world.peers[peer].is_suspended {
            world.wake(peer);
        } else {
            world.peers[peer].is_suspended = true;
        }
    }

    fn step_clock(&mut self) {
        let ms = self.hours();
        let gateway = self.rng.within(0..=self.fleet.worlds.len() as u64 - 1) as usize;
        self.fleet.step(gateway, ms);
    }

    /// Applies a fault to one gateway, or to two.
    fn strike(&mut self) {
        let (a, b) = self.pair();
        match self.rng.within(0..=9) {
            0 | 1 => {
                let is_told = self.rng.chance(50);
                let down_ms = self.rng.within(0..=60_000);
                self.fleet.end(a, is_told, down_ms);
            }
            2 | 3 => {
                let ms = self.rng.within(1_000..=400_000);
                self.fleet.suspend(a, ms);
            }
            4 => {
                let ms = self.rng.within(1_000..=400_000);
                self.fleet.sleep(ms);
            }
            _ => L::strike(&mut self.fleet, &mut self.rng, (a, b)),
        }
    }

    /// Two gateways.
    fn pair(&mut self) -> (usize, usize) {
        let count = self.fleet.worlds.len() as u64;
        let a = self.rng.within(0..=count - 1);
        let b = (a + self.rng.within(1..=count - 1)) % count;
        (a as usize, b as usize)
    }

    fn hours(&mut self) -> i64 {
        self.rng.within(0..=2 * MAX_SKEW_MS as u64) as i64 - MAX_SKEW_MS
    }

    fn line(&self, seed: u64) -> String {
        let states = self
            .clients
            .iter()
            .map(|&(of, peer)| self.fleet.worlds[of].peers[peer].client.state());
        let live = states.filter(|state| *state == ClientState::Live).count();
        format!(
            "seed {seed}: {} gateways, {live} of {} clients live, {} lists compared",
            self.fleet.worlds.len(),
            self.clients.len(),
            self.lists,
        )
    }
}

type Kind = fn(&str) -> ClientConfig;

fn gateway(rng: &mut Rng, index: usize, ttl_ms: u64) -> Gateway {
    let mut config = HubConfig {
        limits: Limits {
            window_ms: *rng.pick(&[50, 50, 0, 2_000]),
            ..Limits::default()
        },
        ..virtual_hub::config(ttl_ms, 300, 50)
    };
    config.self_entry.host = Some(name(index).into());
    config.self_entry.instance_id = Some(format!("gateway-{index}").into());
    config.boot_id = format!("boot-{index}").into();
    let start = Now {
        age_ms: rng.within(1_000..=1_000_000_000),
        wall_ms: virtual_hub::START.wall_ms + rng.within(0..=2 * MAX_SKEW_MS as u64),
    };
    Gateway { config, start }
}
