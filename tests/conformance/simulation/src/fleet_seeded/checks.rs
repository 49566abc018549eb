//! Checks during a run, and after it in a quiet time.

use std::collections::{BTreeMap, BTreeSet};

use presence_core::client::{ClientState, Hello};
use presence_core::fleet::LEASE_MS;
use presence_core::model::RawEntry;
use presence_core::model::entry::TIME_MEMBERS;

use super::Simulation;
use crate::fleet::Links;
use crate::world::{Listed, Pace};

/// Longer than any wait for a reconnect and a silent line to be noticed, in ms.
const CALM_MS: u64 = 400_000;
/// Longer than any coalescing window, and than any message is under way, in ms.
const QUIET_MS: u64 = 5_000;
/// How long a suspended gateway waits for pongs once it is awake, and a second.
const PONGS_MS: u64 = 26_000;

impl<L: Links> Simulation<L> {
    /// No gateway lists a client that gave no proof of life for too long.
    pub(super) fn check_ghosts(&mut self) {
        // The ages of the last proof of life and of the last close of each.
        let mut heard: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for &(of, peer) in &self.clients {
            let world = &self.fleet.worlds[of];
            let ago_ms = |at_ms: Option<u64>| at_ms.map_or(u64::MAX, |at_ms| world.now.age_ms - at_ms);
            let peer = &world.peers[peer];
            let (proof_ms, closed_ms) = (ago_ms(peer.proof_ms), ago_ms(peer.closed_ms));
            let least = heard.entry(peer.name.clone()).or_insert((u64::MAX, u64::MAX));
            *least = (least.0.min(proof_ms), least.1.min(closed_ms));
        }
        let most_ms = self.ttl_ms + 1_000 + LEASE_MS + L::LATE_MS;
        for gateway in 0..self.fleet.worlds.len() {
            // Rows of its own wait for a pong.
            if !self.fleet.is_served(gateway) || self.fleet.awake_ms(gateway) < PONGS_MS {
                continue;
            }
            let world = &self.fleet.worlds[gateway];
            let now_ms = world.hub.server_wall_ms(world.now);
            for row in self.list(gateway).rows {
                let id = id(&row);
                if is_gateway(&row) {
                    continue;
                }
                let (proof_ms, closed_ms) = heard.get(&id).copied().unwrap_or((u64::MAX, u64::MAX));
                // Other gateways cannot see whether a close was a sign of life.
                let is_left = row.str("reason") == Some("disconnect");
                let ago_ms = if is_left {
                    proof_ms.min(closed_ms)
                } else {
                    proof_ms
                };
                assert!(
                    ago_ms <= most_ms,
                    "gateway {gateway} lists {id}, heard of {ago_ms} ms ago, by the row {} ms: {}",
                    now_ms.saturating_sub(row.ts().unwrap()),
                    row.as_str()
                );
            }
        }
    }

    /// Ends all faults, and continues until there are no changes for a while. Stopped clients stay away. Returns the
    /// lists of all gateways.
    pub(super) fn calm_down(&mut self) -> Vec<Listed> {
        self.fleet.hurry();
        self.fleet.links.calm();
        for world in &mut self.fleet.worlds {
            for peer in 0..world.peers.len() {
                world.set_pace(peer, Pace::default());
                world.wake(peer);
            }
        }
        self.fleet.settle();
        self.fleet.pass(self.ttl_ms + LEASE_MS + CALM_MS);
        let mut before: Vec<String> = Vec::new();
        let mut why = "";
        for _ in 0..300 {
            let lists = self.lists();
            // Versions are not compared, because a beacon without a change counts, too.
            let digests = lists.iter().map(|listed| listed.digest.clone()).collect();
            let is_settled = L::is_settled(&mut self.fleet);
            why = if is_settled == Some(false) {
                "gateways differ in what they know of each other"
            } else if !self.are_readers_current(&lists) {
                "readers are behind"
            } else if is_settled.is_none() && digests != before {
                "lists change"
            } else {
                return lists;
            };
            before = digests;
            self.fleet.pass(QUIET_MS);
        }
        panic!("it does not become quiet: {why}");
    }

    /// Whether readers have been sent the last change: where an instance is connected twice, its row changes with the
    /// beacons of both.
    fn are_readers_current(&self, lists: &[Listed]) -> bool {
        lists.iter().enumerate().all(|(gateway, listed)| {
            let peers = self.fleet.worlds[gateway].peers.iter().enumerate();
            let readers = peers.filter(|(number, peer)| {
                peer.client.hello().is_some_and(Hello::may_read)
                    && !self.fleet.links.is_link(gateway, *number)
            });
            let mut mirrors = readers.map(|(_, peer)| peer.client.mirror());
            mirrors.all(|mirror| match mirror.version() {
                Some(_) => mirror.digest().to_hex() == listed.digest,
                None => contents(mirror.raw_list()) == contents(listed.rows.iter()),
            })
        })
    }

    /// Checks that all gateways list each client that is connected to any of them once, and that readers have this
    /// list.
    pub(super) fn check_lists(&mut self, lists: &[Listed]) {
        let gateways = 0..self.fleet.worlds.len();
        let own: Vec<Vec<RawEntry>> = gateways.map(|gateway| self.own_rows(gateway)).collect();
        let mut expected: BTreeMap<String, Vec<&RawEntry>> = BTreeMap::new();
        for row in own.iter().flatten() {
            expected.entry(id(row)).or_default().push(row);
        }
        for (gateway, listed) in lists.iter().enumerate() {
            self.check_rows(gateway, listed);
            let mut rows: BTreeMap<String, Vec<&RawEntry>> = BTreeMap::new();
            for row in listed.rows.iter().filter(|row| !is_gateway(row)) {
                rows.entry(id(row)).or_default().push(row);
            }
            let ids = |rows: &BTreeMap<String, Vec<&RawEntry>>| -> BTreeSet<String> {
                rows.keys().cloned().collect()
            };
            assert_eq!(ids(&rows), ids(&expected), "gateway {gateway}");
            for (id, rows) in rows {
                let of_sources = &expected[&id];
                let has_id = ["instanceId", "deviceId"]
                    .iter()
                    .any(|name| rows[0].str(name).is_some());
                assert_eq!(
                    rows.len(),
                    if has_id { 1 } else { of_sources.len() },
                    "gateway {gateway}: {rows:?}"
                );
                if let [only] = **of_sources {
                    assert_eq!(content(rows[0]), content(only), "gateway {gateway}");
                }
            }
            self.check_readers(gateway, listed, &own[gateway]);
        }
        self.check_connected(lists);
    }

    /// No row is older than the TTL, and each gateway is listed.
    fn check_rows(&self, gateway: usize, listed: &Listed) {
        let world = &self.fleet.worlds[gateway];
        let now_ms = world.hub.server_wall_ms(world.now);
        let gateways = listed.rows.iter().filter(|row| is_gateway(row)).count();
        assert_eq!(gateways, self.fleet.worlds.len(), "gateway {gateway}");
        for row in &listed.rows {
            let age_ms = now_ms.saturating_sub(row.ts().unwrap());
            assert!(age_ms <= self.ttl_ms, "gateway {gateway}: {age_ms} ms: {row:?}");
        }
    }

    /// Checks that readers have their gateway's list, and observing gateways the rows of its own clients.
    fn check_readers(&self, gateway: usize, listed: &Listed, own: &[RawEntry]) {
        for (number, peer) in self.fleet.worlds[gateway].peers.iter().enumerate() {
            if !peer.client.hello().is_some_and(Hello::may_read) {
                continue;
            }
            let is_observer = self.fleet.links.is_link(gateway, number);
            let expected = if is_observer { own } else { &listed.rows };
            let mirror = peer.client.mirror();
            let held = mirror.raw_list().filter(|row| !is_observer || !is_gateway(row));
            assert_eq!(
                contents(held),
                contents(expected.iter()),
                "gateway {gateway}, {}",
                peer.name
            );
            if mirror.version().is_some() && !is_observer {
                assert_eq!(mirror.digest().to_hex(), listed.digest, "gateway {gateway}");
            }
        }
    }

    /// Connected clients, and only they, are listed as connected everywhere.
    fn check_connected(&self, lists: &[Listed]) {
        let is_live = |&&(of, peer): &&(usize, usize)| {
            self.fleet.worlds[of].peers[peer].client.state() == ClientState::Live
        };
        let live = self.clients.iter().filter(is_live);
        let live: BTreeSet<String> = live.map(|&(of, peer)| self.id(of, peer)).collect();
        for (gateway, listed) in lists.iter().enumerate() {
            let rows = listed.rows.iter();
            let connected = rows.filter(|row| !is_gateway(row) && row.str("reason") != Some("disconnect"));
            let connected: BTreeSet<String> = connected.map(id).collect();
            assert_eq!(connected, live, "gateway {gateway}");
        }
    }

    fn lists(&mut self) -> Vec<Listed> {
        (0..self.fleet.worlds.len())
            .map(|gateway| self.list(gateway))
            .collect()
    }

    fn list(&mut self, gateway: usize) -> Listed {
        self.lists += 1;
        let listed = self.fleet.worlds[gateway].read_list();
        self.fleet.settle();
        listed
    }

    /// The rows of a gateway's own clients.
    fn own_rows(&mut self, gateway: usize) -> Vec<RawEntry> {
        let world = &mut self.fleet.worlds[gateway];
        let list = world.hub.list(world.now);
        let json = |entry| RawEntry::read(&serde_json::to_string(entry).unwrap()).unwrap();
        let rows = list.iter().map(json);
        rows.filter(|row| !is_gateway(row)).collect()
    }

    /// The id by which a client's rows are found.
    fn id(&self, of: usize, peer: usize) -> String {
        self.fleet.worlds[of].peers[peer].name.clone()
    }
}

fn id(row: &RawEntry) -> String {
    row.str("instanceId").or_else(|| row.str("host")).unwrap().into()
}

fn is_gateway(row: &RawEntry) -> bool {
    row.str("reason") == Some("self")
}

fn contents<'a>(rows: impl Iterator<Item = &'a RawEntry>) -> Vec<String> {
    let mut contents: Vec<String> = rows.map(content).collect();
    contents.sort();
    contents
}

/// The contents of a row without times and its gateway.
fn content(row: &RawEntry) -> String {
    let is_same_everywhere = |name: &str| !TIME_MEMBERS.contains(&name) && name != "gateway";
    let members = row.members().filter(|(name, _)| is_same_everywhere(name));
    let mut members: Vec<String> = members.map(|(name, value)| format!("{name}={value};")).collect();
    members.sort();
    members.concat()
}
