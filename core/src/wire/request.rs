//! Requests: frames from clients, parsed directly into calls.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::beacon;
use super::error::WireError;
use super::method::{Access, Call, Method};
use super::params::{self, Length, Members, ParamsError};
use super::tree::{MAX_MEMBERS, Tree};
use crate::model::json::each_member;

/// The longest id of a request, in UTF-16 units.
pub const MAX_ID_UNITS: usize = 1_024;
/// The longest `traceparent`, in UTF-16 units.
const MAX_TRACEPARENT_UNITS: usize = 128;
const ID: Length = Length::nonempty(MAX_ID_UNITS);
/// The members of a request; any other makes it invalid.
const KNOWN: [&str; 6] = [
    "type",
    "id",
    "method",
    "params",
    "traceparent",
    "expectedProfileId",
];

/// A request of a connection whose handshake is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The client's id of the request, echoed in the response; 1 to [`MAX_ID_UNITS`] units.
    pub id: Box<str>,
    /// The access rule of the method.
    pub access: Access,
    /// The call, or the error for callers with access: there is no such method, or its parameters are not valid.
    pub call: Result<Call, Box<WireError>>,
}

/// Why a text is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Not JSON at all.
    #[error("not JSON")]
    NotJson,
    /// JSON, but not a request.
    #[error("{reason}")]
    Invalid {
        /// The id to answer with, if the frame has a valid one.
        id: Option<Box<str>>,
        /// The reason, for the client; holds no values.
        reason: Box<str>,
    },
}

impl Request {
    /// Reads one text frame: `{type:"req", id, method, params?}`.
    ///
    /// JSON that a program cannot represent (a string with half a surrogate pair, a number beyond `f64`, more than 127
    /// levels) is an invalid frame, not "not JSON" (SPEC 2, "Frames"). The parameters of an unknown method need
    /// only be JSON.
    ///
    /// ```
    /// use presence_core::wire::request::{FrameError, Request};
    /// use presence_core::wire::Call;
    /// let request = Request::parse(r#"{"type":"req","id":"1","method":"health"}"#)?;
    /// assert_eq!((&*request.id, request.call), ("1", Ok(Call::Health)));
    /// assert_eq!(Request::parse("hello"), Err(FrameError::NotJson));
    /// let extra = Request::parse(r#"{"type":"req","id":"1","method":"health","x":1}"#).unwrap_err();
    /// assert_eq!(extra.to_string(), "at root: unexpected property 'x'");
    /// # Ok::<(), FrameError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is not JSON or not a request.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        if let Some((id, beacon)) = beacon::read_plain(text)
            && let Some(method) = Method::find(beacon::METHOD)
        {
            return Ok(Self {
                id: id.into(),
                access: method.access,
                call: Ok(Call::SystemEvent(beacon.into())),
            });
        }
        let RequestFrame { id, method, params } = RequestFrame::read(text)?;
        let Some(method) = Method::find(&method) else {
            return Ok(Self {
                id,
                access: Access::Anyone,
                call: Err(Box::new(WireError::unknown_method(&method))),
            });
        };
        let refused = |error| Box::new(WireError::invalid_params(method.name, &error));
        Ok(Self {
            id,
            access: method.access,
            call: (method.read)(&params).map_err(refused),
        })
    }
}

/// A valid request frame, whatever its method.
#[derive(Debug)]
pub(crate) struct RequestFrame<'a> {
    pub(crate) id: Box<str>,
    pub(crate) method: Box<str>,
    /// The parameters of a known method, an empty object if absent; those of an unknown one are never read.
    pub(crate) params: Tree<'a>,
}

impl<'a> RequestFrame<'a> {
    /// Reads one text frame.
    pub(crate) fn read(text: &'a str) -> Result<Self, FrameError> {
        let (mut id, mut params, mut members, mut count) = (None, None, Vec::new(), 0);
        let (mut is_held, mut has_odd_name) = (true, false);
        let outline = each_member(text, &mut |name, value| {
            count += 1;
            if name == "params" {
                params = Some(value);
                return;
            }
            if name == "id" {
                id = Some(value);
            }
            has_odd_name |= name.contains(char::REPLACEMENT_CHARACTER);
            // Only the name of an unknown member is kept.
            let value = if KNOWN.contains(&&*name) {
                Tree::read(value.get())
            } else {
                Tree::check(value.get()).map(|()| Tree::Other)
            };
            match value {
                Err(_) => is_held = false,
                Ok(value) if count <= MAX_MEMBERS => members.push((name, value)),
                Ok(_) => {}
            }
        });
        if outline.is_none() {
            return Err(match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => invalid(None, "must be object".into()),
                Err(_) => FrameError::NotJson,
            });
        }
        // The replacement character stands for half a surrogate pair, or for itself.
        if !is_held || has_odd_name && Tree::check(text).is_err() {
            return Err(unrepresentable(text, id));
        }
        if count > MAX_MEMBERS {
            let reason = format!("must NOT have more than {MAX_MEMBERS} properties");
            return Err(invalid(id, reason));
        }
        let root = Members::root(&members);
        let method = root.optional_string("method", Length::ANY).ok().flatten();
        let params = match (params, method) {
            (Some(params), Some(method)) if Method::find(method).is_some() => Tree::read(params.get()),
            (Some(params), None) => Tree::check(params.get()).map(|()| Tree::Other),
            (Some(_), Some(_)) => Ok(Tree::Other),
            (None, _) => Ok(Tree::Object(Vec::new())),
        };
        let params = params.map_err(|_| unrepresentable(text, id))?;
        let (frame_id, method) = check(&root).map_err(|reason| invalid(id, reason.to_string()))?;
        Ok(Self {
            id: frame_id.into(),
            method: method.into(),
            params,
        })
    }
}

/// Checks that an object is a request, and returns its id and its method.
fn check<'a>(root: &Members<'a>) -> Result<(&'a str, &'a str), ParamsError> {
    root.closed(&KNOWN)?;
    root.constant("type", "req")?;
    let id = root.required_string("id", ID)?;
    let method = root.required_string("method", Length::nonempty(usize::MAX))?;
    root.optional_string("traceparent", MAX_TRACEPARENT_UNITS)?;
    root.optional_string("expectedProfileId", Length::ANY)?;
    Ok((id, method))
}

fn invalid(id: Option<&RawValue>, reason: String) -> FrameError {
    let id = id.and_then(|id| Tree::read(id.get()).ok());
    let id = id.and_then(|id| params::string(&id, ID, String::new).ok().map(Box::from));
    let reason = reason.into();
    FrameError::Invalid { id, reason }
}

/// The refusal of JSON that a program cannot represent.
fn unrepresentable(text: &str, id: Option<&RawValue>) -> FrameError {
    let place = Tree::check(text)
        .err()
        .map(|error| (error.line(), error.column()));
    let (line, column) = place.unwrap_or_default();
    let reason = format!(
        "must not hold half a surrogate pair, a number beyond 1.8e308 or more than 127 levels (line {line} column {column})"
    );
    invalid(id, reason)
}

#[cfg(test)]
mod tests;
