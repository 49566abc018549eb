//! Reading request frames.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;

use super::{MAX_ID_UNITS, grammar, plain};
use crate::model::beacon::Beacon;
use crate::wire::Method;
use crate::wire::params::{Length, Members, Params, ParamsError, ReadError, holdable};

/// The longest `traceparent`, in UTF-16 units.
const MAX_TRACEPARENT_UNITS: usize = 128;
/// The members of a request; any other makes it invalid.
const KNOWN: [&str; 6] = [
    "type",
    "id",
    "method",
    "params",
    "traceparent",
    "expectedProfileId",
];

/// A request frame, parsed: `{type:"req", id, method, params?}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The client's id of the request, echoed in the response; 1 to [`MAX_ID_UNITS`] units.
    pub id: Box<str>,
    /// The method's name; not empty.
    pub method: Box<str>,
    /// The parameters as text; none when absent, and none of a method that there is not.
    pub params: Params,
    /// The parameters of a `system-event` with nothing unusual in it, checked already; `params` is none then.
    pub beacon: Option<Box<Beacon>>,
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
        /// The id to answer with, as far as one can be made out.
        id: Option<Box<str>>,
        /// What is wrong, for the client; holds no values.
        reason: Box<str>,
    },
}

impl Request {
    /// Reads one text frame.
    ///
    /// JSON that a program cannot hold (a string with half a surrogate pair, a number beyond
    /// `f64`, more than 127 levels) is an invalid frame, not "not JSON" (SPEC 2, "Frames"). The
    /// parameters of a method that there is not need only be JSON.
    ///
    /// ```
    /// use presence_core::wire::frame::{FrameError, Request};
    /// let request = Request::parse(r#"{"type":"req","id":"1","method":"health"}"#)?;
    /// assert_eq!(&*request.method, "health");
    /// assert_eq!(Request::parse("hello"), Err(FrameError::NotJson));
    /// let extra = Request::parse(r#"{"type":"req","id":"1","method":"health","x":1}"#).unwrap_err();
    /// assert_eq!(extra.to_string(), "at root: unexpected property 'x'");
    /// # Ok::<(), FrameError>(())
    /// ```
    ///
    /// # Errors
    /// Whether it is not JSON or not a request.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let root = match Members::read(text) {
            Ok(root) => root,
            Err(error) => return Err(unread(text, error)),
        };
        let method = root.optional_string("method", Length::ANY).ok().flatten();
        let is_unknown = method.is_some_and(|name| Method::from_name(&name).is_none());
        if !is_unknown && let Err(error) = holdable(text) {
            return Err(unholdable(text, &error));
        }
        match Self::checked(&root) {
            Ok((id, method)) => Ok(Self {
                id,
                method,
                params: Params::of(root.text("params").filter(|_| !is_unknown)),
                beacon: None,
            }),
            Err(reason) => Err(FrameError::Invalid {
                id: root
                    .optional_string("id", Length::nonempty(MAX_ID_UNITS))
                    .ok()
                    .flatten()
                    .map(Into::into),
                reason: reason.to_string().into(),
            }),
        }
    }

    /// [`parse`](Self::parse), but plain beacons are read the short way, into [`beacon`](Self::beacon).
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_call(text: &str) -> Result<Self, FrameError> {
        match plain::read(text) {
            Some((id, beacon)) => Ok(Self {
                id: id.into(),
                method: plain::METHOD.into(),
                params: Params::NONE,
                beacon: Some(Box::new(beacon)),
            }),
            None => Self::parse(text),
        }
    }

    fn checked(root: &Members<'_>) -> Result<(Box<str>, Box<str>), ParamsError> {
        root.closed(&KNOWN)?;
        root.constant("type", "req")?;
        let id = root.required_string("id", Length::nonempty(MAX_ID_UNITS))?;
        let method = root.required_string("method", Length::nonempty(usize::MAX))?;
        root.optional_string("traceparent", MAX_TRACEPARENT_UNITS)?;
        root.optional_string("expectedProfileId", Length::ANY)?;
        Ok((id.into(), method.into()))
    }
}

/// What is wrong with a text that yields no members.
fn unread(text: &str, error: ReadError) -> FrameError {
    if error == ReadError::Json
        && let Err(error) = holdable(text)
    {
        return unholdable(text, &error);
    }
    invalid(text, || {
        Box::from(match error {
            ReadError::NoObject => "must be object",
            ReadError::Json | ReadError::TooMany => "must NOT have more than 1024 properties",
        })
    })
}

fn unholdable(text: &str, error: &serde_json::Error) -> FrameError {
    invalid(text, || {
        format!(
            "must not hold half a surrogate pair, a number beyond 1.8e308 or more than 127 levels \
             (line {} column {})",
            error.line(),
            error.column()
        )
        .into()
    })
}

/// An invalid frame, if it is JSON at all.
fn invalid(text: &str, reason: impl FnOnce() -> Box<str>) -> FrameError {
    match grammar::scan(text) {
        None => FrameError::NotJson,
        Some(scan) => FrameError::Invalid {
            id: scan.id.filter(|id| is_id(id)).map(Into::into),
            reason: reason(),
        },
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.encode_utf16().take(MAX_ID_UNITS + 1).count() <= MAX_ID_UNITS
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The id and the reason of an invalid frame.
    fn invalid(text: &str) -> (Option<Box<str>>, Box<str>) {
        match Request::parse(text) {
            Err(FrameError::Invalid { id, reason }) => (id, reason),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn requests_with_everything_and_with_the_least() {
        let text = r#"{"params":{"a":[1]},"method":"wake","id":"i","type":"req","traceparent":"","expectedProfileId":"p"}"#;
        let request = Request::parse(text).unwrap();
        assert_eq!(
            request,
            Request {
                id: "i".into(),
                method: "wake".into(),
                params: json!({ "a": [1] }).into(),
                beacon: None,
            }
        );
        let least = Request::parse(r#" {"type":"req","id":"i","method":"m"} "#).unwrap();
        assert_eq!(least.params, Params::NONE);
        let null = Request::parse(r#"{"type":"req","id":"i","method":"wake","params":null}"#).unwrap();
        assert_eq!(null.params.text(), "null");
    }

    #[test]
    fn what_is_not_json() {
        for text in [
            "",
            " ",
            "hello",
            "{",
            r#"{"type":"req"#,
            "{} {}",
            "\u{feff}{}",
            "NaN",
            "[1,]",
            "01",
        ] {
            assert_eq!(Request::parse(text), Err(FrameError::NotJson), "{text:?}");
        }
    }

    #[test]
    fn json_that_is_no_request_says_why_and_keeps_the_id() {
        let long_id = json!({ "type": "req", "id": "i".repeat(1_025), "method": "m" }).to_string();
        let long_trace =
            json!({ "type": "req", "id": "i", "method": "m", "traceparent": "t".repeat(129) }).to_string();
        let cases = [
            ("null", None, "must be object"),
            ("[]", None, "must be object"),
            ("{}", None, "must have required property 'type'"),
            (
                r#"{"type":"req","id":"i"}"#,
                Some("i"),
                "must have required property 'method'",
            ),
            (
                r#"{"type":"res","id":"i","method":"m"}"#,
                Some("i"),
                "at /type: must be equal to constant",
            ),
            (
                r#"{"type":"req","id":5,"method":"m"}"#,
                None,
                "at /id: must be string",
            ),
            (
                r#"{"type":"req","id":"","method":"m"}"#,
                None,
                "at /id: must NOT have fewer than 1 characters",
            ),
            (&*long_id, None, "at /id: must NOT have more than 1024 characters"),
            (
                r#"{"type":"req","id":"i","method":""}"#,
                Some("i"),
                "at /method: must NOT have fewer than 1 characters",
            ),
            (
                r#"{"type":"req","id":"i","method":"m","params":{},"extra":1}"#,
                Some("i"),
                "at root: unexpected property 'extra'",
            ),
            (
                &*long_trace,
                Some("i"),
                "at /traceparent: must NOT have more than 128 characters",
            ),
        ];
        for (text, id, reason) in cases {
            assert_eq!(invalid(text), (id.map(Into::into), reason.into()), "{text}");
        }
    }

    #[test]
    fn what_a_program_cannot_hold_is_an_invalid_frame_with_its_id() {
        let cases = [
            (
                r#"{"type":"req","id":"i","method":"wake","params":{"a":"\ud800"}}"#,
                "column 61",
            ),
            (
                r#"{"type":"req","id":"i","method":"wake","params":{"a":"\udc00 x"}}"#,
                "column 60",
            ),
            (
                r#"{"type":"req","id":"i","method":"wake","params":{"\ud83d\ud83d":1}}"#,
                "column 62",
            ),
            (
                r#"{"type":"req","id":"i","method":"wake","params":[1e999]}"#,
                "column 54",
            ),
            (
                r#"{"params":-1E+999,"type":"req","id":"i","method":"wake"}"#,
                "column 17",
            ),
        ];
        for (text, place) in cases {
            let (id, reason) = invalid(text);
            assert_eq!(id.as_deref(), Some("i"), "{text}");
            assert!(reason.contains(place), "{text}: {reason}");
        }
        assert_eq!(invalid(r#"{"type":"req","id":"\ud800","method":"wake"}"#).0, None);
    }

    #[test]
    fn depth_neither_overflows_nor_hides_the_id() {
        let levels = 500_000;
        let deep = format!(
            r#"{{"type":"req","id":"i","method":"wake","params":{}1{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        );
        let (id, reason) = invalid(&deep);
        assert_eq!(id.as_deref(), Some("i"));
        assert!(reason.contains("more than 127 levels"), "{reason}");
        assert_eq!(Request::parse(&"[".repeat(levels)), Err(FrameError::NotJson));
    }
    #[test]
    fn parameters_of_a_method_that_there_is_not_need_only_be_json() {
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        for params in ["1e999", r#"{"a":"\ud800"}"#, r#"{"\udc00":1}"#, "[[],{}]", &deep] {
            let text = format!(r#"{{"type":"req","id":"i","method":"no.such","params":{params}}}"#);
            let request = Request::parse(&text).unwrap();
            assert_eq!((&*request.id, request.params), ("i", Params::NONE), "{text}");
        }
        for params in ["", "[1,]", "{\"a\"}", "01", "\"\n\"", r#""\x""#] {
            let text = format!(r#"{{"type":"req","id":"i","method":"no.such","params":{params}}}"#);
            assert_eq!(Request::parse(&text), Err(FrameError::NotJson), "{text}");
        }
    }

    #[test]
    fn a_request_of_many_members_is_invalid_and_keeps_its_id() {
        let text = |more: usize| {
            let members = r#""x":0,"#.repeat(more);
            format!(r#"{{{members}"type":"req","method":"no.such","id":"i"}}"#)
        };
        let unexpected = (Some("i".into()), "at root: unexpected property 'x'".into());
        assert_eq!(invalid(&text(1_021)), unexpected);
        let many = (Some("i".into()), "must NOT have more than 1024 properties".into());
        assert_eq!(invalid(&text(1_022)), many);
        assert_eq!(Request::parse(&text(1_022)[1..]), Err(FrameError::NotJson));
    }
}
