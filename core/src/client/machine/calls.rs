//! Requests and their answers.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Client, Phase};
use crate::client::event::{ClientEvent, ClientOutput};
use crate::client::json::Json;
use crate::client::problem::Problem;
use crate::time::Now;

/// Longest wait for an answer, in ms.
const ANSWER_MS: u64 = 30_000;
/// Most requests of the application under way.
const MAX_CALLS: usize = 256;

/// A request without an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    purpose: Purpose,
    due_ms: u64,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Connect,
    List,
    Beacon,
    /// To hear anything at all.
    Probe,
    /// The application's.
    Call,
}

/// The request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Requests need a live connection.
    #[error("not connected")]
    NotConnected,
    /// Too many requests are without an answer.
    #[error("too many requests are without an answer")]
    TooMany,
}

impl CallError {
    /// The stable code, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotConnected => "NOT_CONNECTED",
            Self::TooMany => "TOO_MANY_REQUESTS",
        }
    }
}

impl Client {
    /// Calls a method of the gateway. The answer comes as [`ClientEvent::Response`] with the id that
    /// this returns: the gateway's, or why there is none, within 30 s.
    ///
    /// # Errors
    /// [`CallError`] if it was not sent.
    pub fn request(&mut self, method: &str, params: Option<Json>, now: Now) -> Result<u64, CallError> {
        self.clock.advance(now);
        self.check_call()?;
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

    pub(super) fn send_request(
        &mut self,
        purpose: Purpose,
        method: &str,
        params: Option<Json>,
        now: Now,
    ) -> u64 {
        let id = self.next_request;
        self.next_request += 1;
        // `connect` has the handshake's deadline.
        let due_ms = match purpose {
            Purpose::Connect => u64::MAX,
            _ => now.age_ms.saturating_add(ANSWER_MS),
        };
        self.pending.insert(id, Pending { purpose, due_ms });
        let mut frame = Json::object([
            ("type", "req".into()),
            ("id", Json::String(id.to_string().into())),
            ("method", method.into()),
        ]);
        if let Some(params) = params {
            frame.push("params", params);
        }
        self.outputs.push_back(ClientOutput::Send {
            socket: self.socket,
            text: frame.to_string().into(),
        });
        id
    }

    pub(super) fn handle_response(&mut self, frame: &Json, now: Now) {
        let id = frame
            .get("id")
            .and_then(Json::as_str)
            .and_then(|id| id.parse::<u64>().ok());
        let Some((id, pending)) = id.and_then(|id| Some((id, self.pending.remove(&id)?))) else {
            return;
        };
        let answer = match frame.get("ok").and_then(Json::as_bool) {
            Some(true) => Ok(frame.get("payload").unwrap_or(&Json::Null)),
            _ => Err(frame.get("error")),
        };
        match pending.purpose {
            Purpose::Connect => self.handle_hello(answer, now),
            Purpose::List => self.handle_list_answer(id, Some(answer), now),
            Purpose::Beacon => self.handle_beacon_answer(answer),
            Purpose::Probe => {}
            Purpose::Call => {
                let result = answer
                    .cloned()
                    .map_err(|error| Box::new(Problem::of_error(error)));
                self.event(ClientEvent::Response { id, result });
            }
        }
    }

    /// Gives up on requests that got no answer in time.
    pub(super) fn expire_requests(&mut self, now: Now) {
        let is_over = |pending: &Pending| pending.due_ms <= now.age_ms;
        let over: Vec<u64> = self
            .pending
            .iter()
            .filter(|(_, pending)| is_over(pending))
            .map(|(&id, _)| id)
            .collect();
        for id in over {
            match self.pending.remove(&id).map(|pending| pending.purpose) {
                Some(Purpose::List) => self.handle_list_answer(id, None, now),
                Some(Purpose::Call) => {
                    let problem = Problem::new("TIMEOUT", "the gateway did not answer in time");
                    self.event(ClientEvent::Response {
                        id,
                        result: Err(Box::new(problem)),
                    });
                }
                _ => {}
            }
        }
    }

    /// The connection is over: no request will be answered.
    pub(super) fn fail_pending(&mut self, why: &Problem) {
        for (id, pending) in core::mem::take(&mut self.pending) {
            if pending.purpose == Purpose::Call {
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
            .values()
            .map(|pending| pending.due_ms)
            .filter(|&due_ms| due_ms < u64::MAX)
            .min()
    }
}
