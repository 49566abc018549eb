//! The part of the driver that carries out the hub's outputs, in turns (see [`Unflushed`](super::unflushed::Unflushed)).

use std::sync::Arc;

use presence_core::Now;
use presence_core::server::{ConnId, HubOutput, Item, LeaveCause};
use presence_core::wire::CloseFrame;

use super::Driver;
use crate::conn::Peer;
use crate::metrics::Leave;
use crate::recording::Raw;

impl Driver {
    /// Carries out the hub's outputs.
    pub(super) fn execute(&mut self, now: Now) {
        while let Some(output) = self.hub.poll_output() {
            match output {
                HubOutput::Send(conn, item) => self.send(conn, item, now),
                HubOutput::History(conn, id, query) => self.query_history(conn, &id, query, now),
                HubOutput::Ping(conn) => {
                    if let Some(peer) = self.peer(conn) {
                        peer.ping();
                        self.mark(conn, now);
                    } else {
                        self.answer_for_stream(conn, now);
                    }
                }
                HubOutput::Drop(conn, close) => {
                    if let Some(peer) = self.remove(conn, Leave::Silent) {
                        peer.close(close);
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn send(&mut self, conn: ConnId, item: Item, now: Now) {
        let Some(peer) = self.peer(conn) else {
            return self.send_to_stream(conn, item, now);
        };
        let is_delta = matches!(item, Item::Delta(_));
        if let Item::Close(close) = item {
            self.close(conn, &peer, close, now);
        } else if peer.push(item).is_err() {
            self.close(conn, &peer, CloseFrame::SLOW_CONSUMER, now);
        } else {
            if is_delta && peer.take_behind() {
                // The next outputs include a snapshot for it.
                self.hub.resync(conn, now);
            }
            self.mark(conn, now);
        }
    }

    /// Closes the connection. Its task writes what is left.
    fn close(&mut self, conn: ConnId, peer: &Peer, close: CloseFrame, now: Now) {
        let reason = Leave::with_close(&close);
        peer.close(close);
        self.leave(conn, LeaveCause::WeClosed, reason, now);
    }

    /// Removes the connection; the consequences are among the hub's next outputs.
    pub(super) fn leave(&mut self, conn: ConnId, cause: LeaveCause, reason: Leave, now: Now) {
        if self.remove(conn, reason).is_some() {
            self.record(now, || Some(Raw::Leave(conn.serial, cause)));
            self.hub.leave(conn, cause, now);
        }
    }

    fn remove(&mut self, conn: ConnId, reason: Leave) -> Option<Arc<Peer>> {
        let place = self.peers.get_mut(conn.slot as usize)?;
        let (_, peer) = place.take_if(|(id, _)| *id == conn)?;
        self.note_leave(conn, reason);
        Some(peer)
    }

    /// The connection has output.
    pub(super) fn mark(&mut self, conn: ConnId, now: Now) {
        if let Some(before) = self.unflushed.mark(conn) {
            self.write(before, now);
        }
    }

    /// No connection gets more output for now.
    pub(super) fn flush(&mut self, now: Now) {
        if let Some(conn) = self.unflushed.complete() {
            self.write(conn, now);
        }
    }

    /// Writes the answers to a connection ahead of what waits.
    pub(super) fn flush_answers(&mut self, peer: &Peer, now: Now) {
        self.flush(now);
        self.unflushed.write_ahead(|| peer.flush(now));
    }

    /// A new turn: writes what waits until the turn is over.
    pub(super) fn flush_waiting(&mut self, now: Now) {
        self.hub.resume_sending(now);
        self.unflushed.start_turn();
        while let Some(conn) = self.unflushed.next_waiting() {
            self.write(conn, now);
        }
    }

    /// Writes everything that waits.
    pub(super) fn flush_all(&mut self, now: Now) {
        self.flush(now);
        while self.unflushed.has_waiting() {
            self.flush_waiting(now);
        }
    }

    /// Notes in the hub whether its broadcast is sent.
    pub(super) fn report_sending(&mut self) {
        if !self.hub.awaits_sent() {
            return;
        }
        let now = self.clock.now();
        if self.unflushed.has_waiting() {
            self.hub.pause_sending(now);
        } else {
            self.hub.handle_sent(now);
            self.meter_fanout();
        }
    }

    /// Writes as much as the socket takes; nothing, if the connection is gone.
    fn write(&mut self, conn: ConnId, now: Now) {
        let bytes = match self.peer(conn) {
            Some(peer) => peer.flush(now),
            None => self.streams.get(&conn).map_or(0, |stream| stream.flush()),
        };
        self.unflushed.note(bytes);
    }
}
