//! CORS: pages of other origins may read answers of the API if they may connect.

use std::sync::Arc;

use ::http::StatusCode;
use ::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderValue, ORIGIN, VARY,
};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse as _;

use super::answer::Answer;
use super::incoming::{App, IncomingRequest};

/// How long a browser keeps the answer to a preflight, in s.
const MAX_AGE_S: u64 = 600;

/// Lets the page that sent the request read the answer, if its origin is allowed.
pub(super) fn allow(app: &App, incoming: &IncomingRequest, answer: &mut Answer) {
    let facts = incoming.head.facts(incoming.client);
    let origin = app.shared.admission.page(&facts).map(HeaderValue::from_str);
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_name(ORIGIN));
    if let Some(Ok(origin)) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag"));
    }
}

/// Answers the preflight request that browsers send before `Authorization` to another origin.
pub(super) async fn preflight(
    State(app): State<App>,
    Extension(incoming): Extension<Arc<IncomingRequest>>,
) -> Answer {
    let mut answer = (StatusCode::NO_CONTENT, Body::empty()).into_response();
    allow(&app, &incoming, &mut answer);
    let headers = answer.headers_mut();
    headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
    if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, "GET"),
            (
                ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, if-none-match, last-event-id",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(MAX_AGE_S));
    }
    answer
}
