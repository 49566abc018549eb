//! Rows and their statuses, as clients see them.

use presence_core::client::{BeaconPolicy, ClientConfig, ClientEvent, ClientState};
use presence_core::model::ClientInfo;
use presence_simulation::world::World;

use super::{HOUR, both, keys, state, status};

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
fn joins_and_leaves_of_others_are_shown_at_once() {
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
fn statuses_change_and_rows_expire_on_time() {
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
        let seconds = row.entry().integer("lastInputSeconds").unwrap();
        assert!((539..=601).contains(&seconds), "{seconds}");
        assert!(
            !world.peers[tab]
                .events
                .iter()
                .any(|event| matches!(event, ClientEvent::BeaconRefused(_)))
        );
    }
}
