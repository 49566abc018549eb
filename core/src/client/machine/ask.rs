//! When the client requests the list (SPEC 3, "Ageing").

use alloc::boxed::Box;

use super::calls::Purpose;
use super::live::Asking;
use super::phase::Phase;
use super::{CLOSE_SILENT, Client};
use crate::client::event::ClientEvent;
use crate::client::problem::Problem;
use crate::model::time::Now;
use crate::wire::connect::OLDEST_PROTOCOL;
use crate::wire::message::Outcome;
use crate::wire::presence;

/// How long before a status change the client requests the list to confirm it, in ms.
const LEAD_MS: u64 = 2_000;
/// The minimum time between two requests without a known loss, in ms; also the interval of requests for a
/// watched roster on protocol 3.
const INTERVAL_MS: u64 = 30_000;
/// How long statuses wait for a pending answer, in ms, so that a row whose proof of life is only in that answer
/// does not flicker.
const HOLD_MS: u64 = 5_000;

impl Client {
    /// Requests the list now; if a request is pending, once more after its answer.
    pub(super) fn ask(&mut self, now: Now) {
        let method = if self.mirror.version().is_some() {
            "presence.snapshot"
        } else {
            "system-presence"
        };
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        if !live.may_read {
            return;
        }
        if live.asking.is_some() {
            live.asks_again = true;
            return;
        }
        live.asked_ms = Some(now.age_ms);
        live.is_behind = false;
        let id = self.send_request(Purpose::List, method, "{}", now);
        if let Phase::Live(live) = &mut self.phase {
            live.asking = Some(Asking {
                id,
                at_ms: now.age_ms,
            });
        }
    }

    pub(super) fn ask_if_due(&mut self, now: Now) {
        if self.ask_due_ms().is_some_and(|due_ms| due_ms <= now.age_ms) {
            self.ask(now);
        }
    }

    /// Returns the time of the next request, on the age clock.
    pub(super) fn ask_due_ms(&self) -> Option<u64> {
        let Phase::Live(live) = &self.phase else {
            return None;
        };
        if !live.may_read || live.asking.is_some() {
            return None;
        }
        // Deltas report touches, connects and removals.
        let has_deltas = self.mirror.version().is_some();
        let before_status = (!has_deltas).then(|| self.mirror.next_ask_ms(LEAD_MS)).flatten();
        // Protocol 3 does not announce connects.
        let is_silent = live.hello.protocol <= OLDEST_PROTOCOL && !has_deltas;
        let routine = is_silent && self.is_watched && self.is_visible;
        let due_ms = [
            before_status.map(|server_ms| self.clock.deadline(server_ms)),
            routine.then(|| live.listed_ms.saturating_add(INTERVAL_MS)),
            live.is_behind.then_some(0),
        ]
        .into_iter()
        .flatten()
        .min()?;
        let allowed_ms = live
            .asked_ms
            .map_or(0, |asked_ms| asked_ms.saturating_add(INTERVAL_MS));
        Some(due_ms.max(allowed_ms))
    }

    /// Returns until when statuses wait for an answer, on the age clock.
    pub(super) fn hold_until_ms(&self) -> Option<u64> {
        match &self.phase {
            Phase::Live(live) => live.asking.map(|asking| asking.at_ms.saturating_add(HOLD_MS)),
            _ => None,
        }
    }

    /// Handles the answer to a request for the list; `None` if it timed out.
    pub(super) fn handle_list_answer(&mut self, id: u64, answer: Option<Outcome<'_>>, now: Now) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        if live.asking.is_none_or(|asking| asking.id != id) {
            return;
        }
        live.asking = None;
        let asks_again = core::mem::take(&mut live.asks_again);
        match answer {
            Some(Ok(payload)) => match presence::rows(payload.get()) {
                Some(rows) => self.handle_list(rows, now),
                None if self.handle_snapshot(payload, now) => {}
                None => self.give_up_deltas(now),
            },
            Some(Err(error)) => {
                let (problem, _) = Problem::of_error(error);
                if &*problem.code == "MISSING_SCOPE" {
                    self.lose_read_scope(&problem);
                } else {
                    self.give_up_deltas(now);
                }
            }
            None => {}
        }
        if asks_again {
            self.ask(now);
        }
    }

    fn lose_read_scope(&mut self, refused: &Problem) {
        if let Phase::Live(live) = &mut self.phase
            && core::mem::take(&mut live.may_read)
        {
            let problem = Problem::new("NO_READ_SCOPE", &refused.message);
            self.event(ClientEvent::NoReadScope(Box::new(problem)));
        }
    }

    /// Reconnects without deltas, because the gateway sends deltas but cannot resync them.
    fn give_up_deltas(&mut self, now: Now) {
        if self.mirror.version().is_some() {
            self.wants_deltas = false;
            self.close_socket(CLOSE_SILENT, "resync failed");
            self.retry(
                Problem::new("RESYNC_FAILED", "the gateway could not resync the roster"),
                0,
                now,
            );
        }
    }
}
