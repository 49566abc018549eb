//! The list and beacons over plain HTTP, for scripts and dashboards that poll, with the rights of a WebSocket.

use ::http::StatusCode;
use ::http::header::{ALLOW, CACHE_CONTROL, ETAG, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use bytes::Bytes;
use presence_core::model::{ClientInfo, Role, SharedText, scope};
use presence_core::server::{BEACON_MODE, Handshake};
use presence_core::wire::error::{FORBIDDEN, UNAVAILABLE};
use presence_core::wire::{AuthParams, ErrorKind, NEWEST_PROTOCOL, Request, WireError};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{mpsc, oneshot};

use super::answer::{Answer, with_type};
use super::head::PlainRequest;
use super::http::Asked;
use super::refused::log_refusal;
use crate::conn::{Event, HttpAnswer, HttpCall};

/// The codes of errors about the secret begin with this.
const SECRETS: &str = "AUTH_";

/// A path of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/api/presence`.
    List,
    /// `/api/beacon`.
    Beacon,
}

impl Route {
    /// The route of a request, if it has one.
    pub(super) fn of(request: &PlainRequest) -> Option<Self> {
        match &*request.path {
            "/api/presence" => Some(Self::List),
            "/api/beacon" => Some(Self::Beacon),
            _ => None,
        }
    }

    /// The scope that it needs, as the method of the same purpose does.
    const fn scope(self) -> &'static str {
        match self {
            Self::List => scope::READ,
            Self::Beacon => scope::WRITE,
        }
    }

    const fn methods(self) -> &'static str {
        match self {
            Self::List => "GET, HEAD",
            Self::Beacon => "POST",
        }
    }
}

/// Where the body of a request comes from.
pub(super) struct Body<'a, S> {
    pub(super) stream: &'a mut S,
    /// What was read of it already.
    pub(super) bytes: &'a mut Vec<u8>,
}

/// Answers a request of the API.
pub(super) async fn answer<S: AsyncRead + Unpin>(
    route: Route,
    asked: &Asked<'_>,
    body: Body<'_, S>,
    driver: &mpsc::Sender<Event>,
) -> Answer {
    let methods = route.methods();
    if !methods.split(", ").any(|method| method == &*asked.request.method) {
        let why = format!("only {methods} is answered here");
        let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, &WireError::invalid_request(why));
        answer
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(methods));
        return answer;
    }
    if let Err(error) = authorize(asked, route.scope()) {
        return refused(asked, &error);
    }
    let call = match route {
        Route::List => Ok(HttpCall::List(asked.request.if_none_match.clone())),
        Route::Beacon => {
            let call = beacon(asked, body).await;
            // The token may have ended while the body was on its way.
            if let Err(error) = authorize(asked, route.scope()) {
                return refused(asked, &error);
            }
            call
        }
    };
    let call = match call {
        Ok(call) => call,
        Err((status, why)) => return error(status, &WireError::invalid_request(why)),
    };
    let (answer, answered) = oneshot::channel();
    // Without a driver there is nobody to answer.
    let _ = driver.send(Event::Http(call, answer)).await;
    match answered.await {
        Ok(answer) => answer_of(answer),
        Err(_) => error(
            StatusCode::SERVICE_UNAVAILABLE,
            &WireError::unavailable("the gateway stops"),
        ),
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
        HttpAnswer::Beacon(response) => {
            let response: Value = serde_json::from_str(&response.to_string()).unwrap_or_default();
            if response["ok"] == true {
                return json(StatusCode::OK, Bytes::from_static(br#"{"ok":true}"#));
            }
            let error = &response["error"];
            let status = match error["code"].as_str() {
                Some(FORBIDDEN) => StatusCode::FORBIDDEN,
                Some(UNAVAILABLE) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::BAD_REQUEST,
            };
            let body = serde_json::json!({ "ok": false, "error": error });
            json(status, Bytes::from(body.to_string()))
        }
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
async fn beacon<S: AsyncRead + Unpin>(
    asked: &Asked<'_>,
    body: Body<'_, S>,
) -> Result<HttpCall, (StatusCode, String)> {
    let most = asked.shared.limits.preauth_frame_bytes;
    let Some(length) = asked.request.content_length else {
        let why = "the body needs a Content-Length".to_owned();
        return Err((StatusCode::LENGTH_REQUIRED, why));
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > most {
        let why = format!("a body of {length} bytes is more than {most}");
        return Err((StatusCode::PAYLOAD_TOO_LARGE, why));
    }
    let bad = |why: String| (StatusCode::BAD_REQUEST, why);
    let mut bytes = std::mem::take(body.bytes);
    while bytes.len() < length {
        let read = body.stream.read_buf(&mut bytes).await;
        if !read.is_ok_and(|read| read > 0) {
            return Err(bad("the body is incomplete".to_owned()));
        }
    }
    bytes.truncate(length);
    // A whole value: it cannot end the frame that it is put into.
    let params: &RawValue =
        serde_json::from_slice(&bytes).map_err(|error| bad(format!("the body is not JSON: {error}")))?;
    let frame = format!(r#"{{"type":"req","id":"1","method":"system-event","params":{params}}}"#);
    let request = Request::parse(&frame).map_err(|error| bad(error.to_string()))?;
    Ok(HttpCall::Beacon(Box::new(visitor(asked)), Box::new(request)))
}

/// What a WebSocket would state that only brings a beacon.
fn visitor(asked: &Asked<'_>) -> Handshake {
    let client = ClientInfo {
        id: "http".into(),
        version: asked.shared.config.version.clone(),
        platform: "http".into(),
        mode: BEACON_MODE.into(),
        ..ClientInfo::default()
    };
    Handshake {
        request_id: "1".into(),
        conn_id: uuid::Uuid::new_v4().to_string().into(),
        protocol: NEWEST_PROTOCOL,
        role: Role::Operator,
        scopes: [Box::from(scope::WRITE)].into(),
        client: client.into(),
        device_id: None,
        caps: Vec::new(),
        commands: Vec::new(),
        remote_ip: asked.client.ip.map(|ip| ip.to_string().into()),
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
    }
}

/// Answers a request that needs the gateway's secret, which is in its `Authorization: Bearer` header.
pub(super) fn guarded(asked: &Asked<'_>, answer: impl FnOnce() -> Answer) -> Answer {
    match authorize(asked, scope::READ) {
        Ok(()) => answer(),
        Err(error) => refused(asked, &error),
    }
}

/// Whether the request presents a secret that grants this scope to operators.
fn authorize(asked: &Asked<'_>, needed: &str) -> Result<(), WireError> {
    let none = AuthParams::default();
    let auth = asked.request.auth.as_deref().unwrap_or(&none);
    let facts = asked.head.facts(asked.client);
    let shared = asked.shared;
    let grant = shared
        .admission
        .judge_request(auth, &facts, shared.stated_now())?;
    if grant.permits_scope(needed) {
        Ok(())
    } else {
        Err(WireError::missing_scope(needed, NEWEST_PROTOCOL))
    }
}

/// The error with the status of its kind.
fn refused(asked: &Asked<'_>, refusal: &WireError) -> Answer {
    let status = match refusal.kind {
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        _ if refusal.stated_code().starts_with(SECRETS) => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    let (shared, now_ms) = (asked.shared, asked.shared.clock.now().age_ms);
    log_refusal(
        shared,
        asked.client,
        Some(asked.head),
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
    let body = serde_json::json!({ "ok": false, "error": error });
    json(status, Bytes::from(body.to_string()))
}

fn json(status: StatusCode, body: Bytes) -> Answer {
    with_type(status, "application/json; charset=utf-8", body)
}
