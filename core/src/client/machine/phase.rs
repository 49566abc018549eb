//! Transitions between connections: what ends one, and what follows.

use alloc::boxed::Box;

use super::Client;
use super::challenge::Challenge;
use super::live::Live;
use crate::client::event::{ClientEvent, ClientOutput, ClientState};
use crate::client::problem::{Problem, Verdict};
use crate::model::time::Now;

/// The minimum time between two attempts after a hint that one may succeed, in ms.
const MIN_RETRY_SOON_MS: u64 = 1_000;
/// The maximum delay that a gateway's announced restart can cause, in ms.
const MAX_RESTART_MS: u64 = 30_000;

/// The phase of the client, with its data. Times are on the age clock, in ms, except the deadlines of an attempt: they
/// are on the elapsed time of the client's clock, which continues during sleep.
#[derive(Debug)]
pub(super) enum Phase {
    Idle,
    Opening {
        due_ms: u64,
    },
    Handshake {
        due_ms: u64,
        challenge: Option<Challenge>,
    },
    Live(Box<Live>),
    Waiting {
        at_ms: u64,
        not_before_ms: u64,
        problem: Box<Problem>,
    },
    Refused(Box<Problem>),
    Closed,
}

impl Client {
    pub(super) fn open(&mut self, now: Now) {
        self.socket += 1;
        self.opened_ms = now.age_ms;
        let due_ms = self.attempt_due_ms(now);
        self.enter(Phase::Opening { due_ms });
        // Queued first: a shell may open the socket, or fail to, synchronously.
        self.outputs.push_back(ClientOutput::Open { socket: self.socket });
    }

    pub(super) fn attempt_due_ms(&self, now: Now) -> u64 {
        self.clock
            .elapsed_ms(now)
            .saturating_add(self.config.handshake_ms)
    }

    pub(super) fn has_socket(&self) -> bool {
        matches!(
            self.phase,
            Phase::Opening { .. } | Phase::Handshake { .. } | Phase::Live(_)
        )
    }

    pub(super) fn close_socket(&mut self, code: u16, reason: &'static str) {
        if self.has_socket() {
            self.outputs.push_back(ClientOutput::Close {
                socket: self.socket,
                code,
                reason,
            });
        }
    }

    /// Handles the end of a connection: stops, waits or retries according to the verdict.
    pub(super) fn handle_verdict(&mut self, problem: Problem, verdict: Verdict, now: Now) {
        match verdict {
            Verdict::Speak(number) if self.range != (number, number) => {
                let is_first = self.range.0 != self.range.1;
                self.range = (number, number);
                if is_first {
                    self.end(Phase::Idle, &problem, now);
                    self.open(now);
                } else {
                    // A gateway that keeps changing its protocol must not cause an endless loop.
                    self.retry(problem, 0, now);
                }
            }
            Verdict::Stop | Verdict::Speak(_) => {
                let problem = Box::new(problem);
                self.end(Phase::Refused(problem.clone()), &problem, now);
            }
            Verdict::Retry { after_ms } => self.retry(problem, after_ms, now),
        }
    }

    pub(super) fn retry(&mut self, problem: Problem, after_ms: u64, now: Now) {
        let mut after_ms = after_ms;
        if let Phase::Live(live) = &self.phase {
            self.backoff.handle_end(now.age_ms.saturating_sub(live.since_ms));
            after_ms = after_ms.max(live.restart_ms.unwrap_or(0).min(MAX_RESTART_MS));
        }
        let not_before_ms = now.age_ms.saturating_add(after_ms);
        let at_ms = not_before_ms.max(now.age_ms.saturating_add(self.backoff.next_ms()));
        let problem = Box::new(problem);
        self.end(
            Phase::Waiting {
                at_ms,
                not_before_ms,
                problem: problem.clone(),
            },
            &problem,
            now,
        );
    }

    /// Retries soon, after a hint that an attempt may succeed: the page is shown, the network is back.
    pub(super) fn retry_soon(&mut self, now: Now) {
        if let Phase::Waiting {
            at_ms, not_before_ms, ..
        } = &mut self.phase
        {
            let soon_ms = now
                .age_ms
                .max(*not_before_ms)
                .max(self.opened_ms.saturating_add(MIN_RETRY_SOON_MS));
            *at_ms = soon_ms.min(*at_ms);
            self.retry_if_due(now);
        }
    }

    pub(super) fn retry_if_due(&mut self, now: Now) {
        if matches!(self.phase, Phase::Waiting { at_ms, .. } if at_ms <= now.age_ms) {
            self.open(now);
        }
    }

    /// Leaves the current connection, if any, for `phase`.
    pub(super) fn end(&mut self, phase: Phase, why: &Problem, now: Now) {
        self.fail_pending(why);
        self.beacons.handle_end();
        self.mirror.handle_offline(self.clock.server_ms(now));
        self.enter(phase);
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        let before = self.state();
        self.phase = phase;
        let state = self.state();
        if state != before && state != ClientState::Idle {
            let problem = self.problem().cloned().map(Box::new);
            self.event(ClientEvent::State { state, problem });
        }
    }

    pub(super) fn event(&mut self, event: ClientEvent) {
        self.outputs.push_back(ClientOutput::Event(event));
    }
}
