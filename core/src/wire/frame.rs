//! Frames that are sent, as text with the large part shared.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt;

use serde::Serialize;

use super::error::WireError;
use crate::model::SharedText;
use crate::model::json::write_string;

/// One text frame to send: `head`, then a `body` that many frames share (the encoded presence
/// list), then `tail`. Nothing is copied per recipient but head and tail.
///
/// ```
/// use presence_core::wire::Frame;
/// let list = std::sync::Arc::new(r#"[{"ts":5}]"#.to_owned());
/// let frame = Frame::ok_shared("7", list);
/// assert_eq!(frame.to_string(), r#"{"type":"res","id":"7","ok":true,"payload":[{"ts":5}]}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Text before the shared part.
    pub head: Cow<'static, str>,
    /// The shared part, if any.
    pub body: Option<SharedText>,
    /// Text after it.
    pub tail: Cow<'static, str>,
}

impl Frame {
    /// A frame that shares nothing.
    #[must_use]
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            head: text.into(),
            body: None,
            tail: Cow::Borrowed(""),
        }
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
        Self {
            head: Cow::Owned(ok_head(id)),
            body: Some(body),
            tail: Cow::Borrowed("}"),
        }
    }

    /// The response to the request `id` whose payload is the JSON text `before`, the shared `body`
    /// and `after`, joined.
    #[must_use]
    pub fn ok_around(id: &str, before: &str, body: SharedText, after: &str) -> Self {
        Self {
            head: Cow::Owned(format!("{}{before}", ok_head(id))),
            body: Some(body),
            tail: Cow::Owned(format!("{after}}}")),
        }
    }

    /// The response to the request `id` with `error`.
    #[must_use]
    pub fn error(id: &str, error: &WireError) -> Self {
        let (id, error) = (json(id), json(error));
        Self::text(format!(
            r#"{{"type":"res","id":{id},"ok":false,"error":{error}}}"#
        ))
    }

    /// The `connect.challenge` event: the first frame of a connection, and the only event without a
    /// `seq`. `ts` is ms since the Unix epoch.
    #[must_use]
    pub fn challenge(nonce: &str, ts: u64) -> Self {
        let nonce = json(nonce);
        Self::text(format!(
            r#"{{"type":"event","event":"connect.challenge","payload":{{"nonce":{nonce},"ts":{ts}}}}}"#
        ))
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len() + self.body.as_ref().map_or(0, |body| body.len()) + self.tail.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        f.write_str(self.body.as_ref().map_or("", |body| body))?;
        f.write_str(&self.tail)
    }
}

impl From<String> for Frame {
    fn from(text: String) -> Self {
        Self::text(text)
    }
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

/// `value` as JSON text. Strings and [`WireError`]s always can be, so the fallback is never used.
fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;
    use alloc::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    const ODD_ID: &str = "a\"b\\c\n\u{1f}\u{2028}é";

    fn parsed(frame: &Frame) -> Value {
        let text = frame.to_string();
        assert_eq!(text.len(), frame.len());
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn ids_are_escaped() {
        let list = SharedText::new("[1]".into());
        let frames = [
            Frame::ok(ODD_ID, &json!([1])),
            Frame::ok_shared(ODD_ID, list.clone()),
            Frame::ok_around(ODD_ID, "", list, ""),
        ];
        for frame in frames {
            let expected = json!({ "type": "res", "id": ODD_ID, "ok": true, "payload": [1] });
            assert_eq!(parsed(&frame), expected);
        }
    }

    #[test]
    fn a_shared_body_may_sit_inside_the_payload() {
        let body = SharedText::new(r#"[{"ts":5}]"#.into());
        let frame = Frame::ok_around("1", r#"{"presence":"#, body.clone(), r#","version":2}"#);
        assert_eq!(
            parsed(&frame)["payload"],
            json!({ "presence": [{ "ts": 5 }], "version": 2 })
        );
        assert!(Arc::ptr_eq(frame.body.as_ref().unwrap(), &body));
    }

    #[test]
    fn an_error_frame_has_no_payload() {
        assert_eq!(
            parsed(&Frame::error(ODD_ID, &WireError::invalid_role())),
            json!({
                "type": "res", "id": ODD_ID, "ok": false,
                "error": { "code": "INVALID_REQUEST", "message": "invalid role" },
            })
        );
    }

    #[test]
    fn a_payload_that_is_no_json_is_answered_as_an_error() {
        let payload = BTreeMap::from([([1, 2], "a list is no key")]);
        assert_eq!(parsed(&Frame::ok("1", &payload))["error"]["code"], "UNAVAILABLE");
    }

    #[test]
    fn the_challenge_has_no_seq_and_no_extra_member() {
        assert_eq!(
            Frame::challenge("n-1", 17).to_string(),
            r#"{"type":"event","event":"connect.challenge","payload":{"nonce":"n-1","ts":17}}"#
        );
    }
}
