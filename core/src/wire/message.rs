//! The frames of a gateway, as its client reads them.

use alloc::borrow::Cow;

use serde_json::value::RawValue;

use crate::model::json::{boolean, integer, members, string};

/// A frame of a gateway.
#[derive(Debug)]
pub enum Message<'a> {
    /// An event.
    Event(Event<'a>),
    /// The answer to a request.
    Answer(Answer<'a>),
}

/// An event.
#[derive(Debug)]
pub struct Event<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its payload; `null` if it has none.
    pub payload: &'a RawValue,
    /// Its number on this connection.
    pub seq: Option<u64>,
    /// The version of the roster when it was sent.
    pub presence_version: Option<u64>,
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The request's id, as clients of this crate number them.
    pub id: u64,
    /// The payload, `null` if it has none; or the error, if it states one.
    pub outcome: Outcome<'a>,
}

/// The payload of an answer, or its error.
pub type Outcome<'a> = Result<&'a RawValue, Option<&'a RawValue>>;

impl<'a> Message<'a> {
    /// Reads a frame; `None` if it is not JSON or not of a known type.
    #[must_use]
    pub fn read(frame: &'a str) -> Option<Self> {
        let [kind, event, payload, seq, state, id, ok, error] = members(
            frame,
            [
                "type",
                "event",
                "payload",
                "seq",
                "stateVersion",
                "id",
                "ok",
                "error",
            ],
        )?;
        let payload = payload.unwrap_or(RawValue::NULL);
        Some(match &*string(kind?)? {
            "event" => Self::Event(Event {
                name: event.and_then(string).unwrap_or_default(),
                payload,
                seq: seq.and_then(integer),
                presence_version: state.and_then(presence_version),
            }),
            "res" => Self::Answer(Answer {
                id: string(id?)?.parse().ok()?,
                outcome: match ok.and_then(boolean) {
                    Some(true) => Ok(payload),
                    _ => Err(error),
                },
            }),
            _ => return None,
        })
    }
}

/// Reads the roster's version in a `stateVersion`.
#[must_use]
pub fn presence_version(state: &RawValue) -> Option<u64> {
    let [presence] = members(state.get(), ["presence"])?;
    integer(presence?)
}
