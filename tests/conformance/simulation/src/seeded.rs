//! Seeded simulations: clients join, leave, beacon and sleep, lines are slow and break, clocks are set, the
//! gateway is replaced; in the end every mirror equals the gateway's list.
//!
//! A run depends on its seed alone: the record of a run, with a digest over every
//! frame and every state of every mirror, is the same on every target.

mod calm;

use std::fmt::Write as _;

use presence_core::client::{BeaconPolicy, ClientConfig, ClientState};
use presence_core::model::RawEntry;
use presence_core::model::entry::TIME_MEMBERS;
use presence_core::server::HubConfig;
use presence_core::wire::Limits;

use crate::Rng;
use crate::virtual_hub;
use crate::world::{Fault, Pace, World, config, plain, with_device};

/// The number of seeds that run on every target: `0..SEEDS`.
pub const SEEDS: u32 = 10;

/// Stretches of a run; each ends with a line of the record.
const STRETCHES: usize = 12;
/// Events of a stretch.
const HAPPENINGS: usize = 10;
/// Most clients.
const MAX_PEERS: usize = 9;
/// The longest pause between two happenings, in ms.
const MAX_PAUSE_MS: u64 = 25_000;

/// Runs the simulation of that seed, and returns its record.
///
/// # Panics
/// If a mirror does not hold the gateway's list in the end.
#[must_use]
pub fn run(seed: u64) -> String {
    let mut simulation = Simulation::new(seed);
    let mut record = String::new();
    for stretch in 1..=STRETCHES {
        for _ in 0..HAPPENINGS {
            simulation.happen();
            simulation.note_mirrors();
        }
        let line = simulation.line();
        writeln!(record, "seed {seed}, stretch {stretch}: {line}").unwrap();
    }
    simulation.calm_down();
    simulation.note_mirrors();
    simulation.check_mirrors();
    writeln!(record, "seed {seed}, at last: {}", simulation.line()).unwrap();
    record
}

struct Simulation {
    rng: Rng,
    world: World,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let (ttl_ms, max_entries) = (*rng.pick(&[300_000, 45_000]), *rng.pick(&[200, 6]) as usize);
        let hub = HubConfig {
            limits: Limits {
                window_ms: *rng.pick(&[50, 50, 0, 2_000]),
                ..Limits::default()
            },
            ..virtual_hub::config(ttl_ms, max_entries, 50)
        };
        let mut simulation = Self {
            rng,
            world: World::with_hub(hub),
        };
        // One of either kind is there from the beginning.
        for kind in [config, plain] {
            simulation
                .world
                .add(kind(&format!("follower-{}", simulation.world.peers.len())));
        }
        simulation
    }

    /// Carries out a random event, followed by a pause.
    fn happen(&mut self) {
        let peer = self.rng.within(0..=self.world.peers.len() as u64 - 1) as usize;
        match self.rng.within(0..=21) {
            0..=3 => self.join(),
            4 | 5 => self.world.with(peer, |client, now| client.stop(now)),
            6..=8 => self.world.with(peer, |client, now| client.start(now)),
            // Refused while it is not connected.
            9 => drop(
                self.world
                    .with(peer, |client, now| client.beacon("instances-refresh", now)),
            ),
            10 => self.world.with(peer, |client, now| client.report_input(now)),
            11 => self.world.break_off(peer),
            12 => self.world.cut(peer),
            13 | 19 => self.spoil(peer),
            20 => {
                let ms = self.rng.within(1..=90_000);
                self.world.hold(peer, ms);
            }
            14 => self.change_pace(peer),
            15 => self.step_clock(peer),
            16 => self.suspend_or_wake(peer),
            17 => self.request(peer),
            18 => {
                let is_shown = self.rng.chance(50);
                self.world
                    .with(peer, |client, now| client.set_visible(is_shown, now));
            }
            _ => self.strike(),
        }
        let pause_ms = if self.rng.chance(40) {
            self.rng.within(0..=60)
        } else {
            self.rng.within(0..=MAX_PAUSE_MS)
        };
        self.world.pass(pause_ms);
    }

    /// Another client; sometimes a second one of an instance that is there already.
    fn join(&mut self) {
        let number = self.world.peers.len();
        if number >= MAX_PEERS {
            return;
        }
        let name = if self.rng.chance(15) {
            format!("client-{}", number - 1)
        } else {
            format!("client-{number}")
        };
        let kind = *self.rng.pick(&[config, plain, with_device]);
        let base: ClientConfig = kind(&name);
        let mut client = base.client.clone();
        client.mode = (*self.rng.pick(&["webchat", "ui", "cli"])).into();
        if self.rng.chance(15) {
            client.instance_id = None;
        }
        let beacons = if self.rng.chance(60) {
            BeaconPolicy::every(self.rng.within(12_000..=120_000))
        } else {
            BeaconPolicy::Off
        };
        let ahead = (
            self.rng.within(0..=1_000_000) as i64,
            self.rng.within(0..=7_200_000) as i64 - 3_600_000,
        );
        let seed = self.rng.any();
        let peer = self.world.add_skewed(
            ClientConfig {
                client,
                beacons,
                seed,
                ..base
            },
            ahead,
        );
        if self.rng.chance(50) {
            self.change_pace(peer);
        }
        let is_watched = self.rng.chance(50);
        self.world
            .with(peer, |client, now| client.set_watched(is_watched, now));
    }

    /// Loses or repeats a frame under way; an empty text means the next frame.
    fn spoil(&mut self, peer: usize) {
        let fault = *self.rng.pick(&[Fault::Lost, Fault::Twice]);
        if self.rng.chance(70) {
            let texts = ["presence", "presence.delta", "stateVersion", "hello-ok", ""];
            let text = *self.rng.pick(&texts);
            return self.world.spoil_to_client(peer, text, fault);
        }
        // `connect` is never repeated: its second answer is a refusal, which is final if the first one is lost.
        let text = match fault {
            Fault::Lost => *self.rng.pick(&["system-event", "system-presence", "connect", ""]),
            Fault::Twice => *self.rng.pick(&["system-event", "system-presence", "status"]),
        };
        self.world.spoil_to_gateway(peer, text, fault);
    }

    fn change_pace(&mut self, peer: usize) {
        let pace = Pace {
            frame_ms: *self.rng.pick(&[0, 3, 80, 900]),
            delay_ms: *self.rng.pick(&[0, 1, 40, 300]),
        };
        self.world.set_pace(peer, pace);
    }

    fn step_clock(&mut self, peer: usize) {
        let ms = self.rng.within(0..=14_400_000) as i64 - 7_200_000;
        if self.rng.chance(30) {
            self.world.step_gateway(ms);
        } else {
            self.world.step_peer(peer, ms);
        }
    }

    fn suspend_or_wake(&mut self, peer: usize) {
        if self.world.peers[peer].is_suspended {
            self.world.wake(peer);
        } else {
            self.world.peers[peer].is_suspended = true;
        }
    }

    fn request(&mut self, peer: usize) {
        let method = *self.rng.pick(&["system-presence", "status", "no-such-method"]);
        // Refused while it is not connected.
        let _ = self
            .world
            .with(peer, |client, now| client.request(method, None, now));
    }

    /// Rare faults that affect all clients.
    fn strike(&mut self) {
        let down_ms = self.rng.within(0..=20_000);
        match self.rng.within(0..=3) {
            0 => self.world.restart_gateway(down_ms),
            1 => self.world.kill_gateway(down_ms),
            _ => {
                let asleep_ms = self.rng.within(1_000..=600_000);
                self.world.sleep(asleep_ms);
            }
        }
    }

    /// Notes the mirrors of all clients.
    fn note_mirrors(&mut self) {
        for peer in 0..self.world.peers.len() {
            let now = self.world.peer_now(peer);
            let client = &self.world.peers[peer].client;
            let shown = format!("{:?}", client.mirror().views(client.server_ms(now)));
            let state = client.state().as_str();
            self.world.trace.note(self.world.now.age_ms, peer, state, &shown);
        }
    }

    fn line(&self) -> String {
        let is_live = |client: &presence_core::client::Client| client.state() == ClientState::Live;
        let live = self
            .world
            .peers
            .iter()
            .filter(|peer| is_live(&peer.client))
            .count();
        let frames: usize = self.world.peers.iter().map(|peer| peer.sent.len()).sum();
        format!(
            "{live} of {} live, {} rows, {frames} requests, {}",
            self.world.peers.len(),
            self.world.hub.rows(),
            self.world.trace
        )
    }
}

/// The text of a row without the times that pongs move in silence.
fn content(entry: &RawEntry) -> String {
    let members = entry.members().filter(|(name, _)| !TIME_MEMBERS.contains(name));
    members.map(|(name, value)| format!("{name}={value};")).collect()
}
