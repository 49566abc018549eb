//! Several gateways that observe each other.
#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing fails")]

use presence_core::Now;
use presence_core::client::ClientConfig;
use presence_core::cluster::HEARTBEAT_MS;
use presence_simulation::fleet::{Fleet, Gateway, Observers, Shared, name};
use presence_simulation::fleet_seeded::run;
use presence_simulation::virtual_hub;
use presence_simulation::world::config;

#[test]
fn every_seed_converges() {
    for seed in 0..10 {
        // Shown only if it fails.
        println!("to repeat it: cargo xtask simulate --world fleet --from {seed} --seeds 1");
        println!("{}", run::<Observers>(seed));
    }
}

#[test]
fn messages_delayed_by_a_suspension_make_no_row_younger() {
    // This seed found rows that became younger.
    println!("{}", run::<Observers>(47_122));
}

#[test]
fn every_seed_converges_through_a_store() {
    for seed in 0..10 {
        // Shown only if it fails.
        println!("to repeat it: cargo xtask simulate --world cluster --from {seed} --seeds 1");
        println!("{}", run::<Shared>(seed));
    }
}

#[test]
fn ages_do_not_depend_on_wall_clocks() {
    for step_ms in [7_200_000, -7_200_000, 60_000] {
        let mut fleet = Fleet::<Observers>::new(&[gateway(0), gateway(1)], 0);
        let client = ClientConfig {
            scopes: Some(Vec::new()),
            ..config("tab")
        };
        let tab = fleet.worlds[1].add(client);
        fleet.settle();
        fleet.worlds[1].peers[tab].is_suspended = true;
        fleet.pass(10_000);
        fleet.step(1, step_ms);
        // The step is noticed with the next ping.
        fleet.pass(16_000);
        assert_eq!(ages(&mut fleet, 0, "tab-1"), [26_000], "{step_ms}");
        // And those of the gateway that observes do not count.
        fleet.step(0, step_ms);
        fleet.pass(14_000);
        assert_eq!(ages(&mut fleet, 0, "tab-1"), [40_000], "{step_ms}");

        // Nothing is heard of it any more.
        fleet.part((0, 1), false, 1_000_000);
        fleet.pass(260_000);
        assert_eq!(ages(&mut fleet, 0, "tab-1").len(), 1, "{step_ms}");
        fleet.pass(1);
        assert_eq!(ages(&mut fleet, 0, "tab-1").len(), 0, "{step_ms}");
    }
}

#[test]
fn messages_delayed_by_a_suspension_are_not_changes() {
    for step_ms in [0, 7_200_000, -7_200_000] {
        let mut fleet = Fleet::<Observers>::new(&[gateway(0), gateway(1)], 0);
        let tab = fleet.worlds[1].add(config("tab"));
        fleet.settle();
        fleet.pass(1_000);
        fleet.suspend(0, 250_000);
        fleet.worlds[1].peers[tab].is_suspended = true;
        fleet.pass(10_000);
        fleet.step(1, step_ms);
        // The other gateway closes the tab's connection, and then this one's; what it said waits.
        fleet.pass(239_000);
        fleet.part((0, 1), true, 1_000_000);
        fleet.pass(2_000);
        let ages = ages(&mut fleet, 0, "tab-1");
        assert!(
            ages.iter().all(|&age_ms| age_ms >= 199_000),
            "{ages:?} after a step of {step_ms}"
        );
    }
}

#[test]
fn connected_rows_stay_at_the_shortest_ttl() {
    for ttl_ms in [10_000, 45_000, 120_000] {
        let gateways = [gateway(0), gateway(1)].map(|mut gateway| {
            gateway.config.ttl_ms = ttl_ms;
            gateway
        });
        let mut fleet = Fleet::<Observers>::new(&gateways, 0);
        fleet.worlds[1].add(config("tab"));
        fleet.settle();
        for _ in 0..100 {
            fleet.pass(3_000);
            assert_eq!(ages(&mut fleet, 0, "tab-1").len(), 1, "TTL of {ttl_ms} ms");
        }
    }
}

/// The numbers in docs/scaling.md: one write per change, and one lease per gateway every 5 s.
#[test]
fn the_store_takes_a_write_for_a_change_and_the_leases() {
    for count in [2, 4, 8] {
        let gateways: Vec<Gateway> = (0..count).map(gateway).collect();
        let mut fleet = Fleet::<Shared>::new(&gateways, 0);
        fleet.pass(60_000);
        let before = fleet.links.writes();
        fleet.pass(100 * HEARTBEAT_MS);
        assert_eq!(fleet.links.writes() - before, 100 * count);
        let before = fleet.links.writes();
        for number in 0..50 {
            let client = ClientConfig {
                scopes: Some(Vec::new()),
                ..config(&format!("tab-{number}"))
            };
            fleet.worlds[number % count as usize].add(client);
            fleet.settle();
            fleet.pass(HEARTBEAT_MS);
        }
        assert_eq!(fleet.links.writes() - before, 50 + 50 * count);
    }
}

/// The ages of an instance's rows on a gateway's list, in ms.
fn ages(fleet: &mut Fleet<Observers>, gateway: usize, instance: &str) -> Vec<u64> {
    let world = &mut fleet.worlds[gateway];
    let rows = world.read_list().rows.into_iter();
    let rows = rows.filter(|row| row.str("instanceId") == Some(instance));
    let now_ms = world.hub.server_wall_ms(world.now);
    rows.map(|row| now_ms - row.ts().unwrap()).collect()
}

fn gateway(number: u64) -> Gateway {
    let mut config = virtual_hub::config(300_000, 200, 50);
    config.self_entry.host = Some(name(number as usize).into());
    config.self_entry.instance_id = Some(format!("gateway-{number}").into());
    let start = Now {
        age_ms: 1_000_000 + 77_777 * number,
        wall_ms: virtual_hub::START.wall_ms + 5_000_000 * number,
    };
    Gateway { config, start }
}
