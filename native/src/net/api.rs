//! The list and beacons over plain HTTP, for scripts and dashboards that poll, with the rights of a WebSocket.

use std::sync::Arc;

use ::http::StatusCode;
use ::http::header::{
    CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use bytes::Bytes;
use presence_core::model::{ClientInfo, Role, SharedText, scope};
use presence_core::server::{BEACON_MODE, Handshake};
use presence_core::wire::error::{FORBIDDEN, UNAVAILABLE};
use presence_core::wire::method::HIDE_ADDRESSES_CAP;
use presence_core::wire::{AuthParams, ErrorKind, NEWEST_PROTOCOL, Request, WireError};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::answer::{Answer, error_text, json};
use super::cors;
use super::http::{App, Asked, joined};
use super::refused::log_refusal;
use crate::auth::tokens::NamedToken;
use crate::conn::{Event, HttpAnswer, HttpCall};

/// The codes of errors about the secret begin with this.
const SECRETS: &str = "AUTH_";

/// `GET /api/presence`.
pub(super) async fn list(
    State(app): State<App>,
    Extension(asked): Extension<Arc<Asked>>,
    headers: HeaderMap,
) -> Answer {
    let mut answer = match authorize(&app, &asked, scope::READ) {
        Ok(token) => {
            let known = joined(&headers, &IF_NONE_MATCH);
            ask(&app, HttpCall::List(known, hides_addresses(token.as_ref()))).await
        }
        Err(error) => refused(&app, &asked, &error),
    };
    cors::allow(&app, &asked, &mut answer);
    answer
}

/// `POST /api/beacon`.
pub(super) async fn beacon(
    State(app): State<App>,
    Extension(asked): Extension<Arc<Asked>>,
    body: Body,
) -> Answer {
    if let Err(error) = authorize(&app, &asked, scope::WRITE) {
        return refused(&app, &asked, &error);
    }
    let read = tokio::select! {
        biased;
        read = read_beacon(&app, &asked, body) => read,
        () = app.shared.clock.sleep_until(asked.late_ms) => {
            Err((StatusCode::REQUEST_TIMEOUT, "the body took too long".to_owned()))
        }
    };
    // The token may have ended while the body was on its way.
    let token = match authorize(&app, &asked, scope::WRITE) {
        Ok(token) => token,
        Err(error) => return refused(&app, &asked, &error),
    };
    match read {
        Ok(request) => {
            let bucket = asked.head.facts(asked.client).bucket();
            let visitor = Handshake {
                visitor: Some(app.shared.visitor(bucket)),
                ..visitor(&app, &asked, scope::WRITE, token.as_ref())
            };
            ask(&app, HttpCall::Beacon(Box::new(visitor), Box::new(request))).await
        }
        Err((status, why)) => error(status, &WireError::invalid_request(why)),
    }
}

async fn ask(app: &App, call: HttpCall) -> Answer {
    match answer_to(app, call).await {
        Some(answer) => answer_of(answer),
        None => stops(),
    }
}

/// What the hub answers; `None` when the gateway stops.
pub(super) async fn answer_to(app: &App, call: HttpCall) -> Option<HttpAnswer> {
    let (answer, answered) = oneshot::channel();
    // A gateway without a driver is stopping; the wait below then ends.
    let _ = app.driver.send(Event::Http(call, answer)).await;
    answered.await.ok()
}

/// The answer of a gateway that stops.
pub(super) fn stops() -> Answer {
    error(
        StatusCode::SERVICE_UNAVAILABLE,
        &WireError::unavailable("the gateway stops"),
    )
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
        HttpAnswer::Beacon(response) => {
            let response: Value = serde_json::from_str(&response.to_string()).unwrap_or_default();
            if response["ok"] == true {
                return json(StatusCode::OK, r#"{"ok":true}"#);
            }
            let error = &response["error"];
            let status = match error["code"].as_str() {
                Some(FORBIDDEN) => StatusCode::FORBIDDEN,
                Some(UNAVAILABLE) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::BAD_REQUEST,
            };
            let body = serde_json::json!({ "ok": false, "error": error });
            json(status, body.to_string())
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
async fn read_beacon(app: &App, asked: &Asked, body: Body) -> Result<Request, (StatusCode, String)> {
    let most = app.shared.limits.preauth_frame_bytes;
    let Some(length) = asked.request.content_length else {
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

/// Whether addresses are hidden from requests with this token.
fn hides_addresses(token: Option<&NamedToken>) -> bool {
    token.is_some_and(|token| token.grant().hides_addresses())
}

/// What a WebSocket without a row would state that needs this scope.
pub(super) fn visitor(app: &App, asked: &Asked, needed: &str, token: Option<&NamedToken>) -> Handshake {
    let caps = hides_addresses(token).then(|| HIDE_ADDRESSES_CAP.into());
    let client = ClientInfo {
        id: "http".into(),
        version: app.shared.config.version.clone(),
        platform: "http".into(),
        mode: BEACON_MODE.into(),
        ..ClientInfo::default()
    };
    Handshake {
        request_id: "1".into(),
        conn_id: uuid::Uuid::new_v4().to_string().into(),
        protocol: NEWEST_PROTOCOL,
        role: Role::Operator,
        scopes: [Box::from(needed)].into(),
        client: client.into(),
        device_id: None,
        caps: caps.into_iter().collect(),
        commands: Vec::new(),
        remote_ip: asked.client.ip.map(|ip| ip.to_string().into()),
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    }
}

/// Whether the request presents a secret that grants this scope to operators. Returns its token, if it is a
/// named one.
pub(super) fn authorize(app: &App, asked: &Asked, needed: &str) -> Result<Option<NamedToken>, WireError> {
    let none = AuthParams::default();
    let auth = asked.request.auth.as_deref().unwrap_or(&none);
    let facts = asked.head.facts(asked.client);
    let shared = &app.shared;
    let (token, grant) = shared
        .admission
        .judge_request(auth, &facts, shared.stated_now())?;
    if grant.permits_scope(needed) {
        Ok(token)
    } else {
        Err(WireError::missing_scope(needed, NEWEST_PROTOCOL))
    }
}

/// The error with the status of its kind.
pub(super) fn refused(app: &App, asked: &Asked, refusal: &WireError) -> Answer {
    let status = match refusal.kind {
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        _ if refusal.stated_code().starts_with(SECRETS) => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    let (shared, now_ms) = (&app.shared, app.shared.clock.now().age_ms);
    log_refusal(
        shared,
        asked.client,
        Some(&asked.head),
        status,
        &refusal.message,
        now_ms,
    );
    let mut answer = error(status, refusal);
    let headers = answer.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(after_ms) = refusal.retry_after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(after_ms.div_ceil(1_000)));
    }
    answer
}

fn error(status: StatusCode, error: &WireError) -> Answer {
    json(status, error_text(error))
}
