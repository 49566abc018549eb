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
    /// Without a meaning if there is no such method.
    pub(crate) params: Tree<'a>,
}

impl<'a> RequestFrame<'a> {
    /// Reads one text frame.
    pub(crate) fn read(text: &'a str) -> Result<Self, FrameError> {
        match Tree::read(text) {
            Ok(Tree::Object(members)) => Self::of(members),
            Ok(Tree::Crowded) => {
                let reason = format!("must NOT have more than {MAX_MEMBERS} properties");
                Err(invalid(Outline::read(text).id.as_ref(), reason))
            }
            Ok(_) => Err(invalid(None, "must be object".into())),
            Err(error) => Self::read_unheld(text, &error),
        }
    }

    /// Reads a text that failed as a whole with `error`.
    fn read_unheld(text: &'a str, error: &serde_json::Error) -> Result<Self, FrameError> {
        if serde_json::from_str::<IgnoredAny>(text).is_err() {
            return Err(FrameError::NotJson);
        }
        let outline = Outline::read(text);
        if let Some(members) = outline.members
            && let Ok(Some(method)) = Members::root(&members).optional_string("method", Length::ANY)
            && Method::find(method).is_none()
        {
            return Self::of(members);
        }
        let reason = format!(
            "must not hold half a surrogate pair, a number beyond 1.8e308 or more than 127 levels (line {} column {})",
            error.line(),
            error.column()
        );
        Err(invalid(outline.id.as_ref(), reason))
    }

    fn of(members: Vec<(Cow<'a, str>, Tree<'a>)>) -> Result<Self, FrameError> {
        let root = Members::root(&members);
        if let Err(reason) = check(&root) {
            return Err(invalid(root.get("id"), reason.to_string()));
        }
        let mut frame = Self {
            id: Box::default(),
            method: Cow::Borrowed(""),
            params: Tree::Other,
        };
        for (name, value) in members {
            match (&*name, value) {
                ("id", Tree::String(id)) => frame.id = id.into(),
                ("method", Tree::String(method)) => frame.method = method,
                ("params", params) => frame.params = params,
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

/// What can be held of a frame that cannot be held as a whole.
#[derive(Default)]
struct Outline<'a> {
    /// The last `id`.
    id: Option<Tree<'a>>,
    /// All members but the parameters; `None` if one of them cannot be held either, or if they are too many.
    members: Option<Vec<(Cow<'a, str>, Tree<'a>)>>,
}

impl<'a> Outline<'a> {
    /// Reads a JSON text. There is nothing in one that is not an object.
    fn read(text: &'a str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
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
                let (mut id, mut members) = (None, Some(Vec::new()));
                while let Some(Name(name)) = from.next_key()? {
                    let text: &RawValue = from.next_value()?;
                    if *name == *b"params" {
                        continue;
                    }
                    let value = Tree::read(text.get()).ok();
                    if *name == *b"id" {
                        id.clone_from(&value);
                    }
                    let name = String::from_utf8(name.into_owned());
                    members = match (members, name, value) {
                        (Some(mut members), Ok(name), Some(value)) if members.len() < MAX_MEMBERS => {
                            members.push((name.into(), value));
                            Some(members)
                        }
                        _ => None,
                    };
                }
                Ok(Outline { id, members })
            }
        }

        from.deserialize_map(Frame)
    }
}

#[cfg(test)]
mod tests;
