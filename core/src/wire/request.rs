//! Requests: frames from clients, read at once into what they ask for.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::beacon;
use super::error::WireError;
use super::method::{Access, Call, Method};
use super::params::{self, Length, Members, ParamsError};
use super::tree::{MAX_MEMBERS, Tree};

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
    /// Who may make the call.
    pub access: Access,
    /// The call, or the answer to those who may make it: there is no such method, or its parameters are not valid.
    pub call: Result<Call, Box<WireError>>,
}

/// Why a text is no request.
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
        /// What is wrong, for the client; holds no values.
        reason: Box<str>,
    },
}

impl Request {
    /// Reads one text frame: `{type:"req", id, method, params?}`.
    ///
    /// JSON that a program cannot hold (a string with half a surrogate pair, a number beyond `f64`, more than 127
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
            call: method.call(&params).map_err(refused),
        })
    }
}

/// A valid request frame, whatever its method.
#[derive(Debug)]
pub(crate) struct RequestFrame<'a> {
    pub(crate) id: Box<str>,
    pub(crate) method: Cow<'a, str>,
    /// The parameters of a known method; those of an unknown one are never read.
    pub(crate) params: Tree<'a>,
}

impl<'a> RequestFrame<'a> {
    /// Reads one text frame.
    pub(crate) fn read(text: &'a str) -> Result<Self, FrameError> {
        let outline: Outline<'_> = match serde_json::from_str(text) {
            Ok(outline) => outline,
            Err(_) if serde_json::from_str::<IgnoredAny>(text).is_err() => return Err(FrameError::NotJson),
            Err(_) => return Err(invalid(None, "must be object".into())),
        };
        let Outline { id, members, params } = outline;
        let members = members.map_err(|why| match why {
            Unread::Unheld => unheld(text, id.as_ref()),
            Unread::TooMany => {
                let reason = format!("must NOT have more than {MAX_MEMBERS} properties");
                invalid(id.as_ref(), reason)
            }
        })?;
        let root = Members::root(&members);
        let method = root.optional_string("method", Length::ANY).ok().flatten();
        let params = match (params, method) {
            (Some(params), Some(method)) if Method::find(method).is_some() => Tree::read(params.get()),
            (Some(params), None) => Tree::check(params.get()).map(|()| Tree::Other),
            _ => Ok(Tree::Other),
        };
        let Ok(params) = params else {
            return Err(unheld(text, id.as_ref()));
        };
        check(&root).map_err(|reason| invalid(id.as_ref(), reason.to_string()))?;
        let mut frame = Self {
            id: Box::default(),
            method: Cow::Borrowed(""),
            params,
        };
        for (name, value) in members {
            match (&*name, value) {
                ("id", Tree::String(id)) => frame.id = id.into(),
                ("method", Tree::String(method)) => frame.method = method,
                _ => {}
            }
        }
        Ok(frame)
    }
}

/// Everything that makes an object a request.
fn check(root: &Members<'_>) -> Result<(), ParamsError> {
    root.closed(&KNOWN)?;
    root.constant("type", "req")?;
    root.required_string("id", ID)?;
    root.required_string("method", Length::nonempty(usize::MAX))?;
    root.optional_string("traceparent", MAX_TRACEPARENT_UNITS)?;
    root.optional_string("expectedProfileId", Length::ANY)?;
    Ok(())
}

fn invalid(id: Option<&Tree<'_>>, reason: String) -> FrameError {
    let id = id.and_then(|id| params::string(id, ID, String::new).ok());
    FrameError::Invalid {
        id: id.map(Box::from),
        reason: reason.into(),
    }
}

/// The refusal of JSON that a program cannot hold.
fn unheld(text: &str, id: Option<&Tree<'_>>) -> FrameError {
    let place = Tree::check(text)
        .err()
        .map(|error| (error.line(), error.column()));
    let (line, column) = place.unwrap_or_default();
    let reason = format!(
        "must not hold half a surrogate pair, a number beyond 1.8e308 or more than 127 levels (line {line} column {column})"
    );
    invalid(id, reason)
}

/// A frame whose parameters stay text until the method is known.
struct Outline<'a> {
    /// The last `id`, if it can be held.
    id: Option<Tree<'a>>,
    /// All members but the parameters. Of those that no request has, only the names.
    members: Result<Vec<(Cow<'a, str>, Tree<'a>)>, Unread>,
    /// The last `params`.
    params: Option<&'a RawValue>,
}

/// Why the members of a frame are not read.
#[derive(Clone, Copy)]
enum Unread {
    /// A program cannot hold one of them.
    Unheld,
    /// They are more than [`MAX_MEMBERS`].
    TooMany,
}

/// A member's name, which may hold half a surrogate pair.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, [u8]>);

impl<'de: 'a, 'a> Deserialize<'de> for Outline<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Frame;

        impl<'de> Visitor<'de> for Frame {
            type Value = Outline<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
                let (mut id, mut params, mut unread) = (None, None, None);
                let mut members = Vec::new();
                let mut count = 0;
                while let Some(Name(name)) = from.next_key()? {
                    let text: &RawValue = from.next_value()?;
                    count += 1;
                    if *name == *b"params" {
                        params = Some(text);
                        continue;
                    }
                    let is_id = *name == *b"id";
                    let member = member(name, text.get());
                    if is_id {
                        id = member.as_ref().map(|(_, id)| id.clone());
                    }
                    match member {
                        None => unread = Some(Unread::Unheld),
                        Some(member) if count <= MAX_MEMBERS => members.push(member),
                        Some(_) => {}
                    }
                }
                if count > MAX_MEMBERS {
                    unread = unread.or(Some(Unread::TooMany));
                }
                let members = unread.map_or(Ok(members), Err);
                Ok(Outline { id, members, params })
            }
        }

        from.deserialize_map(Frame)
    }
}

/// A member of a frame; `None` if a program cannot hold it. Of one that no request has only the name is kept.
fn member<'a>(name: Cow<'a, [u8]>, value: &'a str) -> Option<(Cow<'a, str>, Tree<'a>)> {
    let name: Cow<'a, str> = match name {
        Cow::Borrowed(name) => str::from_utf8(name).ok()?.into(),
        Cow::Owned(name) => String::from_utf8(name).ok()?.into(),
    };
    let value = if KNOWN.contains(&&*name) {
        Tree::read(value).ok()?
    } else {
        Tree::check(value).map(|()| Tree::Other).ok()?
    };
    Some((name, value))
}

#[cfg(test)]
mod tests;
