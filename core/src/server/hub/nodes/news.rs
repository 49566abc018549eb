//! `node.presence`: readers are sent the newest activity of each node, some nodes per window.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde_json::json;

use super::super::HubOutput;
use super::super::sending::Sending;
use super::{Hub, NodeKey, Nodes};
use crate::model::json::json_text;
use crate::model::time::Now;
use crate::server::Item;
use crate::wire::EventFrame;

/// Most events of one window, counted per reader; the event of one node is sent to any number of readers.
pub(in crate::server::hub) const MAX_EVENTS: usize = 16_384;

/// Most disconnected nodes that wait for their event: nodes may connect, report and disconnect faster than the
/// windows send their events.
pub(in crate::server::hub) const MAX_ENDED: usize = 1_024;

/// Nodes with a change of activity that was not sent yet, with their ids.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    /// The nodes of the current turn, which are sent before those in `noted`.
    due: BTreeMap<NodeKey, Box<str>>,
    noted: BTreeMap<NodeKey, Box<str>>,
    /// The time of the next event, on the age clock.
    window_ends_ms: u64,
}

impl News {
    pub(super) fn len(&self) -> usize {
        self.due.len() + self.noted.len()
    }

    fn remove(&mut self, key: &NodeKey) {
        self.due.remove(key);
        self.noted.remove(key);
    }

    fn next(&mut self) -> Option<(NodeKey, Box<str>)> {
        if self.due.is_empty() {
            core::mem::swap(&mut self.due, &mut self.noted);
        }
        self.due.pop_first()
    }
}

impl Nodes {
    /// When the next `node.presence` is sent, on the age clock.
    pub(in crate::server::hub) fn poll_timeout(&self) -> Option<u64> {
        (self.news.len() > 0).then_some(self.news.window_ends_ms)
    }

    /// Delays all events until this moment.
    pub(in crate::server::hub) fn extend_window(&mut self, until_ms: u64) {
        self.news.window_ends_ms = self.news.window_ends_ms.max(until_ms);
    }

    /// Notes a change of the node's activity.
    pub(super) fn note(&mut self, key: &NodeKey) {
        if self.news.due.contains_key(key) || self.news.noted.contains_key(key) {
            return;
        }
        let newest = self.connected.get(key).and_then(|node| node.seats.last());
        if let Some(newest) = newest {
            let id = newest.description.id.clone();
            self.news.noted.insert(key.clone(), id);
        }
    }

    /// Handles the end of the node's last connection: its event waits, unless too many such nodes wait.
    pub(super) fn end_news(&mut self, key: &NodeKey) {
        if self.news.len() > self.connected.len() + MAX_ENDED {
            self.news.remove(key);
        }
    }

    /// Ends the activity that this connection reported. Called while the node has the connection.
    pub(super) fn end_activity(&mut self, key: &NodeKey, serial: u64) {
        let Some(node) = self.connected.get_mut(key) else {
            return;
        };
        let is_own = node
            .activity
            .is_some_and(|activity| activity.conn.serial == serial);
        if is_own {
            node.activity = None;
            self.note(key);
        }
    }
}

impl Hub {
    /// Sends `node.presence` of nodes whose activity changed to all readers: at once after a quiet window,
    /// else when the window ends. Nodes beyond what a window takes wait for the next.
    pub(in crate::server::hub) fn broadcast_nodes(&mut self, now: Now) {
        if self.nodes.news.len() == 0 || now.age_ms < self.nodes.news.window_ends_ms {
            return;
        }
        let readers = self.members.iter().filter(|(_, member)| member.reads).count();
        let most = MAX_EVENTS.checked_div(readers).unwrap_or(usize::MAX).max(1);
        let mut events = Vec::new();
        while events.len() < most
            && let Some((key, id)) = self.nodes.news.next()
        {
            let payload = self.node_presence(&key, &id);
            events.push(payload);
        }
        let is_any_hidden = self
            .members
            .iter()
            .any(|(_, member)| member.reads && member.hides);
        let hidden: Vec<_> = events
            .iter()
            .filter(|_| is_any_hidden)
            .map(|payload| {
                let hidden = self.hidden_payload(payload);
                Arc::new(EventFrame::new("node.presence", hidden))
            })
            .collect();
        let events: Vec<_> = events
            .into_iter()
            .map(|payload| Arc::new(EventFrame::new("node.presence", payload)))
            .collect();
        for (conn, member) in self.members.iter().filter(|(_, member)| member.reads) {
            for event in if member.hides { &hidden } else { &events } {
                self.outputs
                    .push_back(HubOutput::Send(conn, Item::Droppable(event.clone())));
            }
        }
        self.nodes.news.window_ends_ms = now.age_ms.saturating_add(self.config.limits.window_ms);
        if !self.awaits_sent() {
            self.sending = Sending::start(now);
        }
    }

    /// The payload of the `node.presence` event.
    fn node_presence(&self, key: &NodeKey, id: &str) -> String {
        let node = self.nodes.connected.get(key);
        let id = node
            .and_then(|node| node.seats.last())
            .map_or(id, |newest| &newest.description.id);
        let activity = node.and_then(|node| node.activity);
        json_text(&json!({
            "nodeId": id,
            "lastActiveAtMs": activity.map(|activity| self.last_active_ms(activity)),
            "presenceUpdatedAtMs": activity.map(|activity| self.wall_of(activity.reported_ms)),
        }))
    }
}
