//! Broadcasts of changes to readers (SPEC 2).

use alloc::sync::Arc;

use super::member::Member;
use super::sending::Sending;
use super::{ConnId, Hub, HubOutput};
use crate::model::time::Now;
use crate::server::Item;
use crate::wire::EventFrame;

impl Hub {
    /// Announces a change: at once after a quiet window, else when the window ends (SPEC 2).
    pub(super) fn announce(&mut self, now: Now) {
        if self.is_shut_down {
            return;
        }
        self.remove_gone_nodes();
        if now.age_ms < self.sending.holds_until_ms() {
            return;
        }
        self.broadcast_nodes(now);
        let is_changed = |hub: &Self| hub.version() != hub.announced_version;
        if !is_changed(self) {
            self.broadcast_touches(now);
        }
        // Touches can reveal a change.
        if is_changed(self) && now.age_ms >= self.window_ends_ms {
            self.broadcast(now);
            self.window_ends_ms = now.age_ms.saturating_add(self.config.limits.window_ms);
            self.sending = Sending::start(now);
        }
        if self.own_rows_at_ms.is_some_and(|at_ms| at_ms <= now.age_ms) {
            self.send_own_rows(true, now);
        }
    }

    /// Sends the change to every reader that does not have this version, in slot order: the list,
    /// or the delta, each encoded once.
    pub(super) fn broadcast(&mut self, now: Now) {
        self.sync(now);
        let from = self.announced_version;
        let version = self.version();
        self.announced_version = version;
        self.send_own_rows(false, now);
        let lacks = |member: &Member| member.reads && !member.sees_own && member.has_version < version;
        let lists_wanted = |hides: bool| {
            move |(_, member): (ConnId, &Member)| {
                lacks(member) && !member.takes_deltas && member.hides == hides
            }
        };
        let is_list_wanted = self.members.iter().any(lists_wanted(false));
        let is_hidden_list_wanted = self.members.iter().any(lists_wanted(true));
        let is_delta_wanted = (self.members.iter()).any(|(_, member)| lacks(member) && member.takes_deltas);
        let list = is_list_wanted.then(|| Arc::new(self.presence_event(false, now)));
        let hidden_list = is_hidden_list_wanted.then(|| Arc::new(self.presence_event(true, now)));
        let delta = is_delta_wanted.then(|| self.delta_item(from, now));
        let followed = delta.as_ref().filter(|_| self.hidden.has_followers()).cloned();
        let hidden_delta = followed.map(|delta| self.hidden_item(&delta, now));
        self.counts.lists += u64::from(list.is_some() || hidden_list.is_some());
        self.counts.deltas += u64::from(delta.is_some());
        for (conn, member) in self.members.iter_mut() {
            if !lacks(member) {
                continue;
            }
            let (list, delta) = if member.hides {
                (&hidden_list, &hidden_delta)
            } else {
                (&list, &delta)
            };
            let item = match (member.takes_deltas, list, delta) {
                (false, Some(list), _) => Item::Presence(list.clone()),
                (true, _, Some(delta)) => delta.clone(),
                _ => continue,
            };
            member.has_version = version;
            self.outputs.push_back(HubOutput::Send(conn, item));
        }
    }

    /// The `presence` event.
    fn presence_event(&mut self, hides: bool, now: Now) -> EventFrame {
        let list = self.list_for(hides, now);
        EventFrame::presence("presence", list).with_state_version(&self.state_version())
    }
}
