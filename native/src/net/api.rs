//! The list and beacons over plain HTTP, for scripts and dashboards that poll, with the rights of a WebSocket.

use std::sync::Arc;

use ::http::StatusCode;
use ::http::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, VARY};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use bytes::Bytes;
use presence_core::model::{SharedText, scope};
use presence_core::server::Handshake;
use presence_core::wire::error::{FORBIDDEN, UNAVAILABLE};
use presence_core::wire::{Request, WireError};
use serde_json::value::RawValue;

use super::answer::{Answer, error, json, stops};
use super::cors;
use super::incoming::{App, IncomingRequest, joined};
use super::rights::{authorize, hides_addresses, refused, visitor};
use crate::conn::{HttpAnswer, HttpCall};

/// `GET /api/presence`.
pub(super) async fn list(
    State(app): State<App>,
    Extension(incoming): Extension<Arc<IncomingRequest>>,
    headers: HeaderMap,
) -> Answer {
    let mut answer = match authorize(&app, &incoming, scope::READ) {
        Ok(token) => {
            let known = joined(&headers, &IF_NONE_MATCH);
            call_hub(&app, HttpCall::List(known, hides_addresses(token.as_ref()))).await
        }
        Err(error) => refused(&app, &incoming, &error),
    };
    cors::allow(&app, &incoming, &mut answer);
    answer
}

/// `POST /api/beacon`.
pub(super) async fn beacon(
    State(app): State<App>,
    Extension(incoming): Extension<Arc<IncomingRequest>>,
    body: Body,
) -> Answer {
    if let Err(error) = authorize(&app, &incoming, scope::WRITE) {
        return refused(&app, &incoming, &error);
    }
    let read = tokio::select! {
        biased;
        read = read_beacon(&app, &incoming, body) => read,
        () = app.shared.clock.sleep_until(incoming.late_ms) => {
            Err((StatusCode::REQUEST_TIMEOUT, "the body took too long".to_owned()))
        }
    };
    // The token may have ended while the body was on its way.
    let token = match authorize(&app, &incoming, scope::WRITE) {
        Ok(token) => token,
        Err(error) => return refused(&app, &incoming, &error),
    };
    match read {
        Ok(request) => {
            let bucket = incoming.head.facts(incoming.client).bucket();
            let visitor = Handshake {
                visitor: Some(app.shared.visitor(bucket)),
                ..visitor(&app, &incoming, scope::WRITE, token.as_ref())
            };
            call_hub(&app, HttpCall::Beacon(Box::new(visitor), Box::new(request))).await
        }
        Err((status, why)) => error(status, &WireError::invalid_request(why)),
    }
}

async fn call_hub(app: &App, call: HttpCall) -> Answer {
    match app.call_hub(call).await {
        Some(answer) => answer_of(answer),
        None => stops(),
    }
}

fn answer_of(answer: HttpAnswer) -> Answer {
    match answer {
        HttpAnswer::List(tag, list) => {
            let mut answer = match list {
                Some(list) => json(StatusCode::OK, Bytes::from_owner(List(list))),
                None => json(StatusCode::NOT_MODIFIED, Bytes::new()),
            };
            let headers = answer.headers_mut();
            if let Ok(tag) = HeaderValue::from_str(&tag) {
                headers.insert(ETAG, tag);
            }
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            headers.insert(VARY, HeaderValue::from_static("authorization"));
            answer
        }
        HttpAnswer::Beacon(Ok(())) => json(StatusCode::OK, r#"{"ok":true}"#),
        HttpAnswer::Beacon(Err(refusal)) => {
            let status = match refusal.code {
                FORBIDDEN => StatusCode::FORBIDDEN,
                UNAVAILABLE => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::BAD_REQUEST,
            };
            error(status, &refusal)
        }
        HttpAnswer::Subscribed(_) => stops(),
    }
}

/// A list that is shared with others.
struct List(SharedText);

impl AsRef<[u8]> for List {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Reads a beacon: the parameters of `system-event`.
async fn read_beacon(
    app: &App,
    incoming: &IncomingRequest,
    body: Body,
) -> Result<Request, (StatusCode, String)> {
    let most = app.shared.limits.preauth_frame_bytes;
    let Some(length) = incoming.request.content_length else {
        let why = "the body needs a Content-Length".to_owned();
        return Err((StatusCode::LENGTH_REQUIRED, why));
    };
    if length > most as u64 {
        let why = format!("a body of {length} bytes is more than {most}");
        return Err((StatusCode::PAYLOAD_TOO_LARGE, why));
    }
    let bad = |why: String| (StatusCode::BAD_REQUEST, why);
    let bytes = to_bytes(body, most)
        .await
        .map_err(|_| bad("the body is incomplete".to_owned()))?;
    // A whole value: it cannot end the frame that it is put into.
    let params: &RawValue =
        serde_json::from_slice(&bytes).map_err(|error| bad(format!("the body is not JSON: {error}")))?;
    let frame = format!(r#"{{"type":"req","id":"1","method":"system-event","params":{params}}}"#);
    Request::parse(&frame).map_err(|error| bad(error.to_string()))
}
