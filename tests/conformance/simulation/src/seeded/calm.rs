//! The end of a simulation: after a quiet time, all clients have the same list.

use presence_core::client::ClientState;
use presence_core::model::RawEntry;

use super::{Simulation, content};
use crate::world::Pace;

/// Longer than any wait for a reconnect, for the detection of a silent line, and for the next request.
const CALM_MS: u64 = 400_000;
/// Time without changes after which all clients are up to date, in ms: longer than any window.
const QUIET_MS: u64 = 2_100;

impl Simulation {
    /// Ends all faults, connects all clients, and continues until there are no changes for a while.
    pub(super) fn calm_down(&mut self) {
        for peer in 0..self.world.peers.len() {
            self.world.set_pace(peer, Pace::default());
            self.world.wake(peer);
            self.world.with(peer, |client, now| client.start(now));
        }
        self.world.pass(CALM_MS);
        for _ in 0..100 {
            let version = self.world.hub.version();
            self.world.pass(QUIET_MS);
            if self.world.hub.version() == version {
                return;
            }
        }
        panic!("it does not become quiet");
    }

    /// Every client is connected and holds the gateway's list.
    pub(super) fn check_mirrors(&mut self) {
        let version = self.world.hub.version();
        let list = self.world.hub.list(self.world.now);
        let mut held: Vec<String> = list
            .iter()
            .map(|entry| {
                let json = serde_json::to_string(entry).unwrap();
                content(&RawEntry::read(&json).unwrap())
            })
            .collect();
        held.sort();
        for (number, peer) in self.world.peers.iter().enumerate() {
            let mirror = peer.client.mirror();
            assert_eq!(peer.client.state(), ClientState::Live, "client {number}");
            let mut own: Vec<String> = mirror.raw_list().map(content).collect();
            own.sort();
            assert_eq!(own, held, "client {number}");
            if let Some(own) = mirror.version() {
                assert_eq!(own, version, "client {number}");
            }
        }
    }
}
