//! Requests of plain HTTP.

use presence_core::wire::AuthParams;

/// A request of plain HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlainRequest {
    /// The method; case matters.
    pub method: Box<str>,
    /// The path of its target, still percent-encoded, without the query.
    pub path: Box<str>,
    /// The secret of an `Authorization: Bearer` header.
    pub auth: Option<Box<AuthParams>>,
    /// The length of its body, if it states one.
    pub content_length: Option<u64>,
    /// No request follows on this connection: the client requests the close, speaks HTTP/1.0 or sent a body.
    pub is_last: bool,
    /// The bytes of the head.
    pub bytes: Vec<u8>,
}

/// The secret of an Authorization header; none if its scheme is not Bearer.
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

/// The prefix of the API's paths.
const API: &str = "/api/";

impl PlainRequest {
    /// Whether it is about the API.
    pub(crate) fn asks_api(&self) -> bool {
        self.path.starts_with(API)
    }
}

/// Whether the first bytes of a request that could not be read are about the API.
pub(crate) fn begins_api(bytes: &[u8]) -> bool {
    let target = bytes.split(|byte| *byte == b' ').nth(1);
    target.is_some_and(|target| target.starts_with(API.as_bytes()))
}
