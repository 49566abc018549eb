//! Faults of a world's gateway: restarts, crashes, suspensions, clocks.

use presence_core::fleet::{SourceId, SourceUpdate};
use presence_core::model::RawEntry;
use presence_core::server::{Hub, HubConfig, HubOutput, LeaveCause, Outbox};
use presence_core::wire::Limits;
use presence_core::{Now, model::scope};
use serde_json::Value;

use super::World;
use crate::virtual_hub;

/// A new gateway process.
pub(super) fn hub(config: &HubConfig, sources: &[Box<str>], now: Now) -> Hub {
    let mut hub = Hub::new(config.clone(), now);
    hub.observe(sources.to_vec(), now).unwrap();
    hub
}

/// A gateway's list, as a client that takes deltas gets it.
#[derive(Debug)]
pub struct Listed {
    /// The rows.
    pub rows: Vec<RawEntry>,
    /// Their digest.
    pub digest: String,
}

impl World {
    /// The gateway process is stopped by a signal, and replaced by a new one.
    pub fn restart_gateway(&mut self, down_ms: u64) {
        self.stop_gateway();
        self.pass(down_ms);
        self.start_gateway();
    }

    /// The gateway process is killed, and replaced by a new one: its sockets fail, and it says nothing.
    pub fn kill_gateway(&mut self, down_ms: u64) {
        self.crash_gateway();
        self.pass(down_ms);
        self.start_gateway();
    }

    /// The gateway process is stopped by a signal.
    pub fn stop_gateway(&mut self) {
        self.hub.shutdown("gateway restarting", self.now);
        self.settle();
        self.crash_gateway();
    }

    /// The gateway process is killed: its sockets fail, and it says nothing.
    pub fn crash_gateway(&mut self) {
        let now = self.now;
        for line in &mut self.lines {
            // The end of a connection to this gateway removes no client from the next gateway's roster.
            line.conn = None;
            line.is_over = true;
            line.fail(now);
        }
        self.is_up = false;
        self.settle();
    }

    /// A new gateway process starts; it has no rows.
    pub fn start_gateway(&mut self) {
        self.hub = hub(&self.config, &self.sources, self.now);
        self.is_up = true;
        self.settle();
    }

    /// Only the gateway's wall clock is stepped by this many ms.
    pub fn step_gateway(&mut self, ms: i64) {
        self.now.wall_ms = self.now.wall_ms.saturating_add_signed(ms);
        for peer in &mut self.peers {
            peer.ahead.1 -= ms;
        }
    }

    /// The gateway's machine wakes up: its timers come first, then what waited in its sockets.
    pub fn wake_gateway(&mut self) {
        self.is_suspended = false;
        self.fire();
    }

    /// An observed gateway said something.
    pub fn apply(&mut self, source: SourceId, update: SourceUpdate) {
        self.hub.apply(source, update, self.now);
        self.settle();
    }

    /// The list that the gateway sends a client that connects now. The client makes no row, and leaves at once.
    ///
    /// # Panics
    /// If the gateway sends none.
    pub fn read_list(&mut self) -> Listed {
        let mut handshake = virtual_hub::handshake("reader", "cli", &[scope::READ], 0);
        handshake.caps = vec!["presence-delta".into()];
        let conn = self.hub.join(handshake, self.now);
        let mut outbox = Outbox::new(Limits::default().buffered_bytes);
        while let Some(output) = self.hub.poll_output() {
            match output {
                HubOutput::Send(to, item) if to == conn => outbox.push(item).unwrap(),
                other => self.obey_hub(other),
            }
        }
        self.hub.leave(conn, LeaveCause::PeerClosed, self.now);
        self.settle();
        let hello: Value = serde_json::from_str(&outbox.pop().unwrap().to_string()).unwrap();
        let snapshot = &hello["payload"]["snapshot"];
        Listed {
            rows: RawEntry::parse_list(&snapshot["presence"].to_string()).unwrap(),
            digest: snapshot["digest"].as_str().unwrap().into(),
        }
    }
}
