//! The whole connection machine: sequences of client operations on connections, hub and outboxes, without sockets.
//! After every operation the gateway's list equals that of the naive model. Each reader applies its frames to a mirror;
//! at the end every mirror equals the list.

mod follower;
mod op;
mod twin;

use std::collections::BTreeMap;

use presence_conformance::vectors::core_target::Happened;
use presence_conformance::vectors::target::{Item, Opening, Setup};
use presence_conformance::vectors::{CoreTarget, Failure, Target as _};
use serde_json::{Map, Value, json};

use self::follower::{Follower, sorted};
use self::op::{Frame, Op};
use self::twin::{Rules, Twin};

/// Most connections at once, and operations of one sequence.
const MAX_CONNECTIONS: u8 = 6;
const MAX_OPS: usize = 100;
/// Beyond the coalescing window and one tick of deltas.
const QUIET_MS: u64 = 1_000;
/// Beyond the time in which a change of `lastActivityAt` alone must be sent.
const ACTIVITY_MS: u64 = 31_000;
/// Rows that end after a minute are pinged as often as possible.
const RULES: Rules = Rules {
    ttl_ms: 60_000,
    max_entries: 6,
    ping_interval_ms: 15_000,
    own_key: "self",
    rowless: &["cli", "beacon"],
};

/// Plays a sequence made of the bytes.
///
/// # Panics
/// When a frame breaks the protocol, an answer is missing or differs from the model's, or the lists of the gateway, the
/// model and the mirrors differ.
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
    twin: Twin,
    conns: BTreeMap<u8, Follower>,
    /// Connections made so far: names are used once.
    opened: u32,
    requests: u32,
}

impl House {
    fn new() -> Self {
        let config = json!({
            "ttlMs": RULES.ttl_ms, "maxEntries": RULES.max_entries, "windowMs": 50, "ephemeralModes": ["cli"],
            "auth": { "mode": "none", "secret": null }, "allowedOrigins": [], "serverVersion": "1",
            "limits": { "pingIntervalMs": RULES.ping_interval_ms, "handshakeMs": 5_000, "preauthFrameBytes": 4_096,
                "payloadBytes": 16_384, "bufferedBytes": 65_536 },
            "self": { "host": "gw", "mode": "gateway", "reason": "self", "text": "Gateway: gw", "instanceId": RULES.own_key },
        });
        let mut self_row: Map<String, Value> = config["self"].as_object().cloned().unwrap_or_default();
        self_row.insert("ts".into(), 0.into());
        let setup = Setup {
            config: serde_json::from_value(config).expect("a configuration"),
            self_row,
            start_wall_ms: 1_800_000_000_000,
        };
        let self_row = serde_json::from_value(Value::Object(setup.self_row.clone())).expect("a row");
        let mut target = CoreTarget::start(&setup).expect("the core starts");
        target.keep_journal();
        Self {
            twin: Twin::new(RULES, self_row, target.now()),
            target,
            conns: BTreeMap::new(),
            opened: 0,
            requests: 0,
        }
    }

    /// Carries an operation out; false if the target cannot go on.
    fn apply(&mut self, op: &Op) -> bool {
        let done = match op {
            Op::Open { conn, user } => self.open(*conn, *user),
            Op::Join { conn, user, hello } => {
                let left = self.leave(*conn);
                let opened = left.and_then(|()| self.open(*conn, *user));
                opened.and_then(|()| self.send(*conn, hello))
            }
            Op::Send { conn, frame } => self.send(*conn, frame),
            Op::Pong(conn) => self.with(*conn, |target, name| target.pong(name)),
            Op::AutoPong(conn, on) => self.with(*conn, |target, name| target.auto_pong(name, *on)),
            Op::Drop(conn) => self.leave(*conn),
            Op::Pause(conn, on) => self.with(*conn, |target, name| target.pause(name, *on)),
            Op::Hold(on) => self.target.hold_handshakes(*on),
            Op::Advance(ms) => self.target.advance(u64::from(*ms)),
            Op::Suspend(ms) => self.target.suspend(u64::from(*ms)),
            Op::StepWall(ms) => {
                self.target.step_wall(i64::from(*ms));
                Ok(())
            }
        };
        let is_followed = self.follow();
        self.collect();
        done.is_ok() && is_followed
    }

    /// Lets the model do what the hub did, and compares their lists. False if the target cannot go on.
    fn follow(&mut self) -> bool {
        let journal = self.target.take_journal();
        if journal.is_empty() {
            return true;
        }
        self.tell(&journal);
        let Ok((list, version)) = self.target.list() else {
            return false;
        };
        // What reading did.
        let journal = self.target.take_journal();
        self.tell(&journal);
        self.twin.compare(&list, version, self.target.now());
        true
    }

    fn tell(&mut self, journal: &[Happened]) {
        for happened in journal {
            let Some((name, id, expected)) = self.twin.follow(happened) else {
                continue;
            };
            if let Some(follower) = self.conns.values_mut().find(|follower| follower.name == name) {
                follower.expects(&id, expected);
            }
        }
    }

    /// Opens the connection, unless it is open.
    fn open(&mut self, conn: u8, has_user: bool) -> Result<(), Failure> {
        if self.open_one(conn).is_some() {
            return Ok(());
        }
        let conn = conn % MAX_CONNECTIONS;
        self.opened += 1;
        let name = format!("c{}", self.opened);
        let opening = Opening {
            from: format!("192.0.2.{conn}"),
            origin: None,
            user: has_user.then(|| "ann".into()),
        };
        self.conns.insert(conn, Follower::new(&name));
        self.target.open(&name, &opening)?;
        self.collect();
        Ok(())
    }

    /// Loses the connection, if it is open.
    fn leave(&mut self, conn: u8) -> Result<(), Failure> {
        let Some(follower) = self.open_one(conn) else {
            return Ok(());
        };
        follower.is_over = true;
        let name = follower.name.clone();
        self.target.drop_transport(&name)
    }

    fn send(&mut self, conn: u8, frame: &Frame) -> Result<(), Failure> {
        self.requests += 1;
        let id = format!("r{}", self.requests);
        let Some(follower) = self.open_one(conn) else {
            return Ok(());
        };
        let text = frame.text(&id, &follower.challenge);
        follower.sends(&text);
        let name = follower.name.clone();
        let sent = self.target.send(&name, text);
        self.collect();
        sent
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
        self.follow();
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
            self.follow();
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
