//! A busy gateway, recorded: clients join, send beacons and node events, answer pings, leave and come back. The text
//! follows from the seed alone, on every target.

use std::fmt::Write as _;
use std::sync::Arc;

use presence_core::model::{ClientInfo, Role};
use presence_core::recording::{Bounds, Input, Recorder, Recording, Redactor};
use presence_core::server::{Handshake, HubConfig, LeaveCause};
use presence_core::wire::Request;
use presence_core::{Now, PresenceEntry};
use serde_json::{Value, json};

use crate::{Rng, virtual_hub};

/// Its duration, in ms.
const LENGTH_MS: u64 = 60_000;
const START: Now = Now {
    age_ms: 1_000,
    wall_ms: 1_800_000_000_000,
};
/// Rows expire and are evicted within the minute.
const TTL_MS: u64 = 20_000;

/// The text of a recording of that many clients and inputs within a minute.
///
/// # Panics
/// Does not happen: all that is recorded is valid.
#[must_use]
pub fn text(seed: u64, clients: usize, inputs: usize) -> String {
    let mut gateway = Recorded::new(seed, clients);
    for n in 1..=inputs as u64 {
        let at_ms = LENGTH_MS * n / inputs as u64;
        gateway.now = START.after(at_ms);
        gateway.happen(n == inputs as u64 / 2);
    }
    let end = gateway.recorder.digest(gateway.now);
    gateway.text + &end
}

/// The results of a replay of it: a line for each second, two for other bounds, and the list at the end.
///
/// # Panics
/// If it cannot be replayed.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut recording = Recording::open(text).unwrap();
    assert_eq!(recording.problem(), None);
    let mut record = String::new();
    let mut line = |after_ms, bounds| -> Vec<PresenceEntry> {
        let mut moment = recording.at(after_ms, bounds).unwrap();
        let replay = &mut moment.replay;
        let (rows, digest, inputs) = (replay.list(), replay.digest(), replay.inputs());
        writeln!(
            record,
            "{after_ms} ms: {digest}, {inputs} inputs, {} rows",
            rows.len()
        )
        .unwrap();
        rows
    };
    for second in 0..=LENGTH_MS / 1_000 {
        line(second * 1_000, Bounds::default());
    }
    for (ttl_ms, max_entries) in [(Some(10_000), None), (None, Some(50))] {
        line(LENGTH_MS / 2, Bounds { ttl_ms, max_entries });
    }
    let rows = line(LENGTH_MS, Bounds::default());
    for row in rows {
        writeln!(record, "{}", serde_json::to_string(&row).unwrap()).unwrap();
    }
    record
}

struct Recorded {
    rng: Rng,
    now: Now,
    redactor: Redactor,
    recorder: Recorder,
    text: String,
    /// Serials and clients of the open connections.
    open: Vec<(u64, usize)>,
    away: Vec<usize>,
    opened: u64,
}

impl Recorded {
    fn new(seed: u64, clients: usize) -> Self {
        let config = HubConfig {
            self_entry: PresenceEntry {
                host: Some("gateway".into()),
                ip: Some("10.0.0.1".into()),
                mode: Some("gateway".into()),
                reason: Some("self".into()),
                ..PresenceEntry::default()
            },
            ..virtual_hub::config(TTL_MS, clients * 3 / 5, 50)
        };
        let redactor = Redactor::new([7; 32]);
        let (recorder, text) = Recorder::new(&config, &redactor, START);
        Self {
            rng: Rng::new(seed),
            now: START,
            redactor,
            recorder,
            text,
            open: Vec::new(),
            away: (0..clients).rev().collect(),
            opened: 0,
        }
    }

    fn happen(&mut self, is_wake: bool) {
        let input = if is_wake {
            Input::Wake
        } else if self.open.is_empty() || (!self.away.is_empty() && self.rng.chance(25)) {
            self.join()
        } else {
            let at = (self.rng.any() % self.open.len() as u64) as usize;
            let (serial, client) = self.open[at];
            match self.rng.any() % 100 {
                0..4 => {
                    self.open.swap_remove(at);
                    self.away.insert(0, client);
                    let cause =
                        *self
                            .rng
                            .pick(&[LeaveCause::PeerClosed, LeaveCause::Silent, LeaveCause::WeClosed]);
                    Input::leave(serial, cause)
                }
                4..40 => Input::Pong(serial),
                _ => Input::call(serial, &self.call(client), &self.redactor).unwrap(),
            }
        };
        self.text += &self.recorder.record(input, self.now);
    }

    fn join(&mut self) -> Input {
        let client = self.away.pop().unwrap();
        self.opened += 1;
        self.open.push((self.opened, client));
        let is_node = is_node(client);
        let handshake = Handshake {
            request_id: "1".into(),
            conn_id: format!("c-{}", self.opened).into(),
            protocol: 3 + u32::from(client.is_multiple_of(2)),
            role: if is_node { Role::Node } else { Role::Operator },
            scopes: if is_node {
                vec![]
            } else {
                vec!["operator.admin".into()]
            }
            .into_iter()
            .collect(),
            client: Arc::new(ClientInfo {
                id: "test".into(),
                version: format!("1.{}", client % 3).into(),
                platform: "linux 6.18".into(),
                mode: (*self.rng.pick(&["ui", "ui", "webchat", "cli"])).into(),
                display_name: Some(host(client).into()),
                instance_id: self
                    .rng
                    .chance(95)
                    .then(|| id(client, self.rng.chance(10)).into()),
                ..ClientInfo::default()
            }),
            device_id: is_node.then(|| format!("{client:064x}").into()),
            caps: vec![],
            commands: vec![],
            remote_ip: Some(ip(client).into()),
            user: (client % 10 == 3).then(|| format!("person-{}@example.com", client % 4).into()),
            may_report_input: is_node,
            clock_skew_ms: None,
            visitor: None,
        };
        Input::join(self.opened, &handshake, &self.redactor)
    }

    fn call(&mut self, client: usize) -> Request {
        let seconds = self.rng.within(0..=400);
        let (method, params) = if !is_node(client) {
            ("system-event", self.beacon(client, seconds))
        } else if self.rng.chance(50) {
            let payload = json!({ "trigger": "background" });
            (
                "node.event",
                json!({ "event": "node.presence.alive", "payload": payload }),
            )
        } else {
            let payload = json!({ "idleSeconds": seconds });
            (
                "node.event",
                json!({ "event": "node.presence.activity", "payload": payload }),
            )
        };
        let frame = json!({ "type": "req", "id": "1", "method": method, "params": params });
        Request::parse(&frame.to_string()).unwrap()
    }

    fn beacon(&mut self, client: usize, seconds: u64) -> Value {
        let (host, ip) = (host(client), ip(client));
        let reason = *self.rng.pick(&["periodic", "activity", "connect"]);
        let text = format!(
            "Node: {host} ({ip}) · app 1.2 · last input {seconds}s ago · mode local · reason {reason}"
        );
        if self.rng.chance(10) {
            return json!({ "text": text });
        }
        json!({ "text": text, "instanceId": id(client, self.rng.chance(10)), "host": host, "ip": ip,
            "lastInputSeconds": seconds, "reason": reason, "mode": "local" })
    }
}

fn is_node(client: usize) -> bool {
    client.is_multiple_of(5)
}

fn host(client: usize) -> String {
    // Some names are those of two clients.
    format!("Studio-{}", client / 2 * 2)
}

/// In one of two spellings.
fn id(client: usize, is_upper: bool) -> String {
    let id = format!("mac-{client}");
    if is_upper { id.to_uppercase() } else { id }
}

fn ip(client: usize) -> String {
    format!("10.1.{}.{}", client / 200, client % 200 + 1)
}
