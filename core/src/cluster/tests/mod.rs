//! Gateways around two buckets that are maps.

mod faults;
mod sharing;
mod suspensions;
mod warnings;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::*;
use crate::model::time::Now;
use crate::model::{ClientInfo, PresenceEntry, Role};
use crate::server::{ConnId, Handshake, Hub, HubConfig, LeaveCause};
use crate::wire::Limits;

const TTL: u64 = 300_000;

/// A value on the server, with the time of its write.
type Stored = (u64, Vec<u8>);

/// The fleet, on the clock of the server.
struct World {
    now_ms: u64,
    nodes: Vec<Node>,
    leases: BTreeMap<String, Stored>,
    rows: BTreeMap<(String, u64), Stored>,
    /// Writes of rows and leases so far.
    writes: usize,
    /// The server acknowledges rows and loses them.
    loses_rows: bool,
}

struct Node {
    name: String,
    boot: String,
    hub: Hub,
    cluster: Cluster,
    is_linked: bool,
    /// Its clocks minus that of the server.
    skew_ms: u64,
    restarts: Vec<Restart>,
    warnings: Vec<String>,
    largest_batch: usize,
}

impl Node {
    fn new(name: &str, boot: &str, skew_ms: u64, now_ms: u64) -> Self {
        let config = HubConfig {
            limits: Limits::default(),
            ttl_ms: TTL,
            max_entries: 600,
            ephemeral_modes: Vec::new(),
            hash_seed: 7,
            server_version: "1.0.0".into(),
            boot_id: boot.into(),
            self_entry: PresenceEntry {
                host: Some(name.into()),
                instance_id: Some(format!("self-{name}").into()),
                mode: Some("gateway".into()),
                reason: Some("self".into()),
                ..PresenceEntry::default()
            },
            auth_mode: "token",
        };
        let now = at(now_ms, skew_ms);
        let mut hub = Hub::new(config, now);
        let config = ClusterConfig {
            name: name.into(),
            boot_id: boot.into(),
        };
        Self {
            name: name.into(),
            boot: boot.into(),
            cluster: Cluster::new(config, &mut hub, now),
            hub,
            is_linked: false,
            skew_ms,
            restarts: Vec::new(),
            warnings: Vec::new(),
            largest_batch: 0,
        }
    }

    /// The hosts and reasons of its list, as standard clients see them.
    fn list(&mut self, now_ms: u64) -> Vec<(String, String)> {
        let now = at(now_ms, self.skew_ms);
        let text = self.hub.shown_list(now);
        let rows: Vec<PresenceEntry> = serde_json::from_str(&text).unwrap();
        let mut rows: Vec<_> = rows
            .into_iter()
            .map(|row| {
                (
                    row.host.unwrap().to_string(),
                    row.reason.unwrap_or_default().to_string(),
                )
            })
            .collect();
        rows.sort();
        rows
    }
}

fn at(now_ms: u64, skew_ms: u64) -> Now {
    Now {
        age_ms: now_ms + skew_ms,
        wall_ms: 1_700_000_000_000 + 7 * skew_ms + now_ms,
    }
}

fn client(name: &str) -> Handshake {
    Handshake {
        request_id: "1".into(),
        conn_id: ["conn-", name].concat().into(),
        protocol: 4,
        role: Role::Operator,
        scopes: [].into(),
        client: Arc::new(ClientInfo {
            id: "test".into(),
            version: "1".into(),
            platform: "linux".into(),
            mode: "ui".into(),
            display_name: Some(name.into()),
            instance_id: Some(name.into()),
            ..ClientInfo::default()
        }),
        device_id: None,
        caps: Vec::new(),
        commands: Vec::new(),
        remote_ip: None,
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    }
}

impl World {
    /// A fleet whose gateways have clocks hours apart, all joined.
    fn new(names: &[&str]) -> Self {
        let mut world = Self {
            now_ms: 10_000_000,
            nodes: Vec::new(),
            leases: BTreeMap::new(),
            rows: BTreeMap::new(),
            writes: 0,
            loses_rows: false,
        };
        for (index, name) in names.iter().enumerate() {
            world.start(name, &format!("boot-{name}"), 7_200_000 * index as u64);
        }
        world.pump();
        world
    }

    fn start(&mut self, name: &str, boot: &str, skew_ms: u64) -> usize {
        self.nodes.push(Node::new(name, boot, skew_ms, self.now_ms));
        let node = self.nodes.len() - 1;
        self.join(node);
        node
    }

    /// Claims the name, and reads the snapshot.
    fn join(&mut self, node: usize) {
        let (name, boot) = (self.nodes[node].name.clone(), self.nodes[node].boot.clone());
        let leases = &mut self.leases;
        leases.insert(name, (self.now_ms, claim(&boot).into_bytes()));
        self.nodes[node].is_linked = true;
        self.hand(node, alloc::vec![ClusterInput::Joining]);
        let inputs = self.snapshot();
        self.hand(node, inputs);
    }

    /// The snapshot for a gateway that joins now.
    fn snapshot(&self) -> Vec<ClusterInput> {
        let mut inputs = Vec::new();
        let leases = self
            .leases
            .iter()
            .map(|(gateway, (at_ms, value))| ClusterInput::Lease {
                gateway: gateway.as_str().into(),
                age_ms: self.now_ms - at_ms,
                value: Some(value.clone()),
            });
        let rows = self
            .rows
            .iter()
            .map(|((gateway, number), (at_ms, value))| ClusterInput::Row {
                gateway: gateway.as_str().into(),
                number: *number,
                age_ms: self.now_ms - at_ms,
                change: RowChange::Put(value.clone()),
            });
        inputs.extend(leases.chain(rows));
        inputs.push(ClusterInput::Settled);
        inputs
    }

    fn hand(&mut self, node: usize, inputs: Vec<ClusterInput>) {
        let Node {
            cluster,
            hub,
            skew_ms,
            ..
        } = &mut self.nodes[node];
        cluster.handle(inputs, hub, at(self.now_ms, *skew_ms));
    }

    fn unlink(&mut self, node: usize) {
        self.nodes[node].is_linked = false;
        self.hand(node, alloc::vec![ClusterInput::Left]);
    }

    fn tell_all(&mut self, input: &ClusterInput) {
        for node in 0..self.nodes.len() {
            if self.nodes[node].is_linked {
                self.hand(node, alloc::vec![input.clone()]);
            }
        }
    }

    /// Carries out all outputs.
    fn pump(&mut self) {
        loop {
            let mut is_quiet = true;
            for node in 0..self.nodes.len() {
                let Node {
                    cluster,
                    hub,
                    skew_ms,
                    ..
                } = &mut self.nodes[node];
                let now = at(self.now_ms, *skew_ms);
                hub.handle_timeout(now);
                while hub.poll_output().is_some() {}
                if let Some(output) = cluster.poll_output(hub, now) {
                    is_quiet = false;
                    self.execute(node, output);
                }
            }
            if is_quiet {
                return;
            }
        }
    }

    fn execute(&mut self, node: usize, output: ClusterOutput) {
        match output {
            ClusterOutput::Restart(why) => {
                self.nodes[node].restarts.push(why);
                match why {
                    Restart::Resync | Restart::Suspended => self.join(node),
                    Restart::NameTaken => self.nodes[node].is_linked = false,
                }
            }
            ClusterOutput::Warn(text) => self.nodes[node].warnings.push(text),
            ClusterOutput::Write(batch) => {
                self.nodes[node].largest_batch = self.nodes[node].largest_batch.max(batch.rows.len());
                self.write(node, batch);
            }
        }
    }

    fn write(&mut self, node: usize, batch: ClusterBatch) {
        let gateway = self.nodes[node].name.clone();
        self.writes += batch.rows.len() + usize::from(batch.lease.is_some());
        let rows = if self.loses_rows { Vec::new() } else { batch.rows };
        for RowWrite { number, value } in rows {
            let change = match value {
                Some(value) => {
                    let value = value.into_bytes();
                    self.rows
                        .insert((gateway.clone(), number), (self.now_ms, value.clone()));
                    RowChange::Put(value)
                }
                None => {
                    self.rows.remove(&(gateway.clone(), number));
                    RowChange::Deleted
                }
            };
            self.tell_all(&ClusterInput::Row {
                gateway: gateway.as_str().into(),
                number,
                age_ms: 0,
                change,
            });
        }
        if let Some(lease) = batch.lease {
            self.leases
                .insert(gateway.clone(), (self.now_ms, lease.clone().into_bytes()));
            self.tell_all(&ClusterInput::Lease {
                gateway: gateway.as_str().into(),
                age_ms: 0,
                value: Some(lease.into_bytes()),
            });
        }
        self.hand(node, alloc::vec![ClusterInput::Written]);
    }

    /// Advances the time; the server removes leases that were not renewed.
    fn pass(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        while self.now_ms < end_ms {
            self.now_ms += 20.min(end_ms - self.now_ms);
            let now_ms = self.now_ms;
            self.leases.retain(|_, (at_ms, _)| now_ms - *at_ms < LEASE_MS);
            self.pump();
        }
    }

    fn connect(&mut self, node: usize, name: &str) -> ConnId {
        let now = at(self.now_ms, self.nodes[node].skew_ms);
        let conn = self.nodes[node].hub.join(client(name), now);
        self.pump();
        conn
    }

    fn leave(&mut self, node: usize, conn: ConnId) {
        let now = at(self.now_ms, self.nodes[node].skew_ms);
        self.nodes[node].hub.leave(conn, LeaveCause::PeerClosed, now);
        self.pump();
    }

    /// Answers all pings: the connections live.
    fn pong(&mut self, node: usize, conns: &[ConnId]) {
        let now = at(self.now_ms, self.nodes[node].skew_ms);
        for conn in conns {
            self.nodes[node].hub.pong(*conn, now);
        }
        self.pump();
    }

    fn list(&mut self, node: usize) -> Vec<(String, String)> {
        let now_ms = self.now_ms;
        self.nodes[node].list(now_ms)
    }

    fn reason(&mut self, node: usize, host: &str) -> Option<String> {
        let list = self.list(node);
        list.into_iter()
            .find(|(name, _)| name == host)
            .map(|(_, reason)| reason)
    }

    /// The wire keys of its snapshot.
    fn keys(&mut self, node: usize) -> Vec<String> {
        let node = &mut self.nodes[node];
        let text = node.hub.shown_snapshot(at(self.now_ms, node.skew_ms));
        let snapshot = format!(r#"{{"presence":{text}}}"#);
        let mut snapshot: serde_json::Value = serde_json::from_str(&snapshot).unwrap();
        serde_json::from_value(snapshot["keys"].take()).unwrap()
    }

    fn digests(&mut self) -> Vec<String> {
        let now_ms = self.now_ms;
        let digest = |node: &mut Node| {
            let (_, digest) = node.hub.fleet_digest(at(now_ms, node.skew_ms)).unwrap();
            digest.to_hex()
        };
        self.nodes.iter_mut().map(digest).collect()
    }

    fn assert_equal(&mut self) {
        let digests = self.digests();
        assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
    }
}
