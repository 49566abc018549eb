//! Both ends of the protocol against each other, in memory and under virtual time.
#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing fails")]

mod calls;
mod followers;
mod lines;
mod rows;

use presence_core::client::{ClientConfig, ClientState};
use presence_simulation::world::{World, config, plain};

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
