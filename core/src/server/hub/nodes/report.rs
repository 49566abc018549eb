//! `node.event`: reports of nodes about their presence.

use serde_json::{Value, json};

use super::{Activity, ConnId, Hub, LastSeen, NodeKey};
use crate::model::time::Now;
use crate::wire::{NodeEvent, NodeReport};

/// `node.presence.alive` counts once per this time and device, in ms.
const ALIVE_INTERVAL_MS: u64 = 60_000;

/// Whether a report is handled, and why.
type Verdict = (bool, &'static str);

const STALE: Verdict = (false, "stale_connection");
const UNVERIFIED: Verdict = (false, "missing_device_identity");

impl Hub {
    /// `node.event`.
    pub(in crate::server::hub) fn node_event(&mut self, slot: u32, event: &NodeEvent, now: Now) -> Value {
        let (is_handled, reason) = match event.report {
            None => (false, "presence-only gateway"),
            Some(NodeReport::Invalid) => (false, "invalid_payload"),
            Some(NodeReport::Alive(trigger)) => self.node_is_alive(slot, trigger, now),
            Some(NodeReport::Idle(seconds)) => self.node_activity(slot, Some(seconds), now),
            Some(NodeReport::Clear) => self.node_activity(slot, None, now),
        };
        json!({ "ok": true, "event": event.event, "handled": is_handled, "reason": reason })
    }

    fn node_is_alive(&mut self, slot: u32, trigger: &'static str, now: Now) -> Verdict {
        let Some(member) = self.members.get(slot) else {
            return UNVERIFIED;
        };
        let (Some(key @ NodeKey::Device(_)), serial) = (member.node.clone(), member.serial) else {
            return UNVERIFIED;
        };
        self.refresh_row(slot, now);
        let Some(node) = self.nodes.connected.get_mut(&key) else {
            return UNVERIFIED;
        };
        let is_early = |at_ms: u64| now.age_ms < at_ms.saturating_add(ALIVE_INTERVAL_MS);
        if node.alive_ms.is_some_and(is_early) {
            return (true, "throttled");
        }
        node.alive_ms = Some(now.age_ms);
        node.last_seen = Some(LastSeen {
            at_ms: now.age_ms,
            reason: trigger,
            serial,
        });
        (true, "persisted")
    }

    /// The last input of a node's row; `None` clears it.
    fn node_activity(&mut self, slot: u32, idle_seconds: Option<u64>, now: Now) -> Verdict {
        let Some(member) = self.members.get(slot) else {
            return STALE;
        };
        if !member.handshake.may_report_input {
            return (false, "permission_required");
        }
        let serial = member.serial;
        let node = member.node.as_ref().and_then(|key| self.nodes.connected.get(key));
        if !node.is_some_and(|node| node.is_newest(serial)) {
            return STALE;
        }
        self.refresh_row(slot, now);
        // With its current row it may be another node.
        let Some(member) = self.members.get(slot) else {
            return STALE;
        };
        let (Some(key), row) = (member.node.clone(), member.row) else {
            return STALE;
        };
        let Some(node) = self.nodes.connected.get_mut(&key) else {
            return STALE;
        };
        let activity = idle_seconds.map(|idle_seconds| Activity {
            reported_ms: now.age_ms,
            idle_seconds,
            conn: ConnId { slot, serial },
        });
        let before = core::mem::replace(&mut node.activity, activity);
        let had_input = row.and_then(|row| self.roster.report_input(row, serial, idle_seconds, now));
        if let Some(before) = before
            && let Some(member) = self.members.get(before.conn.slot)
            && let Some(other) = member.row.filter(|other| Some(*other) != row)
        {
            self.roster.withdraw_input(other, before.conn.serial, now);
        }
        let was_active = before.is_some() || had_input == Some(true);
        if was_active || activity.is_some() {
            self.nodes.note(&key);
        }
        let reason = match (activity, was_active) {
            (Some(_), _) => "updated",
            (None, true) => "cleared",
            (None, false) => "already_clear",
        };
        (true, reason)
    }
}
