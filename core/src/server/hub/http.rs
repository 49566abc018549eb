//! What plain HTTP asks of the hub: the list for those who poll, and beacons of those who do not stay.

use alloc::boxed::Box;
use alloc::format;

use super::{ConnId, Hub, HubOutput, LeaveCause};
use crate::model::SharedText;
use crate::model::time::Now;
use crate::server::{Handshake, Item};
use crate::wire::{Request, ResponseFrame, WireError};

/// The mode of a connection that only brings a beacon: it never makes a row of its own.
pub const BEACON_MODE: &str = "beacon";
/// How long a polled list stands while no version changes, in ms: pongs move `ts` without one.
const STEP_MS: u64 = 30_000;

impl Hub {
    /// The entity tag of the list: it changes with the version, and every 30 s.
    pub fn list_tag(&mut self, now: Now) -> Box<str> {
        self.advance(now);
        self.sync(now);
        let (boot_id, version, step) = (&self.config.boot_id, self.version(), now.age_ms / STEP_MS);
        let tag = format!("W/\"{boot_id}-{version}-{step}\"");
        self.announce(now);
        tag.into()
    }

    /// The list as standard clients get it.
    pub fn polled_list(&mut self, now: Now) -> SharedText {
        self.advance(now);
        let list = self.encode_list(now);
        self.announce(now);
        list
    }

    /// A connection that joins, makes one request and leaves, all at once. It is never put out to.
    pub fn visit(&mut self, handshake: Handshake, request: &Request, now: Now) -> (ConnId, ResponseFrame) {
        self.advance(now);
        let conn = self.admit(handshake, now);
        let answer = match self.answer(conn, request, now) {
            HubOutput::Send(_, Item::Response(answer)) => answer,
            // The shell would answer it later.
            _ => ResponseFrame::error(&request.id, &WireError::unavailable("not over plain HTTP")),
        };
        self.remove(conn, LeaveCause::PeerClosed, now);
        self.announce(now);
        (conn, answer)
    }
}
