//! Lines that lose frames, break or go silent; clients that sleep; gateways that restart.

use presence_core::client::{ClientEvent, ClientState};
use presence_simulation::world::{Fault, World, config, plain};

use super::{both, keys, state};

#[test]
fn a_reconnect_keeps_one_row() {
    for config in both() {
        let mut world = World::new();
        let tab = world.add(config("tab"));
        for _ in 0..5 {
            world.break_off(tab);
            assert!(matches!(state(&world, tab), ClientState::Waiting { .. }));
            assert!(world.peers[tab].client.mirror().is_offline());
            world.pass(40_000);
            assert_eq!(state(&world, tab), ClientState::Live);
        }
        assert_eq!(keys(&world, tab), ["self", "instance:tab-1"]);
        assert_eq!(world.hub.rows(), 2);
    }
}

#[test]
fn a_lost_list_is_requested_again() {
    let mut world = World::new();
    let tab = world.add(plain("tab"));
    world.add(plain("x"));
    world.pass(1_000);
    world.spoil_to_client(tab, r#""event":"presence""#, Fault::Lost);
    world.add(plain("other"));
    assert_eq!(keys(&world, tab), ["self", "instance:tab-1", "instance:x-1"]);
    // The next tick shows the gap.
    world.pass(30_000);
    assert_eq!(world.calls(tab, "system-presence"), 1);
    assert!(keys(&world, tab).contains(&"instance:other-1".to_owned()));
}

#[test]
fn a_lost_delta_is_resynced() {
    let mut world = World::new();
    let tab = world.add(config("tab"));
    world.add(config("x"));
    world.pass(1_000);
    world.spoil_to_client(tab, "presence.delta", Fault::Lost);
    world.add(config("other"));
    world.pass(1_000);
    world.add(config("third"));
    assert_eq!(world.calls(tab, "presence.snapshot"), 1);
    assert_eq!(keys(&world, tab).len(), 5);
}

#[test]
fn a_dead_line_is_detected_at_both_ends() {
    let mut world = World::new();
    let watcher = world.add(config("watcher"));
    let tab = world.add(config("tab"));
    world.pass(10_000);
    world.cut(tab);
    world.pass(59_000);
    assert_eq!(state(&world, tab), ClientState::Live);
    world.pass(50_000);
    assert_eq!(state(&world, tab), ClientState::Live, "it came back");
    assert_eq!(world.calls(tab, "connect"), 2);
    assert!(world.peers[tab].events.iter().any(|event| matches!(
        event,
        ClientEvent::State { problem: Some(problem), .. } if &*problem.code == "TICK_TIMEOUT"
    )));
    assert_eq!(world.hub.rows(), 3);
    let row = world.peers[watcher]
        .client
        .mirror()
        .row("instance:tab-1")
        .unwrap();
    assert_eq!(row.entry().str("reason"), Some("connect"));
}

#[test]
fn a_suspended_client_reconnects_to_one_row() {
    for config in both() {
        for asleep_ms in [20_000, 100_000, 3_600_000] {
            let mut world = World::new();
            let watcher = world.add(config("watcher"));
            let tab = world.add(config("tab"));
            world.pass(5_000);
            world.peers[tab].is_suspended = true;
            world.pass(asleep_ms);
            world.peers[tab].is_suspended = false;
            // Its timers come first, then what waited in the socket.
            let now = world.peer_now(tab);
            world.peers[tab].client.handle_timeout(now);
            world.settle();
            world.pass(5_000);
            assert_eq!(state(&world, tab), ClientState::Live, "after {asleep_ms}");
            for peer in [watcher, tab] {
                assert_eq!(world.shown(peer).len(), 3);
                assert!(
                    world.shown(peer).iter().all(|(_, status)| *status == "Active"),
                    "{:?}",
                    world.shown(peer)
                );
            }
            let connects = if asleep_ms < 60_000 { 1 } else { 2 };
            assert_eq!(world.calls(tab, "connect"), connects, "after {asleep_ms}");
        }
    }
}

#[test]
fn a_restarted_gateway_is_found_again() {
    for config in both() {
        let mut world = World::new();
        let tabs: Vec<usize> = (0..5)
            .map(|n| world.add(config(&format!("tab{n}{}", "x".repeat(n)))))
            .collect();
        world.restart_gateway(20_000);
        world.pass(40_000);
        for &tab in &tabs {
            assert_eq!(
                (state(&world, tab), keys(&world, tab).len()),
                (ClientState::Live, 6)
            );
        }
    }
}

#[test]
fn a_dead_line_that_its_client_closed_is_closed_for_silence() {
    let mut world = World::new();
    let tab = world.add(config("tab"));
    world.pass(1_000);
    world.cut(tab);
    world.with(tab, |client, now| client.stop(now));
    world.pass(49_000);
    assert_eq!(world.peers[tab].closed_ms, Some(world.now.age_ms));
}
