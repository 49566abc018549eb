//! The part of the driver that answers plain HTTP.

use presence_core::Now;
use presence_core::server::{Hub, LeaveCause};

use super::Driver;
use crate::conn::{HttpAnswer, HttpCall};
use crate::recording::Raw;
use crate::web::is_known_tag;

impl Driver {
    /// Answers a request of plain HTTP.
    pub(super) fn answer_http(&mut self, call: HttpCall, now: Now) -> HttpAnswer {
        match call {
            HttpCall::List(known) => list(&mut self.hub, known.as_deref(), now),
            HttpCall::Beacon(handshake, request) => {
                let recorded = self.tap.as_ref().map(|_| handshake.clone());
                let (conn, answer) = self.hub.visit(*handshake, &request, now);
                if let Some(handshake) = recorded {
                    self.record(now, || Some(Raw::Join(conn.serial, handshake)));
                    self.record(now, || Raw::call(conn.serial, request));
                    self.record(now, || Some(Raw::Leave(conn.serial, LeaveCause::PeerClosed)));
                }
                HttpAnswer::Beacon(answer)
            }
        }
    }
}

fn list(hub: &mut Hub, known: Option<&str>, now: Now) -> HttpAnswer {
    let tag = hub.list_tag(now);
    let list = (!is_known_tag(&tag, known)).then(|| hub.polled_list(now));
    HttpAnswer::List(tag, list)
}
