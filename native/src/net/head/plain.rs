//! Requests of plain HTTP.

use presence_core::wire::AuthParams;

/// A request of plain HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlainRequest {
    /// The method; case matters.
    pub method: Box<str>,
    /// The path of its target, still percent-encoded, without the query.
    pub path: Box<str>,
    /// All If-None-Match values, joined by commas.
    pub if_none_match: Option<Box<str>>,
    /// The secret of an `Authorization: Bearer` header.
    pub auth: Option<Box<AuthParams>>,
    /// Whether the client prefers plain text to OpenMetrics.
    pub prefers_text: bool,
    /// The length of its body, if it states one.
    pub content_length: Option<u64>,
    /// No request follows on this connection: the client asked to close, speaks HTTP/1.0 or sent a body.
    pub is_last: bool,
}

/// The secret of an Authorization header; none where its scheme is another one.
pub(super) fn bearer(value: &str) -> AuthParams {
    let secret = value
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim().into());
    AuthParams {
        token: secret,
        ..AuthParams::default()
    }
}

/// Whether an Accept header names plain text and not OpenMetrics.
pub(super) fn prefers_text(value: &str) -> bool {
    value.contains("text/plain") && !value.contains("application/openmetrics-text")
}
