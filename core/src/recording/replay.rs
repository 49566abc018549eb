//! A hub that lives through a recording.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::json;

use super::{Header, Input, Line, Step};
use crate::model::PresenceEntry;
use crate::model::time::Now;
use crate::server::{ConnId, Hub, HubConfig, LeaveCause};
use crate::wire::Request;

/// A hub in virtual time.
#[derive(Debug)]
pub struct Replay {
    hub: Hub,
    now: Now,
    conns: BTreeMap<u64, ConnId>,
    inputs: u64,
    /// Inputs that were not recorded.
    missing: u64,
}

impl Replay {
    /// The hub as it was at the start of the recording.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        Self::with_config(header.config(), header.now())
    }

    /// The same with other bounds, for questions of the form "what if".
    #[must_use]
    pub fn with_config(config: HubConfig, now: Now) -> Self {
        Self {
            hub: Hub::new(config, now),
            now,
            conns: BTreeMap::new(),
            inputs: 0,
            missing: 0,
        }
    }

    /// Takes the next line. Returns whether the rows are those of the recording: `false` only for a digest that
    /// differs.
    pub fn step(&mut self, line: &Line) -> bool {
        match &line.step {
            Step::Input(input) => self.input(input, line.now()),
            Step::Gap(inputs) => self.missing = self.missing.saturating_add(*inputs),
            Step::Digest(digest) => {
                self.pass(line.now());
                return self.missing > 0 || *self.digest() == **digest;
            }
        }
        true
    }

    /// Lets time pass: what is due is done exactly when it is due.
    pub fn pass(&mut self, now: Now) {
        while let Some(due_ms) = self.hub.poll_timeout().filter(|&due_ms| due_ms <= now.age_ms) {
            let passed_ms = due_ms.saturating_sub(self.now.age_ms);
            self.now = self.now.after(passed_ms);
            self.hub.handle_timeout(self.now);
            self.drain();
        }
        self.now = Now {
            age_ms: now.age_ms.max(self.now.age_ms),
            wall_ms: now.wall_ms,
        };
    }

    /// Hands the input in.
    pub fn input(&mut self, input: &Input, now: Now) {
        self.inputs += 1;
        if matches!(input, Input::Wake) {
            self.now = Now {
                age_ms: now.age_ms.max(self.now.age_ms),
                wall_ms: now.wall_ms,
            };
            self.hub.handle_timeout(self.now);
            return self.drain();
        }
        self.pass(now);
        let now = self.now;
        let conn = |serial: &u64| self.conns.get(serial).copied();
        match input {
            Input::Join(serial, joined) => {
                let conn = self.hub.join(joined.handshake(), now);
                self.conns.insert(*serial, conn);
            }
            Input::Leave(serial, cause) => {
                let cause = match &**cause {
                    "closed" => LeaveCause::PeerClosed,
                    "silent" => LeaveCause::Silent,
                    _ => LeaveCause::WeClosed,
                };
                if let Some(conn) = self.conns.remove(serial) {
                    self.hub.leave(conn, cause, now);
                }
            }
            Input::Pong(serial) => {
                if let Some(conn) = conn(serial) {
                    self.hub.pong(conn, now);
                }
            }
            Input::Call(serial, method, params) => {
                let frame = json!({ "type": "req", "id": "1", "method": method, "params": params });
                if let (Some(conn), Ok(request)) = (conn(serial), Request::parse(&json_text(&frame))) {
                    self.hub.call(conn, &request, now);
                }
            }
            Input::Shutdown => self.hub.shutdown("gateway stopping", now),
            Input::Wake => {}
        }
        self.drain();
    }

    /// Nobody is there to be sent anything.
    fn drain(&mut self) {
        while self.hub.poll_output().is_some() {}
        if self.hub.awaits_sent() {
            self.hub.handle_sent(self.now);
        }
    }

    /// The rows, newest first.
    pub fn list(&mut self) -> Vec<PresenceEntry> {
        let list = self.hub.list(self.now);
        self.drain();
        list
    }

    /// The digest of the rows.
    pub fn digest(&mut self) -> String {
        self.hub.own_digest().to_hex()
    }

    /// The moment that is reached.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Inputs so far.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Inputs so far that were not recorded; with any, the rows are a guess.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }
}

fn json_text(value: &serde_json::Value) -> String {
    alloc::string::ToString::to_string(value)
}
