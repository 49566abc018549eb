//! Timers of the hub: pings and pongs, ticks, the coalescing window, suspension.

use alloc::sync::Arc;

use super::member::Heartbeat;
use super::{ConnId, Hub, HubOutput, LeaveCause};
use crate::model::time::Now;
use crate::server::Item;
use crate::wire::{CloseFrame, EventFrame};

/// A timer that is later than this, in ms, means that the machine was suspended (SPEC 1.5).
const SUSPENSION_MS: u64 = 30_000;

impl Hub {
    /// Handles deadlines: expiry, pings, ticks, the coalescing window. Early or repeated calls do nothing.
    pub fn handle_timeout(&mut self, now: Now) {
        self.advance(now);
        self.announce(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), on `Now::age_ms`. `None` without
    /// deadlines.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        if self.is_shut_down {
            return None;
        }
        // A pending change carries the touches, so they are sent alone only without one.
        let is_changed = self.version() != self.announced_version;
        let announce_ms = is_changed.then_some(self.window_ends_ms);
        let touch_ms = self.touch_at_ms.filter(|_| !is_changed);
        let held_ms = self.sending.holds_until_ms();
        let sends = [
            announce_ms,
            touch_ms,
            self.nodes.poll_timeout(),
            self.own_rows_at_ms,
        ];
        let sends = sends.into_iter().flatten().map(|at_ms| at_ms.max(held_ms));
        self.timer_ms().into_iter().chain(sends).min()
    }

    /// When the first timer is due, apart from those that only send: the end of a coalescing window can be long past
    /// at a change, and sending can be held up.
    fn timer_ms(&self) -> Option<u64> {
        [
            self.roster.poll_timeout(),
            self.fleet.as_ref().and_then(|fleet| fleet.poll_timeout()),
            self.heartbeats.first().map(|&(due_ms, ..)| due_ms),
            self.tick_at_ms,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether a timer is so late that the machine must have been suspended.
    #[must_use]
    pub fn was_suspended(&self, now: Now) -> bool {
        let due_ms = self.timer_ms().filter(|_| !self.is_shut_down);
        due_ms.is_some_and(|due_ms| now.age_ms > due_ms.saturating_add(SUSPENSION_MS))
    }

    /// The interval of pings, and the window for their pongs: short enough that a row sees several
    /// within its TTL.
    pub(super) fn ping_interval_ms(&self) -> u64 {
        self.config
            .limits
            .ping_interval_ms
            .min(self.config.ttl_ms / 4)
            .max(1)
    }

    /// Handles all deadlines up to `now`, except broadcasts.
    pub(super) fn advance(&mut self, now: Now) {
        if self.is_shut_down {
            return;
        }
        if self.was_suspended(now) {
            self.wake_up(now);
        }
        self.roster.settle(now);
        if let Some(fleet) = &mut self.fleet {
            fleet.settle(now);
        }
        self.send_pings(now);
        self.tick(now);
    }

    /// Handles the deadlines after a suspension that the recorded gateway noticed. The timer that showed it there may not
    /// exist in a replay.
    #[cfg(feature = "recording")]
    pub(crate) fn wake(&mut self, now: Now) {
        if !self.is_shut_down && !self.was_suspended(now) {
            self.wake_up(now);
        }
        self.handle_timeout(now);
    }

    /// Pings all connections at once after a suspension.
    fn wake_up(&mut self, now: Now) {
        let due_ms = now.age_ms.saturating_add(self.ping_interval_ms());
        self.roster.spare_live_rows(due_ms);
        if let Some(fleet) = &mut self.fleet {
            fleet.wake_up(now);
        }
        self.heartbeats.clear();
        for (conn, member) in self.members.iter_mut() {
            member.heartbeat = Heartbeat {
                due_ms,
                awaits_pong: true,
            };
            self.heartbeats.insert((due_ms, conn.serial, conn.slot));
            self.outputs.push_back(HubOutput::Ping(conn));
        }
    }

    fn send_pings(&mut self, now: Now) {
        let interval_ms = self.ping_interval_ms();
        while let Some(&(due_ms, serial, slot)) = self.heartbeats.first() {
            if due_ms > now.age_ms {
                return;
            }
            self.heartbeats.pop_first();
            let Some(member) = self.members.get_mut(slot) else {
                continue;
            };
            let conn = ConnId { slot, serial };
            if member.heartbeat.awaits_pong {
                self.outputs
                    .push_back(HubOutput::Drop(conn, CloseFrame::PING_TIMEOUT));
                self.remove(conn, LeaveCause::Silent, now);
            } else {
                let due_ms = now.age_ms.saturating_add(interval_ms);
                member.heartbeat = Heartbeat {
                    due_ms,
                    awaits_pong: true,
                };
                self.heartbeats.insert((due_ms, serial, slot));
                self.outputs.push_back(HubOutput::Ping(conn));
            }
        }
    }

    fn tick(&mut self, now: Now) {
        let Some(tick_at_ms) = self.tick_at_ms.filter(|&at_ms| at_ms <= now.age_ms) else {
            return;
        };
        // A late timer sends one tick only, and the schedule stays.
        let interval_ms = self.config.limits.tick_interval_ms.max(1);
        let late_ms = now.age_ms.saturating_sub(tick_at_ms) % interval_ms;
        let next_ms = now.age_ms.saturating_add(interval_ms - late_ms);
        self.tick_at_ms = Some(next_ms);
        let ts = self.roster.wall_ms(now);
        let event = EventFrame::new("tick", format_args!(r#"{{"ts":{ts}}}"#));
        let event = Arc::new(event);
        for (conn, _) in self.members.iter() {
            self.outputs
                .push_back(HubOutput::Send(conn, Item::Tick(event.clone())));
        }
    }
}
