//! Handshakes and requests.

use presence_core::client::{ClientConfig, ClientEvent, ClientState};
use presence_simulation::world::{World, config, with_device};

use super::{HOUR, state};

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
fn a_device_proof_does_not_depend_on_the_devices_clock() {
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
fn requests_are_answered() {
    let mut world = World::new();
    let tab = world.add(config("tab"));
    let id = world
        .with(tab, |client, now| client.request("status", None, now))
        .unwrap();
    let answered = world.peers[tab].events.iter().any(|event| {
        matches!(event, ClientEvent::Response { id: own, result: Ok(payload) }
            if *own == id && serde_json::from_str::<serde_json::Value>(payload).unwrap()["presence"]["rows"] == 2)
    });
    assert!(answered);
}
