//! Frames that are sent: responses and events, as text with a large shared part.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;

use serde::Serialize;

use super::error::WireError;
use crate::model::SharedText;
use crate::model::json::{json_text, write_string};

/// Text in three parts. The middle one, the encoded presence list, is shared with other frames: only the ends are
/// copied for each recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    head: Cow<'static, str>,
    body: Option<SharedText>,
    tail: Cow<'static, str>,
}

impl Parts {
    fn whole(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            head: text.into(),
            body: None,
            tail: Cow::Borrowed(""),
        }
    }

    fn segments(&self) -> [&str; 3] {
        let body = self.body.as_ref().map_or("", |body| body);
        [&self.head, body, &self.tail]
    }

    fn len(&self) -> usize {
        self.segments().iter().map(|segment| segment.len()).sum()
    }
}

/// A whole frame for one connection: a response, or the challenge.
///
/// ```
/// use presence_core::wire::ResponseFrame;
/// let list = std::sync::Arc::new(r#"[{"ts":5}]"#.to_owned());
/// let frame = ResponseFrame::ok_shared("7", list);
/// assert_eq!(frame.to_string(), r#"{"type":"res","id":"7","ok":true,"payload":[{"ts":5}]}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseFrame(Parts);

impl ResponseFrame {
    /// The frame with this text.
    #[must_use]
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self(Parts::whole(text))
    }

    /// The response to the request `id` with `payload`. A payload that cannot be JSON (a map whose
    /// keys are no strings) becomes the error `response serialization failed`.
    #[must_use]
    pub fn ok<T: Serialize + ?Sized>(id: &str, payload: &T) -> Self {
        match serde_json::to_string(payload) {
            Ok(payload) => Self::text(format!("{}{payload}}}", ok_head(id))),
            Err(_) => Self::error(id, &WireError::unavailable("response serialization failed")),
        }
    }

    /// The response to the request `id` with the payload `{"ok":true}`.
    #[must_use]
    pub fn done(id: &str) -> Self {
        let mut text = ok_head(id);
        text.push_str(r#"{"ok":true}}"#);
        Self::text(text)
    }

    /// The response to the request `id` whose whole payload is the shared JSON text `body`.
    #[must_use]
    pub fn ok_shared(id: &str, body: SharedText) -> Self {
        Self::ok_around(id, "", body, "")
    }

    /// The response to the request `id` whose payload is the JSON text `before`, the shared `body`
    /// and `after`, joined.
    #[must_use]
    pub fn ok_around(id: &str, before: &str, body: SharedText, after: &str) -> Self {
        let tail = match after {
            "" => Cow::Borrowed("}"),
            after => Cow::Owned(format!("{after}}}")),
        };
        Self(Parts {
            head: Cow::Owned(ok_head(id) + before),
            body: Some(body),
            tail,
        })
    }

    /// The response to the request `id` with `error`.
    #[must_use]
    pub fn error(id: &str, error: &WireError) -> Self {
        let (id, error) = (json_text(id), json_text(error));
        Self::text(format!(
            r#"{{"type":"res","id":{id},"ok":false,"error":{error}}}"#
        ))
    }

    /// The `connect.challenge` event: the first frame of a connection, and the only event without a
    /// `seq`. `ts` is ms since the Unix epoch.
    #[must_use]
    pub fn challenge(nonce: &str, ts: u64) -> Self {
        let nonce = json_text(nonce);
        Self::text(format!(
            r#"{{"type":"event","event":"connect.challenge","payload":{{"nonce":{nonce},"ts":{ts}}}}}"#
        ))
    }

    /// The text in the order of writing; segments may be empty.
    #[must_use]
    pub fn segments(&self) -> [&str; 3] {
        self.0.segments()
    }

    /// The shared part, if any.
    #[must_use]
    pub fn body(&self) -> Option<&SharedText> {
        self.0.body.as_ref()
    }

    /// Length in bytes.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for ResponseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.segments()
            .iter()
            .try_for_each(|segment| f.write_str(segment))
    }
}

/// An event, shared by its recipients. The `seq`, the last member of the frame, differs for each of them: the text
/// here ends before it, and [`Outgoing`](crate::server::Outgoing) appends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFrame(Parts);

impl EventFrame {
    /// The event `name` with `payload`, a JSON text.
    #[must_use]
    pub fn new(name: &str, payload: impl fmt::Display) -> Self {
        Self(Parts::whole(format!(
            r#"{{"type":"event","event":"{name}","payload":{payload}"#
        )))
    }

    /// The event `name` with the payload `{"presence":<list>}`. The list is shared with other frames; its text may
    /// continue with the members that follow it.
    #[must_use]
    pub fn presence(name: &str, list: SharedText) -> Self {
        Self(Parts {
            head: format!(r#"{{"type":"event","event":"{name}","payload":{{"presence":"#).into(),
            body: Some(list),
            tail: Cow::Borrowed("}"),
        })
    }

    /// Whether it states rows: `presence`, `presence.snapshot` or `presence.delta`.
    #[must_use]
    pub fn is_presence(&self) -> bool {
        self.0.head.starts_with(r#"{"type":"event","event":"presence"#)
    }

    /// The parts of the event for transports with frames of their own.
    #[must_use]
    pub fn parts(&self) -> EventParts {
        let text = self.segments().concat();
        let (head, payload) = text.split_once(r#","payload":"#).unwrap_or((&text, ""));
        let name = head.trim_end_matches('"').rsplit('"').next().unwrap_or("");
        let state = payload
            .rsplit_once(r#","stateVersion":{"presence":"#)
            .filter(|_| self.is_presence());
        let number = state.and_then(|(_, version)| version.split(',').next()?.parse().ok());
        EventParts {
            name: name.into(),
            payload: state.map_or(payload, |(payload, _)| payload).into(),
            version: number,
        }
    }

    /// With a `stateVersion`, a JSON text.
    #[must_use]
    pub fn with_state_version(mut self, version: &str) -> Self {
        let end = match self.0.body {
            Some(_) => &mut self.0.tail,
            None => &mut self.0.head,
        };
        *end.to_mut() += &format!(r#","stateVersion":{version}"#);
        self
    }

    /// The text up to the `seq`, in the order of writing; segments may be empty.
    #[must_use]
    pub fn segments(&self) -> [&str; 3] {
        self.0.segments()
    }

    /// The shared part, if any.
    #[must_use]
    pub fn body(&self) -> Option<&SharedText> {
        self.0.body.as_ref()
    }

    /// Length in bytes, without the `seq`.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The parts of an [`EventFrame`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventParts {
    /// Its name.
    pub name: Box<str>,
    /// Its payload, a JSON text.
    pub payload: Box<str>,
    /// The presence version that it leads to, if it states rows.
    pub version: Option<u64>,
}

fn ok_head(id: &str) -> String {
    const START: &str = r#"{"type":"res","id":"#;
    const END: &str = r#","ok":true,"payload":"#;
    // With room for a short payload, and for the quotes of a plain id.
    let mut head = String::with_capacity(START.len() + id.len() + 2 + END.len() + 16);
    head.push_str(START);
    write_string(&mut head, id);
    head.push_str(END);
    head
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;
    use alloc::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    const ODD_ID: &str = "a\"b\\c\n\u{1f}\u{2028}é";

    fn parsed(frame: &ResponseFrame) -> Value {
        let text = frame.to_string();
        assert_eq!(text.len(), frame.len());
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn ids_are_escaped() {
        let list = SharedText::new("[1]".into());
        let frames = [
            ResponseFrame::ok(ODD_ID, &json!([1])),
            ResponseFrame::ok_shared(ODD_ID, list.clone()),
            ResponseFrame::ok_around(ODD_ID, "", list, ""),
        ];
        for frame in frames {
            let expected = json!({ "type": "res", "id": ODD_ID, "ok": true, "payload": [1] });
            assert_eq!(parsed(&frame), expected);
        }
    }

    #[test]
    fn a_shared_body_may_sit_inside_the_payload() {
        let body = SharedText::new(r#"[{"ts":5}]"#.into());
        let frame = ResponseFrame::ok_around("1", r#"{"presence":"#, body.clone(), r#","version":2}"#);
        assert_eq!(
            parsed(&frame)["payload"],
            json!({ "presence": [{ "ts": 5 }], "version": 2 })
        );
        assert!(Arc::ptr_eq(frame.body().unwrap(), &body));
    }

    #[test]
    fn an_error_frame_has_no_payload() {
        assert_eq!(
            parsed(&ResponseFrame::error(ODD_ID, &WireError::invalid_role())),
            json!({
                "type": "res", "id": ODD_ID, "ok": false,
                "error": { "code": "INVALID_REQUEST", "message": "invalid role" },
            })
        );
    }

    #[test]
    fn a_payload_that_is_no_json_is_answered_as_an_error() {
        let payload = BTreeMap::from([([1, 2], "a list is no key")]);
        assert_eq!(
            parsed(&ResponseFrame::ok("1", &payload))["error"]["code"],
            "UNAVAILABLE"
        );
    }

    #[test]
    fn the_parts_of_an_event_are_those_of_its_text() {
        let state = r#"{"presence":7,"health":1}"#;
        let odd = r#"{"text":","stateVersion":{"presence":8,"}"#;
        for (frame, name, payload, version) in [
            (
                EventFrame::presence("presence.snapshot", SharedText::new("[1]".into()))
                    .with_state_version(state),
                "presence.snapshot",
                r#"{"presence":[1]}"#,
                Some(7),
            ),
            (
                EventFrame::new("presence.delta", odd).with_state_version(state),
                "presence.delta",
                odd,
                Some(7),
            ),
            (EventFrame::new("shutdown", "{}"), "shutdown", "{}", None),
        ] {
            let parts = frame.parts();
            assert_eq!(
                (&*parts.name, &*parts.payload, parts.version),
                (name, payload, version)
            );
        }
    }
}
