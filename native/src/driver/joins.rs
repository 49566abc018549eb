//! The part of the driver that takes joins in together.

use std::sync::Arc;

use presence_core::Now;
use presence_core::server::Handshake;

use super::Driver;
use crate::conn::{Event, Input, MAX_EVENTS, Peer};
use crate::recording::Raw;

impl Driver {
    /// Handles the event. A join takes the joins that wait behind it along, so that the list in their hellos is
    /// encoded once: in a storm of connects that is most of the work.
    pub(super) fn handle_all(&mut self, event: Event, now: Now) {
        let mut joins = Vec::new();
        let mut next = Some(event);
        while let Some(event) = next.take() {
            match event {
                Event::Batch(peer, mut inputs) if matches!(*inputs, [Input::Join(_)]) => {
                    if let Some(Input::Join(handshake)) = inputs.pop() {
                        joins.push((peer, *handshake));
                    }
                    if joins.len() < MAX_EVENTS {
                        next = self.events.try_recv().ok();
                    }
                }
                event => {
                    self.join_all(std::mem::take(&mut joins), now);
                    self.handle(event, now);
                }
            }
        }
        self.join_all(joins, now);
    }

    fn join_all(&mut self, joins: Vec<(Arc<Peer>, Handshake)>, now: Now) {
        if joins.is_empty() {
            return;
        }
        let (peers, handshakes): (Vec<_>, Vec<_>) = joins.into_iter().unzip();
        let recorded = self.tap.as_ref().map(|_| handshakes.clone());
        let classes = self.classes(&handshakes);
        let conns = self.hub.join_all(handshakes, now);
        for (conn, handshake) in conns.iter().zip(recorded.into_iter().flatten()) {
            self.record(now, || Some(Raw::Join(conn.serial, Box::new(handshake))));
        }
        for (index, (&conn, peer)) in conns.iter().zip(&peers).enumerate() {
            self.add(conn, peer, classes.get(index).copied());
        }
        self.execute(now);
        for peer in peers {
            self.flush_answers(&peer, now);
            peer.finish_batch(Vec::new());
        }
    }
}
