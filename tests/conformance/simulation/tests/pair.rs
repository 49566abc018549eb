//! Both ends of the protocol against each other, in memory and under virtual time.
#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing fails")]

use presence_core::client::{BeaconPolicy, ClientConfig, ClientEvent, ClientState};
use presence_core::model::ClientInfo;
use presence_core::model::entry::TIME_MEMBERS;
use presence_core::model::{Json, RawEntry};

use presence_simulation::world::{World, config, plain, with_device};

const HOUR: i64 = 3_600_000;

/// Both ways of following a gateway.
fn both() -> [fn(&str) -> ClientConfig; 2] {
    [config, plain]
}

fn keys(world: &World, peer: usize) -> Vec<String> {
    world.shown(peer).into_iter().map(|(key, _)| key).collect()
}

fn status(world: &World, peer: usize, key: &str) -> Option<&'static str> {
    let mut rows = world.shown(peer).into_iter();
    rows.find(|(other, _)| other == key).map(|(_, status)| status)
}

fn state(world: &World, peer: usize) -> ClientState {
    world.peers[peer].client.state()
}

#[test]
fn a_client_finds_itself_on_the_list() {
    for config in both() {
        let mut world = World::new();
        let tab = world.add(config("tab"));
        assert_eq!(state(&world, tab), ClientState::Live);
        assert_eq!(keys(&world, tab), ["self", "instance:tab-1"]);
        let row = world.peers[tab]
            .client
            .mirror()
            .row("instance:tab-1")
            .unwrap()
            .entry();
        assert_eq!(
            (row.str("host"), row.str("reason"), row.str("ip")),
            (Some("tab"), Some("connect"), Some("192.0.2.7"))
        );
    }
}

#[test]
fn others_come_and_go_at_once() {
    for config in both() {
        let mut world = World::new();
        let tab = world.add(config("tab"));
        world.pass(1_000);
        let other = world.add(config("other"));
        assert_eq!(keys(&world, tab), ["self", "instance:other-1", "instance:tab-1"]);
        world.with(other, |client, now| client.stop(now));
        world.pass(60);
        let row = world.peers[tab]
            .client
            .mirror()
            .row("instance:other-1")
            .unwrap()
            .entry();
        assert_eq!(row.str("reason"), Some("disconnect"));
        assert_eq!(status(&world, tab, "instance:other-1"), Some("Left"));
        world.with(other, |client, now| client.start(now));
        world.pass(1_000);
        assert_eq!(status(&world, tab, "instance:other-1"), Some("Active"));
    }
}

#[test]
fn a_beacon_can_state_that_its_row_left() {
    for config in both() {
        let mut world = World::new();
        let watcher = world.add(config("watcher"));
        let tab = world.add(config("tab"));
        world.pass(1_000);
        for (reason, expected) in [
            ("disconnect", "Left"),
            ("Disconnect", "Active"),
            ("disconnect", "Left"),
            ("periodic", "Active"),
        ] {
            world.with(tab, |client, now| client.beacon(reason, now)).unwrap();
            world.pass(60);
            assert_eq!(
                status(&world, watcher, "instance:tab-1"),
                Some(expected),
                "{reason}"
            );
        }
    }
}

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
fn a_lost_list_is_asked_for_again() {
    let mut world = World::new();
    let tab = world.add(plain("tab"));
    world.add(plain("x"));
    world.pass(1_000);
    world.lose(tab, r#""event":"presence""#);
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
    world.lose(tab, "presence.delta");
    world.add(config("other"));
    world.pass(1_000);
    world.add(config("third"));
    assert_eq!(world.calls(tab, "presence.snapshot"), 1);
    assert_eq!(keys(&world, tab).len(), 5);
}

#[test]
fn a_wrong_token_is_refused_for_good() {
    let mut world = World::new();
    let tab = world.add(ClientConfig {
        token: Some("guess".into()),
        ..config("tab")
    });
    assert_eq!(state(&world, tab), ClientState::Refused);
    assert_eq!(
        &*world.peers[tab].client.problem().unwrap().code,
        "AUTH_TOKEN_MISMATCH"
    );
    world.pass(3_600_000);
    assert_eq!(world.calls(tab, "connect"), 1);
}

#[test]
fn a_line_that_died_is_noticed_at_both_ends() {
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
fn statuses_change_on_time_and_rows_go_on_time() {
    for config in both() {
        for ahead in [(0, 0), (7_777, -9 * HOUR)] {
            let mut world = World::new();
            let watcher = world.add_skewed(config("watcher"), ahead);
            let tab = world.add(config("tab"));
            // Its row has no connection: only its one beacon.
            let beacon = config("beacon");
            let client = ClientInfo {
                mode: "cli".into(),
                ..beacon.client.clone()
            };
            let beacon = world.add(ClientConfig { client, ..beacon });
            world.pass(60_000);
            world.with(tab, |client, now| client.stop(now));
            world
                .with(beacon, |client, now| client.beacon("launch", now))
                .unwrap();
            world.pass(120_000);
            let statuses = |world: &World| {
                ["instance:tab-1", "instance:beacon-1"].map(|key| status(world, watcher, key))
            };
            assert_eq!(statuses(&world), [Some("Left"), Some("Active")]);
            world.pass(1);
            assert_eq!(statuses(&world), [Some("Left"), Some("Idle")]);
            world.pass(179_999);
            assert_eq!(statuses(&world), [Some("Left"), Some("Idle")]);
            world.pass(1);
            // The gateway announces within its window that the rows went.
            world.pass(50);
            assert_eq!(statuses(&world), [None, None]);
            assert_eq!(world.shown(watcher).len(), 2, "the others are as fresh as ever");
            assert!(world.shown(watcher).iter().all(|(_, status)| *status == "Active"));
        }
    }
}

#[test]
fn connected_rows_never_flicker_however_long_nothing_happens() {
    for config in both() {
        let mut world = World::new();
        let watcher = world.add(config("watcher"));
        world.add(config("tab"));
        world.pass(1_000);
        world.peers[watcher].events.clear();
        world.pass(3_600_000);
        let flickers = world.peers[watcher]
            .events
            .iter()
            .filter(|event| matches!(event, ClientEvent::Roster(diff) if !diff.status.is_empty()))
            .count();
        assert_eq!((flickers, state(&world, watcher)), (0, ClientState::Live));
        assert_eq!(world.calls(watcher, "presence.snapshot"), 0, "digests agree");
        assert!(
            world.calls(watcher, "system-presence") <= 40,
            "{}",
            world.calls(watcher, "system-presence")
        );
    }
}

#[test]
fn a_device_proves_itself_whatever_its_own_clock_says() {
    for hours in [-30, 0, 30] {
        let mut world = World::new();
        let tab = world.add_skewed(with_device("tab"), (3, hours * HOUR));
        assert_eq!(
            state(&world, tab),
            ClientState::Live,
            "{:?}",
            world.peers[tab].client.problem()
        );
        let row = world.peers[tab].client.mirror().row("instance:tab-1").unwrap();
        assert_eq!(row.entry().str("deviceId"), Some("device-of-tab"));
        let now = world.peer_now(tab);
        assert_eq!(world.peers[tab].client.server_ms(now), world.now.wall_ms);
    }
}

#[test]
fn a_suspended_client_comes_back_to_one_row() {
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
fn beacons_refresh_the_own_row() {
    for config in both() {
        let mut world = World::new();
        let watcher = world.add(config("watcher"));
        let quiet = ClientConfig {
            beacons: BeaconPolicy::every(60_000),
            ..config("tab")
        };
        let client = ClientInfo {
            mode: "cli".into(),
            ..quiet.client.clone()
        };
        let tab = world.add(ClientConfig { client, ..quiet });
        let reason = |world: &World| {
            let row = world.peers[watcher]
                .client
                .mirror()
                .row("instance:tab-1")
                .unwrap();
            (
                row.entry().str("reason").unwrap().to_owned(),
                row.status().label(),
            )
        };
        world.pass(60);
        assert_eq!(reason(&world), ("launch".to_owned(), "Active"));
        world.with(tab, |client, now| client.report_input(now));
        world.pass(600_000);
        assert_eq!(reason(&world), ("periodic".to_owned(), "Active"));
        let row = world.peers[watcher]
            .client
            .mirror()
            .row("instance:tab-1")
            .unwrap();
        let seconds = row
            .entry()
            .get("lastInputSeconds")
            .and_then(Json::as_u64)
            .unwrap();
        assert!((539..=601).contains(&seconds), "{seconds}");
        assert!(
            !world.peers[tab]
                .events
                .iter()
                .any(|event| matches!(event, ClientEvent::BeaconRefused(_)))
        );
    }
}

#[test]
fn requests_are_answered() {
    let mut world = World::new();
    let tab = world.add(config("tab"));
    let id = world
        .with(tab, |client, now| client.request("status", None, now))
        .unwrap();
    let answered = world.peers[tab].events.iter().any(|event| {
        matches!(event, ClientEvent::Response { id: own, result: Ok(payload) }
            if *own == id && payload.at(&["presence", "rows"]).and_then(Json::as_u64) == Some(2))
    });
    assert!(answered);
}

/// Followers by deltas and by lists hold what the gateway holds, whatever happened on the way.
#[test]
fn every_follower_ends_with_the_gateways_list() {
    for seed in 0..15u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut draw = |n: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % n
        };
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
                5 => world.lose(followers[draw(2) as usize], "presence"),
                6 => world.break_off(followers[draw(2) as usize]),
                7 => world.with(actor, |client, now| client.report_input(now)),
                _ => {}
            }
            world.pass(draw(40_000));
        }
        // Ticks show what is missing; nobody acts any more.
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
    RawEntry::new(&Json::parse(&serde_json::to_string(entry).unwrap()).unwrap()).unwrap()
}

/// What a row says, without the times that pongs move in silence.
fn content(entry: &RawEntry) -> String {
    let members = entry
        .members()
        .iter()
        .filter(|(name, _)| !TIME_MEMBERS.contains(&&**name));
    members.map(|(name, value)| format!("{name}={value};")).collect()
}
