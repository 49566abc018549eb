//! Requests and their answers.

use alloc::boxed::Box;
use alloc::string::ToString;

use serde_json::value::RawValue;

use super::Client;
use super::phase::Phase;
use crate::client::event::{ClientEvent, ClientOutput};
use crate::client::problem::Problem;
use crate::model::json::ObjectText;
use crate::model::time::Now;
use crate::wire::message::Answer;

/// The time limit of an answer, in ms.
const ANSWER_MS: u64 = 30_000;
/// The maximum number of pending requests of the application.
pub(super) const MAX_CALLS: usize = 256;

/// A pending request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    id: u64,
    purpose: Purpose,
    due_ms: u64,
}

/// The origin of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Connect,
    List,
    /// A beacon of the policy.
    Beacon,
    /// A beacon of the application.
    AskedBeacon,
    /// A check that the connection still works.
    Probe,
    /// A request of the application.
    Call,
}

impl Purpose {
    /// Whether the application waits for the answer.
    fn is_awaited(self) -> bool {
        matches!(self, Self::Call | Self::AskedBeacon)
    }
}

/// The reason why a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Requests require a live connection.
    #[error("not connected")]
    NotConnected,
    /// Too many requests are pending.
    #[error("too many requests are without an answer")]
    TooMany,
}

impl CallError {
    /// Returns the stable code, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotConnected => "NOT_CONNECTED",
            Self::TooMany => "TOO_MANY_REQUESTS",
        }
    }
}

impl Client {
    /// Calls a method of the gateway. The answer arrives as [`ClientEvent::Response`] with the returned
    /// number: the gateway's payload, or a problem, within 30 s.
    ///
    /// # Errors
    /// [`CallError`] if the request was not sent.
    pub fn request(&mut self, method: &str, params: Option<&RawValue>, now: Now) -> Result<u64, CallError> {
        self.clock.advance(now);
        self.check_call()?;
        let params = params.map_or("", RawValue::get);
        Ok(self.send_request(Purpose::Call, method, params, now))
    }

    pub(super) fn check_call(&self) -> Result<(), CallError> {
        if !matches!(self.phase, Phase::Live(_)) {
            return Err(CallError::NotConnected);
        }
        if self.pending.len() >= MAX_CALLS {
            return Err(CallError::TooMany);
        }
        Ok(())
    }

    /// Sends a request; `params` is JSON text, empty for none.
    pub(super) fn send_request(&mut self, purpose: Purpose, method: &str, params: &str, now: Now) -> u64 {
        let id = self.next_request;
        self.next_request += 1;
        // `connect` has the handshake's deadline.
        let due_ms = match purpose {
            Purpose::Connect => u64::MAX,
            _ => now.age_ms.saturating_add(ANSWER_MS),
        };
        self.pending.push(Pending { id, purpose, due_ms });
        let mut frame = ObjectText::new();
        frame.text("type", "req");
        frame.text("id", &id.to_string());
        frame.text("method", method);
        if !params.is_empty() {
            frame.raw("params", params);
        }
        self.outputs.push_back(ClientOutput::Send {
            socket: self.socket,
            text: frame.end().into(),
        });
        id
    }

    pub(super) fn handle_answer(&mut self, answer: &Answer<'_>, now: Now) {
        let at = self.pending.iter().position(|pending| pending.id == answer.id);
        let Some(Pending { id, purpose, .. }) = at.map(|at| self.pending.remove(at)) else {
            return;
        };
        let answer = answer.outcome;
        if purpose.is_awaited() {
            let result = answer
                .map(|payload| payload.get().into())
                .map_err(|error| Box::new(Problem::of_error(error).0));
            self.event(ClientEvent::Response { id, result });
        }
        match purpose {
            Purpose::Connect => self.handle_hello(answer, now),
            Purpose::List => self.handle_list_answer(id, Some(answer), now),
            Purpose::Beacon | Purpose::AskedBeacon => self.handle_beacon_answer(answer),
            Purpose::Probe | Purpose::Call => {}
        }
    }

    /// Fails requests that timed out.
    pub(super) fn expire_requests(&mut self, now: Now) {
        while let Some(at) = self
            .pending
            .iter()
            .position(|pending| pending.due_ms <= now.age_ms)
        {
            let Pending { id, purpose, .. } = self.pending.remove(at);
            if purpose.is_awaited() {
                let problem = Problem::new("TIMEOUT", "the gateway did not answer in time");
                self.event(ClientEvent::Response {
                    id,
                    result: Err(Box::new(problem)),
                });
            } else if purpose == Purpose::List {
                self.handle_list_answer(id, None, now);
            }
        }
    }

    /// Fails all requests, because the connection ended.
    pub(super) fn fail_pending(&mut self, why: &Problem) {
        for Pending { id, purpose, .. } in core::mem::take(&mut self.pending) {
            if purpose.is_awaited() {
                let problem = Problem::new("DISCONNECTED", &why.message);
                self.event(ClientEvent::Response {
                    id,
                    result: Err(Box::new(problem)),
                });
            }
        }
    }

    pub(super) fn requests_due_ms(&self) -> Option<u64> {
        self.pending
            .iter()
            .map(|pending| pending.due_ms)
            .filter(|&due_ms| due_ms < u64::MAX)
            .min()
    }
}
