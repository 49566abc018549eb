//! The whole connection machine: sequences of client operations on connections, hub and outboxes, without sockets.
//! Each reader applies its frames to a mirror; at the end every mirror equals the gateway's list.

mod follower;
mod op;

use std::collections::BTreeMap;

use presence_conformance::vectors::target::{Item, Opening, Setup};
use presence_conformance::vectors::{CoreTarget, Failure, Target as _};
use serde_json::{Map, Value, json};

use self::follower::{Follower, sorted};
use self::op::Op;

/// Most connections at once, and operations of one sequence.
const MAX_CONNECTIONS: u8 = 6;
const MAX_OPS: usize = 100;
/// Beyond the coalescing window and one tick of deltas.
const QUIET_MS: u64 = 1_000;
/// Beyond the time in which a change of `lastActivityAt` alone must be sent.
const ACTIVITY_MS: u64 = 31_000;

/// Plays a sequence made of the bytes.
///
/// # Panics
/// When a frame breaks the protocol, an answer is missing, or a mirror differs from the gateway's list.
pub fn run(data: &[u8]) {
    let mut from = arbitrary::Unstructured::new(data);
    let mut house = House::new();
    for _ in 0..MAX_OPS {
        if from.is_empty() {
            break;
        }
        let Ok(op) = from.arbitrary::<Op>() else { break };
        if !house.apply(&op) {
            // The client is too slow for its answers. A shell would close it; this target ends.
            return;
        }
    }
    house.end();
}

struct House {
    target: CoreTarget,
    conns: BTreeMap<u8, Follower>,
    /// Connections made so far: names are used once.
    opened: u32,
    requests: u32,
}

impl House {
    fn new() -> Self {
        let config = json!({
            "ttlMs": 60_000, "maxEntries": 6, "windowMs": 50, "ephemeralModes": ["cli"],
            "auth": { "mode": "none", "secret": null }, "allowedOrigins": [], "serverVersion": "1",
            "limits": { "pingIntervalMs": 15_000, "handshakeMs": 5_000, "preauthFrameBytes": 4_096,
                "payloadBytes": 16_384, "bufferedBytes": 65_536 },
            "self": { "host": "gw", "mode": "gateway", "reason": "self", "text": "Gateway: gw", "instanceId": "self" },
        });
        let mut self_row: Map<String, Value> = config["self"].as_object().cloned().unwrap_or_default();
        self_row.insert("ts".into(), 0.into());
        let setup = Setup {
            config: serde_json::from_value(config).expect("a configuration"),
            self_row,
            start_wall_ms: 1_800_000_000_000,
        };
        Self {
            target: CoreTarget::start(&setup).expect("the core starts"),
            conns: BTreeMap::new(),
            opened: 0,
            requests: 0,
        }
    }

    /// Carries an operation out; false if the target cannot go on.
    fn apply(&mut self, op: &Op) -> bool {
        let done = match op {
            Op::Open { conn, user } => {
                let conn = conn % MAX_CONNECTIONS;
                if self.conns.get(&conn).is_some_and(|follower| !follower.is_over) {
                    return true;
                }
                self.opened += 1;
                let name = format!("c{}", self.opened);
                let opening = Opening {
                    from: format!("192.0.2.{conn}"),
                    origin: None,
                    user: user.then(|| "ann".into()),
                };
                self.conns.insert(conn, Follower::new(&name));
                self.target.open(&name, &opening)
            }
            Op::Send { conn, frame } => {
                self.requests += 1;
                let id = format!("r{}", self.requests);
                let text = frame.text(&id);
                let Some(follower) = self.open_one(*conn) else {
                    return true;
                };
                follower.sends(&text, &id);
                let name = follower.name.clone();
                self.target.send(&name, text)
            }
            Op::Pong(conn) => self.with(*conn, |target, name| target.pong(name)),
            Op::AutoPong(conn, on) => self.with(*conn, |target, name| target.auto_pong(name, *on)),
            Op::Drop(conn) => {
                let Some(follower) = self.open_one(*conn) else {
                    return true;
                };
                follower.is_over = true;
                let name = follower.name.clone();
                self.target.drop_transport(&name)
            }
            Op::Pause(conn, on) => self.with(*conn, |target, name| target.pause(name, *on)),
            Op::Hold(on) => self.target.hold_handshakes(*on),
            Op::Advance(ms) => self.target.advance(u64::from(*ms)),
            Op::Suspend(ms) => self.target.suspend(u64::from(*ms) * 10),
            Op::StepWall(ms) => {
                self.target.step_wall(i64::from(*ms) * 100);
                Ok(())
            }
        };
        self.collect();
        done.is_ok()
    }

    fn open_one(&mut self, conn: u8) -> Option<&mut Follower> {
        self.conns
            .get_mut(&(conn % MAX_CONNECTIONS))
            .filter(|follower| !follower.is_over)
    }

    fn with(
        &mut self,
        conn: u8,
        act: impl FnOnce(&mut CoreTarget, &str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self.open_one(conn).map(|follower| follower.name.clone()) {
            Some(name) => act(&mut self.target, &name),
            None => Ok(()),
        }
    }

    fn collect(&mut self) {
        for received in self.target.take_received() {
            let owner = self
                .conns
                .values_mut()
                .find(|follower| follower.name == received.conn);
            // Output for a connection that its client left is dropped.
            let Some(follower) = owner else { continue };
            match received.item {
                Item::Text(text) => follower.apply(&text),
                Item::Close(code, _) => follower.is_closed(code),
                Item::Ping => assert!(!follower.has_heard_close),
            }
        }
    }

    /// Lets all clients read until no frames are left, and compares.
    fn end(mut self) {
        let conns: Vec<u8> = self.conns.keys().copied().collect();
        self.target.hold_handshakes(false).ok();
        for conn in conns {
            if let Some(name) = self.open_one(conn).map(|follower| follower.name.clone()) {
                let Ok(()) = self.target.pause(&name, false) else {
                    return;
                };
                let Ok(()) = self.target.auto_pong(&name, true) else {
                    return;
                };
            }
        }
        self.collect();
        let ages = ["ts", "lastInputSeconds", "lastActivityAt"];
        if self.compare(QUIET_MS, &ages).is_ok() {
            // A fault of the target ends the sequence, as in `run`.
            self.compare(ACTIVITY_MS, &ages[..2]).ok();
        }
    }

    /// Compares each reader's mirror with the list, without the members `but`, when the list stays the same for
    /// `quiet_ms`: a row that expired within the last coalescing window is not removed from the mirrors yet.
    fn compare(&mut self, quiet_ms: u64, but: &[&str]) -> Result<(), Failure> {
        let mut before = Vec::new();
        loop {
            self.target.advance(quiet_ms)?;
            self.collect();
            let (list, _) = self.target.list().expect("a list");
            let rows = sorted(list.as_array().expect("rows"), but);
            if rows == before {
                break;
            }
            before = rows;
        }
        self.collect();
        for follower in self.conns.values().filter(|follower| !follower.is_over) {
            follower.compare(&before, but);
        }
        Ok(())
    }
}
