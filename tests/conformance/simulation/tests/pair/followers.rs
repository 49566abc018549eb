//! Followers by deltas and by lists hold what the gateway holds, whatever happened on the way.

use presence_core::client::{BeaconPolicy, ClientConfig};
use presence_core::model::RawEntry;
use presence_core::model::entry::TIME_MEMBERS;
use presence_simulation::Rng;
use presence_simulation::world::{Fault, World, config, plain, with_device};

#[test]
fn every_follower_ends_with_the_gateways_list() {
    for seed in 0..15u64 {
        let mut rng = Rng::new(seed);
        let mut draw = |n: u64| rng.within(0..=n - 1);
        let mut world = World::new();
        let followers = [world.add(config("deltas")), world.add(plain("lists"))];
        let actors: Vec<usize> = (0..6)
            .map(|n| {
                let device = if n % 2 == 0 { with_device } else { config };
                let every = BeaconPolicy::every(20_000 + 13_000 * n);
                world.add(ClientConfig {
                    beacons: every,
                    ..device(&format!("actor{n}{}", "y".repeat(n as usize)))
                })
            })
            .collect();
        for _ in 0..60 {
            let actor = actors[draw(actors.len() as u64) as usize];
            match draw(9) {
                0 => world.break_off(actor),
                1 => world.cut(actor),
                2 => world.with(actor, |client, now| client.stop(now)),
                3 => world.with(actor, |client, now| client.start(now)),
                4 => {
                    let _ = world.with(actor, |client, now| client.beacon("instances-refresh", now));
                }
                5 => world.spoil_to_client(followers[draw(2) as usize], "presence", Fault::Lost),
                6 => world.break_off(followers[draw(2) as usize]),
                7 => world.with(actor, |client, now| client.report_input(now)),
                _ => {}
            }
            world.pass(draw(40_000));
        }
        // Ticks show what is missing; no more actions follow.
        for &actor in &actors {
            world.with(actor, |client, now| client.stop(now));
        }
        world.pass(200_000);
        let held: Vec<String> = world
            .hub
            .list(world.now)
            .iter()
            .map(|entry| content(&json(entry)))
            .collect();
        for follower in followers {
            let mut own: Vec<String> = world.peers[follower]
                .client
                .mirror()
                .raw_list()
                .map(content)
                .collect();
            let mut held = held.clone();
            own.sort();
            held.sort();
            assert_eq!(own, held, "seed {seed}, follower {follower}");
        }
    }
}

fn json(entry: &presence_core::PresenceEntry) -> RawEntry {
    RawEntry::read(&serde_json::to_string(entry).unwrap()).unwrap()
}

/// What a row says, without the times that pongs move in silence.
fn content(entry: &RawEntry) -> String {
    let members = entry.members().filter(|(name, _)| !TIME_MEMBERS.contains(name));
    members.map(|(name, value)| format!("{name}={value};")).collect()
}
