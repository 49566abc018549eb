//! Reading request frames.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;

use serde_json::Value;

use super::{grammar, plain};
use crate::beacon::Beacon;
use crate::protocol::params::{Length, Members, ParamsError};

/// The longest id of a request, in UTF-16 units.
pub const MAX_ID_UNITS: usize = 1_024;
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
    /// The parameters; [`Value::Null`] when absent.
    pub params: Value,
    /// The parameters of a `system-event` with nothing unusual in it, checked already; `params` is null then.
    pub beacon: Option<Box<Beacon>>,
}

/// Why a text is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// `f64`, more than 127 levels) is an invalid frame, not "not JSON" (SPEC 2, "bad frames").
    ///
    /// ```
    /// use presence_core::protocol::frame::{FrameError, Request};
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
        match serde_json::from_str(text) {
            Ok(value) => Self::from_value(value),
            Err(error) => Err(match grammar::scan(text) {
                None => FrameError::NotJson,
                Some(scan) => FrameError::Invalid {
                    id: scan.id.filter(|id| is_id(id)).map(Into::into),
                    reason: format!(
                        "must not hold half a surrogate pair, a number beyond 1.8e308 or more than 127 levels \
                         (line {} column {})",
                        error.line(),
                        error.column()
                    )
                    .into(),
                },
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
                params: Value::Null,
                beacon: Some(Box::new(beacon)),
            }),
            None => Self::parse(text),
        }
    }

    fn from_value(mut value: Value) -> Result<Self, FrameError> {
        match Self::checked(&value) {
            Ok((id, method)) => Ok(Self {
                id,
                method,
                params: value.get_mut("params").map(Value::take).unwrap_or_default(),
                beacon: None,
            }),
            Err(reason) => Err(FrameError::Invalid {
                id: value
                    .get("id")
                    .and_then(Value::as_str)
                    .filter(|id| is_id(id))
                    .map(Into::into),
                reason: reason.to_string().into(),
            }),
        }
    }

    fn checked(value: &Value) -> Result<(Box<str>, Box<str>), ParamsError> {
        let root = Members::root(value)?;
        root.closed(&KNOWN)?;
        root.constant("type", "req")?;
        let id = root.required_string("id", Length::nonempty(MAX_ID_UNITS))?;
        let method = root.required_string("method", Length::nonempty(usize::MAX))?;
        root.optional_string("traceparent", MAX_TRACEPARENT_UNITS)?;
        root.optional_string("expectedProfileId", Length::ANY)?;
        Ok((id.into(), method.into()))
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
        let text = r#"{"params":{"a":[1]},"method":"m","id":"i","type":"req","traceparent":"","expectedProfileId":"p"}"#;
        let request = Request::parse(text).unwrap();
        assert_eq!(
            request,
            Request {
                id: "i".into(),
                method: "m".into(),
                params: json!({ "a": [1] }),
                beacon: None,
            }
        );
        let least = Request::parse(r#" {"type":"req","id":"i","method":"m"} "#).unwrap();
        assert_eq!(least.params, Value::Null);
        let null = Request::parse(r#"{"type":"req","id":"i","method":"m","params":null}"#).unwrap();
        assert_eq!(null.params, Value::Null);
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
                r#"{"type":"req","id":"i","method":"m","params":{"a":"\ud800"}}"#,
                "column 58",
            ),
            (
                r#"{"type":"req","id":"i","method":"m","params":{"a":"\udc00 x"}}"#,
                "column 57",
            ),
            (
                r#"{"type":"req","id":"i","method":"m","params":{"\ud83d\ud83d":1}}"#,
                "column 59",
            ),
            (
                r#"{"type":"req","id":"i","method":"m","params":[1e999]}"#,
                "column 51",
            ),
            (
                r#"{"params":-1E+999,"type":"req","id":"i","method":"m"}"#,
                "column 17",
            ),
        ];
        for (text, place) in cases {
            let (id, reason) = invalid(text);
            assert_eq!(id.as_deref(), Some("i"), "{text}");
            assert!(reason.contains(place), "{text}: {reason}");
        }
        assert_eq!(invalid(r#"{"type":"req","id":"\ud800","method":"m"}"#).0, None);
    }

    #[test]
    fn depth_neither_overflows_nor_hides_the_id() {
        let levels = 500_000;
        let deep = format!(
            r#"{{"type":"req","id":"i","method":"m","params":{}1{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        );
        let (id, reason) = invalid(&deep);
        assert_eq!(id.as_deref(), Some("i"));
        assert!(reason.contains("more than 127 levels"), "{reason}");
        assert_eq!(Request::parse(&"[".repeat(levels)), Err(FrameError::NotJson));
    }
}
