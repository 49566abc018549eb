//! Actions of a client as time passes: deadlines, silence, statuses.

use super::calls::Purpose;
use super::live::Live;
use super::phase::Phase;
use super::{CLOSE_CONNECT_FAILED, CLOSE_SILENT, Client};
use crate::client::problem::Problem;
use crate::model::time::Now;

/// A timer that is later than this, in ms, was delayed: the machine slept, or the page is hidden and its
/// timers are throttled. The gateway's frames of that time may still be queued.
const LATE_MS: u64 = 5_000;
/// The grace period for the gateway's next frame in that case, in ms.
const GRACE_MS: u64 = 15_000;
/// The maximum number of consecutive grace periods: the timers of a hidden page are always late.
const MAX_GRACES: u32 = 2;

impl Client {
    /// Executes what is due. Early and repeated calls do nothing.
    pub fn handle_timeout(&mut self, now: Now) {
        self.clock.advance(now);
        if let Some(late_ms) = self
            .phase_due_ms()
            .and_then(|due_ms| now.age_ms.checked_sub(due_ms))
        {
            self.end_of_wait(late_ms > LATE_MS, now);
        }
        self.expire_requests(now);
        self.work(now);
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout), on `Now::age_ms`. `None` if nothing is
    /// scheduled.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let change_ms = self
            .mirror
            .next_change_ms()
            .map(|server_ms| self.clock.deadline(server_ms));
        [
            self.phase_due_ms(),
            self.requests_due_ms(),
            self.list_request_due_ms(),
            self.beacon_due_ms(),
            self.hold_until_ms()
                .filter(|_| change_ms.is_some())
                .max(change_ms),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Executes what is due, except the deadlines of the phase, which are left to
    /// [`handle_timeout`](Self::handle_timeout): it is called only if no other input arrived.
    pub(super) fn work(&mut self, now: Now) {
        self.request_list_if_due(now);
        self.beacon_if_due(now);
        if self.hold_until_ms().is_none_or(|held_ms| held_ms <= now.age_ms) {
            self.mirror.settle(self.clock.server_ms(now));
        }
    }

    /// Sends a request to check the connection.
    pub(super) fn probe(&mut self, now: Now) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        let until_ms = now.age_ms.saturating_add(GRACE_MS);
        live.grace_until_ms = Some(
            live.grace_until_ms
                .map_or(until_ms, |own_ms| own_ms.min(until_ms)),
        );
        if live.may_read && live.list_request.is_none() {
            self.request_list(now);
        } else if self.check_call().is_ok() {
            self.send_request(Purpose::Probe, "health", "{}", now);
        }
    }

    fn phase_due_ms(&self) -> Option<u64> {
        match &self.phase {
            Phase::Opening { due_ms } | Phase::Handshake { due_ms, .. } => Some(self.clock.age_at(*due_ms)),
            Phase::Waiting { at_ms, .. } => Some(*at_ms),
            Phase::Live(live) => Some(silence_due_ms(live)),
            Phase::Idle | Phase::Refused(_) | Phase::Closed => None,
        }
    }

    fn end_of_wait(&mut self, is_late: bool, now: Now) {
        match &mut self.phase {
            Phase::Waiting { .. } => self.retry_if_due(now),
            Phase::Opening { .. } | Phase::Handshake { .. } => {
                let (code, close) = if matches!(self.phase, Phase::Opening { .. }) {
                    ("OPEN_TIMEOUT", CLOSE_SILENT)
                } else {
                    ("HELLO_TIMEOUT", CLOSE_CONNECT_FAILED)
                };
                self.close_socket(close, "connect timeout");
                self.retry(Problem::new(code, "the gateway did not answer in time"), 0, now);
            }
            Phase::Live(live) if is_late && live.graces < MAX_GRACES => {
                live.graces += 1;
                live.grace_until_ms = None;
                self.probe(now);
            }
            Phase::Live(_) => {
                self.close_socket(CLOSE_SILENT, "tick timeout");
                self.retry(Problem::new("TICK_TIMEOUT", "the gateway fell silent"), 0, now);
            }
            Phase::Idle | Phase::Refused(_) | Phase::Closed => {}
        }
    }
}

/// Returns when a silent connection is closed: two tick intervals after the last frame, unless a grace period
/// extends that.
fn silence_due_ms(live: &Live) -> u64 {
    let ticks_ms = live.hello.tick_interval_ms.saturating_mul(2);
    live.grace_until_ms
        .unwrap_or_else(|| live.received_ms.saturating_add(ticks_ms))
}
