//! This gateway's own rows, for gateways that observe it (SPEC 7). A merged row would return from such a gateway as
//! its own, and keep an instance alive that left both gateways.

use alloc::sync::Arc;

use super::deltas::TOUCH_INTERVAL_MS;
use super::{Hub, HubOutput};
use crate::model::time::Now;
use crate::server::Item;
use crate::wire::EventFrame;

impl Hub {
    /// Interval at which observers are sent the own rows, in ms: several times within the TTL, or rows would expire.
    pub(super) fn own_rows_interval_ms(&self) -> u64 {
        TOUCH_INTERVAL_MS.min(self.config.ttl_ms / 4).max(1)
    }

    /// Whether the member in that slot sees this gateway's own rows only.
    pub(super) fn sees_own(&self, slot: u32) -> bool {
        self.members.get(slot).is_some_and(|member| member.sees_own)
    }

    /// The version of the rows that a member is sent.
    pub(super) fn version_for(&self, sees_own: bool) -> u64 {
        if sees_own {
            self.roster.version()
        } else {
            self.version()
        }
    }

    /// The `presence.snapshot` event of the own rows.
    pub(super) fn own_rows_event(&mut self, hides: bool, now: Now) -> EventFrame {
        let list = self.own_snapshot_for(hides, now);
        EventFrame::presence("presence.snapshot", list).with_state_version(&self.state_version())
    }

    /// Sends the own rows to members that see only these and lack their version; if `is_due`, to all such members,
    /// because pongs may have moved the `ts` of rows.
    pub(super) fn send_own_rows(&mut self, is_due: bool, now: Now) {
        if self.own_rows_at_ms.is_none() {
            return;
        }
        let version = self.roster.version();
        let (mut is_any, mut is_wanted, mut is_hidden_wanted) = (false, false, false);
        for (_, member) in self.members.iter().filter(|(_, member)| member.sees_own) {
            is_any = true;
            let is_owed = is_due || member.has_version < version;
            is_wanted |= is_owed;
            is_hidden_wanted |= is_owed && member.hides;
        }
        if is_due || !is_any {
            self.own_rows_at_ms = is_any.then(|| now.age_ms.saturating_add(self.own_rows_interval_ms()));
        }
        if !is_wanted {
            return;
        }
        let event = Arc::new(self.own_rows_event(false, now));
        let hidden = is_hidden_wanted.then(|| Arc::new(self.own_rows_event(true, now)));
        for (conn, member) in self.members.iter_mut() {
            if member.sees_own && (is_due || member.has_version < version) {
                member.has_version = version;
                let event = hidden.as_ref().filter(|_| member.hides).unwrap_or(&event);
                self.outputs
                    .push_back(HubOutput::Send(conn, Item::Presence(event.clone())));
            }
        }
    }
}
