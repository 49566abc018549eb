//! The outputs of a call of the hub.

use std::collections::BTreeSet;

use presence_core::server::{ConnId, HubOutput, Item};
use serde_json::Value;

use super::{Event, World};

impl World {
    /// Takes the hub's outputs as a shell does, then what the event itself proves of `about`.
    pub(super) fn finish_call(&mut self, about: Option<(ConnId, Event)>) {
        let mut pinged = BTreeSet::new();
        let has_woken = std::mem::take(&mut self.has_just_woken);
        let asked: Vec<ConnId> = self.peers.keys().copied().collect();
        if has_woken {
            let until = self.now.age_ms + self.window_ms();
            for known in self.known.values_mut().filter(|known| known.live > 0) {
                known.asked_until = Some(until);
            }
        }
        while let Some(output) = self.hub.poll_output() {
            match output {
                HubOutput::Ping(conn) => {
                    pinged.insert(conn);
                    self.answer_ping(conn);
                }
                HubOutput::Drop(conn, close) => {
                    assert_eq!(close.reason, "ping timeout");
                    self.dropped += 1;
                    self.closed(conn, false);
                }
                HubOutput::Send(conn, Item::Presence(frame)) if conn == self.reader => {
                    self.read(&(frame.segments().concat() + "}"), "/payload/presence");
                }
                HubOutput::Send(conn, Item::Response(frame)) if conn == self.reader => {
                    let text = frame.to_string();
                    if text.contains("hello-ok") {
                        self.read(&text, "/payload/snapshot/presence");
                    } else {
                        assert!(text.contains(r#""ok":true"#), "{text}");
                    }
                }
                HubOutput::Send(..) => {}
                other => panic!("{other:?}"),
            }
        }
        if has_woken {
            for conn in asked {
                assert!(
                    pinged.contains(&conn),
                    "{conn:?} is not asked after the suspension"
                );
            }
        }
        match about {
            Some((conn, Event::Pong(_))) => {
                if let Some(peer) = self.peers.get(&conn) {
                    self.known
                        .get_mut(&peer.instance)
                        .unwrap()
                        .written(self.now, true);
                }
            }
            Some((conn, _)) => self.closed(conn, true),
            None => {}
        }
    }

    pub(super) fn answer_ping(&mut self, conn: ConnId) {
        let Some(peer) = self.peers.get(&conn) else { return };
        if self.now.age_ms < peer.silent_from {
            let in_ms = self.rng.within(0..=self.window_ms() / 2);
            self.plan(in_ms, Event::Pong(conn));
        }
    }

    pub(super) fn closed(&mut self, conn: ConnId, is_proof: bool) {
        let Some(peer) = self.peers.remove(&conn) else {
            return;
        };
        assert_ne!(conn, self.reader, "the reader always answers");
        let known = self.known.get_mut(&peer.instance).unwrap();
        known.live -= 1;
        if known.live == 0 {
            known.written(self.now, is_proof);
        }
    }

    pub(super) fn read(&mut self, text: &str, list: &str) {
        let frame: Value = serde_json::from_str(text).unwrap();
        let rows = frame.pointer(list).unwrap().as_array().unwrap();
        self.seen = rows
            .iter()
            .map(|row| row["instanceId"].as_str().unwrap().to_owned())
            .collect();
        assert!(self.seen.remove("the-gateway"));
    }
}
