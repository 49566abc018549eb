//! The part of the driver that answers plain HTTP.

use presence_core::Now;
use presence_core::server::{ConnId, Hub, Item, LeaveCause};

use super::Driver;
use crate::auth::tokens::Closable as _;
use crate::conn::{HttpAnswer, HttpCall, Subscription};
use crate::metrics::Leave;
use crate::recording::Raw;
use crate::web::is_known_tag;

impl Driver {
    /// Answers a request of plain HTTP.
    pub(super) fn answer_http(&mut self, call: HttpCall, now: Now) -> HttpAnswer {
        match call {
            HttpCall::List(known, hides) => list(&mut self.hub, known.as_deref(), hides, now),
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
            HttpCall::Subscribe(handshake, last_id, stream) => {
                let recorded = self.tap.as_ref().map(|_| handshake.clone());
                let class = self.classes(std::slice::from_ref(&*handshake)).pop();
                let conn = self.hub.subscribe(*handshake, last_id.as_deref(), now);
                self.record(now, || {
                    recorded.map(|handshake| Raw::Join(conn.serial, handshake))
                });
                stream.joined(conn);
                self.streams.insert(conn, stream);
                self.note_join(conn, class);
                HttpAnswer::Subscribed(self.hub.event_ids(conn))
            }
        }
    }

    /// Handles the end of a stream.
    pub(super) fn unsubscribe(&mut self, stream: &Subscription, now: Now) {
        let close = stream.close_frame();
        let (cause, reason) = match &close {
            Some(close) => (LeaveCause::WeClosed, Leave::with_close(close)),
            None => (LeaveCause::PeerClosed, Leave::Client),
        };
        if let Some(conn) = stream.conn() {
            self.leave_stream(conn, cause, reason, now);
        }
    }

    /// Queues an item for a stream, except responses and droppable events, which a stream does not have.
    pub(super) fn send_to_stream(&mut self, conn: ConnId, item: Item, now: Now) {
        let Some(stream) = self.streams.get(&conn).cloned() else {
            return;
        };
        match item {
            Item::Close(close) => {
                let reason = Leave::with_close(&close);
                stream.close(close);
                self.leave_stream(conn, LeaveCause::WeClosed, reason, now);
            }
            Item::Response(_) | Item::Droppable(_) => {}
            item => {
                stream.push(item);
                if stream.take_behind() {
                    self.hub.resync(conn, now);
                }
                self.mark(conn, now);
            }
        }
    }

    /// A stream has no pongs: if its client is gone, writing to it stalls.
    pub(super) fn answer_for_stream(&mut self, conn: ConnId, now: Now) {
        if self.streams.contains_key(&conn) {
            self.record(now, || Some(Raw::Pong(conn.serial)));
            self.hub.pong(conn, now);
        }
    }

    /// Removes the stream; the consequences are among the hub's next outputs.
    fn leave_stream(&mut self, conn: ConnId, cause: LeaveCause, reason: Leave, now: Now) {
        if self.streams.remove(&conn).is_some() {
            self.note_leave(conn, reason);
            self.record(now, || Some(Raw::Leave(conn.serial, cause)));
            self.hub.leave(conn, cause, now);
        }
    }
}

fn list(hub: &mut Hub, known: Option<&str>, hides: bool, now: Now) -> HttpAnswer {
    let tag = hub.list_tag(hides, now);
    let list = (!is_known_tag(&tag, known)).then(|| hub.polled_list(hides, now));
    HttpAnswer::List(tag, list)
}
