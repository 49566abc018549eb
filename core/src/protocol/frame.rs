//! Frames as text, with the large part shared.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use serde_json::Value;

/// A request frame, parsed: `{type:"req", id, method, params?}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The client's id of the request, echoed in the response.
    pub id: Box<str>,
    /// The method's name.
    pub method: Box<str>,
    /// The parameters; [`Value::Null`] when absent.
    pub params: Value,
}

/// One text frame to send: `head`, then a `body` that many frames share (the encoded presence
/// list), then `tail`. Nothing is copied per recipient but head and tail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Text before the shared part.
    pub head: Cow<'static, str>,
    /// The shared part, if any.
    pub body: Option<Arc<str>>,
    /// Text after it.
    pub tail: Cow<'static, str>,
}

impl Frame {
    /// A frame that shares nothing.
    #[must_use]
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self { head: text.into(), body: None, tail: Cow::Borrowed("") }
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

impl core::fmt::Display for Frame {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.head)?;
        f.write_str(self.body.as_deref().unwrap_or(""))?;
        f.write_str(&self.tail)
    }
}

impl From<String> for Frame {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
