//! Deltas for clients that request them (SPEC 2.1). All other clients get standard frames only.

use alloc::sync::Arc;

use super::{ConnId, Hub, HubOutput};
use crate::model::time::Now;
use crate::server::Item;
use crate::wire::EventFrame;

/// Shortest interval of touches that no other delta carries, in ms.
pub(super) const TOUCH_INTERVAL_MS: u64 = 60_000;

impl Hub {
    /// Sends the whole state as one `presence.snapshot` event to a connection for which deltas were dropped
    /// because it reads slowly
    /// ([`Outbox::take_behind`](crate::server::Outbox::take_behind)).
    pub fn resync(&mut self, conn: ConnId, now: Now) {
        self.advance(now);
        if self.members.holds(conn) && !self.is_shut_down {
            let (sees_own, hides) = (self.sees_own(conn.slot), self.hides(conn.slot));
            let event = if sees_own {
                self.own_rows_event(hides, now)
            } else {
                self.snapshot_event(hides, now)
            };
            let version = self.version_for(sees_own);
            if let Some(member) = self.members.get_mut(conn.slot) {
                member.has_version = version;
            }
            self.outputs
                .push_back(HubOutput::Send(conn, Item::Presence(Arc::new(event))));
        }
        self.announce(now);
    }

    /// The `presence.snapshot` event.
    pub(super) fn snapshot_event(&mut self, hides: bool, now: Now) -> EventFrame {
        let list = self.snapshot_for(hides, now);
        EventFrame::presence("presence.snapshot", list).with_state_version(&self.state_version())
    }

    /// All changes since the last one: a `presence.delta` event, or the `presence.snapshot` event if that is
    /// smaller.
    pub(super) fn delta_item(&mut self, from: u64, now: Now) -> Item {
        let is_beyond = self.is_beyond_deltas();
        let delta = self.delta_event(from, now);
        // Encoded only if it may be smaller, because encoding takes a walk over all rows.
        let may_exceed = delta.len() > self.min_list_bytes();
        if is_beyond || may_exceed {
            let snapshot = self.snapshot_event(false, now);
            if is_beyond || snapshot.len() < delta.len() {
                self.recent.restart(from);
                return Item::Presence(Arc::new(snapshot));
            }
        }
        let delta = Arc::new(delta);
        let to = self.version();
        if from < to {
            self.recent.push(from, to, &delta);
        } else {
            self.recent.restart(to);
        }
        Item::Delta(delta)
    }

    /// The `presence.delta` event: all changes since the last one.
    fn delta_event(&mut self, from: u64, now: Now) -> EventFrame {
        self.touch_at_ms = Some(now.age_ms.saturating_add(TOUCH_INTERVAL_MS));
        let payload = self.encode_delta(from, now);
        EventFrame::new("presence.delta", payload).with_state_version(&self.state_version())
    }

    /// Sends touches to delta clients, if no delta has carried them for the interval. If they include a change of the
    /// list, nothing is sent: the delta of the change will carry them.
    pub(super) fn broadcast_touches(&mut self, now: Now) {
        if self.touch_at_ms.is_none_or(|at_ms| at_ms > now.age_ms) {
            return;
        }
        self.sync(now);
        let version = self.version();
        if version != self.announced_version {
            // Another one of two rows of an instance is the fresher one now.
            return;
        }
        let item = self.delta_item(version, now);
        let hidden = self.hidden.has_followers().then(|| self.hidden_item(&item, now));
        for (conn, member) in self.members.iter() {
            if member.takes_deltas {
                let item = hidden.as_ref().filter(|_| member.hides).unwrap_or(&item);
                self.outputs.push_back(HubOutput::Send(conn, item.clone()));
            }
        }
    }

    pub(super) fn add_delta_member(&mut self, now: Now) {
        self.delta_members += 1;
        if self.delta_members == 1 {
            self.track_changes(true, now);
            self.touch_at_ms = Some(now.age_ms.saturating_add(TOUCH_INTERVAL_MS));
        }
    }

    pub(super) fn remove_delta_member(&mut self, now: Now) {
        self.delta_members -= 1;
        if self.delta_members == 0 {
            self.track_changes(false, now);
            self.touch_at_ms = None;
            self.recent.restart(self.version());
        }
    }
}
