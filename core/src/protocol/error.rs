//! Error objects of response frames (reference 2.2).

use alloc::borrow::Cow;
use alloc::boxed::Box;

use serde::Serialize;
use serde_json::Value;

/// The `error` of a response frame.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WireError {
    /// `INVALID_REQUEST`, `FORBIDDEN`, `NOT_PAIRED` or `UNAVAILABLE`.
    pub code: &'static str,
    /// For people; names the bad member.
    pub message: Cow<'static, str>,
    /// For programs; `details.code` is what clients act on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<Value>>,
    /// Whether the same request may succeed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// After how many ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
