//! When the client requests the list (SPEC 3, "Ageing").

use alloc::boxed::Box;

use super::calls::Purpose;
use super::live::ListRequest;
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
    pub(super) fn request_list(&mut self, now: Now) {
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
        if live.list_request.is_some() {
            live.requests_again = true;
            return;
        }
        live.requested_ms = Some(now.age_ms);
        live.is_behind = false;
        let id = self.send_request(Purpose::List, method, "{}", now);
        if let Phase::Live(live) = &mut self.phase {
            live.list_request = Some(ListRequest {
                id,
                at_ms: now.age_ms,
            });
        }
    }

    pub(super) fn request_list_if_due(&mut self, now: Now) {
        if self
            .list_request_due_ms()
            .is_some_and(|due_ms| due_ms <= now.age_ms)
        {
            self.request_list(now);
        }
    }

    /// Returns the time of the next request, on the age clock.
    pub(super) fn list_request_due_ms(&self) -> Option<u64> {
        let Phase::Live(live) = &self.phase else {
            return None;
        };
        if !live.may_read || live.list_request.is_some() {
            return None;
        }
        // Deltas report touches, connects and removals.
        let has_deltas = self.mirror.version().is_some();
        let before_status = (!has_deltas)
            .then(|| self.mirror.next_request_ms(LEAD_MS))
            .flatten();
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
            .requested_ms
            .map_or(0, |requested_ms| requested_ms.saturating_add(INTERVAL_MS));
        Some(due_ms.max(allowed_ms))
    }

    /// Returns until when statuses wait for an answer, on the age clock.
    pub(super) fn hold_until_ms(&self) -> Option<u64> {
        match &self.phase {
            Phase::Live(live) => live
                .list_request
                .map(|list_request| list_request.at_ms.saturating_add(HOLD_MS)),
            _ => None,
        }
    }

    /// Handles the answer to a request for the list; `None` if it timed out.
    pub(super) fn handle_list_answer(&mut self, id: u64, answer: Option<Outcome<'_>>, now: Now) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        if live.list_request.is_none_or(|list_request| list_request.id != id) {
            return;
        }
        live.list_request = None;
        let requests_again = core::mem::take(&mut live.requests_again);
        match answer {
            Some(Ok(payload)) => match presence::rows(payload.get()) {
                Some(rows) => self.handle_list(rows, now),
                None if self.handle_snapshot(payload, now) => {}
                None => self.disable_deltas(now),
            },
            Some(Err(error)) => {
                let (problem, _) = Problem::of_error(error);
                if &*problem.code == "MISSING_SCOPE" {
                    self.end_reading(&problem);
                } else {
                    self.disable_deltas(now);
                }
            }
            None => {}
        }
        if requests_again {
            self.request_list(now);
        }
    }

    fn end_reading(&mut self, refused: &Problem) {
        if let Phase::Live(live) = &mut self.phase
            && core::mem::take(&mut live.may_read)
        {
            let problem = Problem::new("NO_READ_SCOPE", &refused.message);
            self.event(ClientEvent::NoReadScope(Box::new(problem)));
        }
    }

    /// Reconnects without deltas, because the gateway sends deltas but cannot resync them.
    fn disable_deltas(&mut self, now: Now) {
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
