//! The hub's part of plain HTTP: the polled list, a stream of deltas, and beacons without a connection.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{ConnId, Hub, HubOutput, LeaveCause};
use crate::model::SharedText;
use crate::model::time::Now;
use crate::server::{Handshake, Item};
use crate::wire::{CloseFrame, EventFrame, Request, WireError};

/// The mode of a connection that only sends a beacon: it never makes a row of its own.
pub const BEACON_MODE: &str = "beacon";
/// How long the tag of a list is valid without a new version, in ms: pongs move `ts` without a version.
const STEP_MS: u64 = 30_000;

impl Hub {
    /// The entity tag of the list, with addresses or without: it changes with the version, and every 30 s.
    pub fn list_tag(&mut self, hides_addresses: bool, now: Now) -> Box<str> {
        self.advance(now);
        self.sync(now);
        let (boot_id, version, step) = (&self.config.boot_id, self.version(), now.age_ms / STEP_MS);
        let kind = if hides_addresses { "-hidden" } else { "" };
        let tag = format!("W/\"{boot_id}-{version}-{step}{kind}\"");
        self.announce(now);
        tag.into()
    }

    /// The list as standard clients get it, with addresses or without.
    pub fn polled_list(&mut self, hides_addresses: bool, now: Now) -> SharedText {
        self.advance(now);
        let list = self.list_for(hides_addresses, now);
        self.announce(now);
        list
    }

    /// The prefix of the ids of events for this connection; `-` and the version that an event leads to follow.
    #[must_use]
    pub fn event_ids(&self, conn: ConnId) -> Box<str> {
        self.ids(self.hides(conn.slot)).into()
    }

    /// With addresses and without, rows and keys differ: a reader of one kind cannot continue as the other one.
    fn ids(&self, hides: bool) -> String {
        let kind = if hides { "-hidden" } else { "" };
        [&*self.config.boot_id, kind].concat()
    }

    /// Adds a reader of deltas, which gets no hello: first it is sent the snapshot, or the deltas since its last event
    /// if they are kept.
    pub fn subscribe(&mut self, handshake: Handshake, last_id: Option<&str>, now: Now) -> ConnId {
        self.advance(now);
        self.sync(now);
        let conn = self.admit(handshake, now);
        if self.is_shut_down {
            let close = Item::Close(CloseFrame::SERVICE_RESTART);
            self.outputs.push_back(HubOutput::Send(conn, close));
            return conn;
        }
        let hides = self.hides(conn.slot);
        match last_id.and_then(|id| self.known_since(id, hides)) {
            Some((has_version, deltas)) => {
                if hides {
                    self.record_hidden_rows(now);
                }
                if let Some(member) = self.members.get_mut(conn.slot) {
                    member.has_version = has_version;
                }
                for delta in deltas {
                    self.outputs.push_back(HubOutput::Send(conn, Item::Delta(delta)));
                }
                self.announce(now);
            }
            None => self.resync(conn, now),
        }
        conn
    }

    /// The deltas since the state of this event id, and the version that they lead to; `None` if the kept deltas lack a
    /// change or a touch since then. Deltas without addresses are not kept.
    fn known_since(&self, id: &str, hides: bool) -> Option<(u64, Vec<Arc<EventFrame>>)> {
        let version = id.strip_prefix(&*self.ids(hides))?.strip_prefix('-')?;
        let version = version.parse().ok()?;
        if version == self.version() {
            return self
                .recent
                .has_touches_since(version)
                .then(|| (version, Vec::new()));
        }
        let recent = self.recent.since(version).filter(|_| !hides);
        recent.filter(|(last, _)| *last == self.announced_version)
    }

    /// A connection that joins, sends one beacon and leaves in one call. It gets no other output.
    ///
    /// # Errors
    /// The refusal of the request.
    pub fn visit(
        &mut self,
        handshake: Handshake,
        beacon: &Request,
        now: Now,
    ) -> (ConnId, Result<(), WireError>) {
        self.advance(now);
        let conn = self.admit(handshake, now);
        let result = self.execute(conn.slot, beacon, now);
        self.remove(conn, LeaveCause::PeerClosed, now);
        self.announce(now);
        (conn, result.map(drop))
    }
}
