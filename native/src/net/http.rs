//! Plain HTTP on the port of the WebSocket: the routes, health checks, and the files of the web root or a page about
//! the gateway.

use std::sync::Arc;

use ::http::StatusCode;
use ::http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, ETAG, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::{get, post};
use presence_core::wire::WireError;
use tokio::sync::mpsc;

use crate::conn::{Event, Shared};
use crate::net::answer::{Answer, error, json, text, with_type};
use crate::net::incoming::{App, IncomingRequest, STREAM, joined};
use crate::net::{api, cors, events, metrics};
use crate::web::{WebFile, decoded};

/// Time limit for the next request of a connection, in ms.
pub(crate) const KEEP_ALIVE_MS: u64 = 10_000;
/// Most requests of one connection.
pub(crate) const MAX_REQUESTS: usize = 100;
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// For the files of a web root: scripts of the page itself and WebAssembly, connections to any gateway.
const WEB_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self' ws: wss:; \
    img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The service for plain requests.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) router: Router,
    pub(crate) driver: mpsc::Sender<Event>,
}

impl Site {
    pub(crate) fn new(shared: &Arc<Shared>, driver: &mpsc::Sender<Event>) -> Self {
        let app = App {
            shared: Arc::clone(shared),
            driver: driver.clone(),
        };
        let mut router = Router::new()
            .route("/healthz", get(live))
            .route("/health", get(live))
            .route("/readyz", get(ready))
            .route("/ready", get(ready))
            .route("/api/presence", get(api::list).options(cors::preflight))
            .route(STREAM, get(events::open).options(cors::preflight))
            .route("/api/beacon", post(api::beacon));
        if shared.config.metrics {
            router = router.route(metrics::PATH, get(metrics::guarded));
        }
        router = match &shared.config.web_root {
            Some(_) => router.route("/gateway.json", get(about)),
            None => router.route("/", get(page)),
        };
        Self {
            router: router
                .fallback(file)
                .method_not_allowed_fallback(wrong_method)
                .with_state(app),
            driver: driver.clone(),
        }
    }
}

/// Adds the headers that every answer has.
pub(crate) fn complete(answer: &mut Answer, incoming: &IncomingRequest, shared: &Shared) {
    let headers = answer.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Some(max_age_s) = shared.config.hsts_s.filter(|_| incoming.is_encrypted)
        && let Ok(value) = HeaderValue::try_from(format!("max-age={max_age_s}"))
    {
        headers.insert(STRICT_TRANSPORT_SECURITY, value);
    }
    if incoming.is_last {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

async fn live() -> Answer {
    json(StatusCode::OK, r#"{"ok":true,"status":"live"}"#)
}

/// A file of the web root.
async fn file(State(app): State<App>, request: Request) -> Answer {
    let path = request.uri().path();
    let root = app.shared.config.web_root.as_ref();
    let name = decoded(path);
    let found = name.and_then(|name| root?.file(&name));
    match found {
        None if path.starts_with("/api/") => {
            error(StatusCode::NOT_FOUND, &WireError::invalid_request("no such path"))
        }
        None => text(
            StatusCode::NOT_FOUND,
            "Not found. The gateway speaks WebSocket on any path.\n",
        ),
        // A fallback is no route, so the router adds no `Allow`.
        Some(_) if !matches!(request.method().as_str(), "GET" | "HEAD") => {
            let mut answer = wrong_method(request).await;
            answer
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET,HEAD"));
            answer
        }
        Some(file) => web_file(file, joined(request.headers(), &IF_NONE_MATCH).as_deref()),
    }
}

/// Refuses a method. `Allow` comes from the router, which has the methods of each route.
async fn wrong_method(request: Request) -> Answer {
    const STATUS: StatusCode = StatusCode::METHOD_NOT_ALLOWED;
    if request.uri().path().starts_with("/api/") {
        let why = "this path does not answer this method: use one that the header Allow names";
        return error(STATUS, &WireError::invalid_request(why));
    }
    text(STATUS, "Only GET and HEAD are answered here.\n")
}

fn web_file(file: &WebFile, if_none_match: Option<&str>) -> Answer {
    let mut response = if file.is_known(if_none_match) {
        with_type(StatusCode::NOT_MODIFIED, file.content_type, Body::empty())
    } else {
        with_type(StatusCode::OK, file.content_type, file.body.clone())
    };
    let caching = if file.is_immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, file.etag.clone());
    for (name, value) in [
        (CACHE_CONTROL, caching),
        (CONTENT_SECURITY_POLICY, WEB_POLICY),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Describes the gateway for the page. A page from another server has a file of this name, which states that.
async fn about(State(app): State<App>) -> Answer {
    let shared = &app.shared;
    let about = serde_json::json!({
        "gateway": true,
        "auth": shared.config.auth.as_str(),
        "version": shared.config.version,
    });
    json(StatusCode::OK, about.to_string())
}

/// Readiness. `ready` is always true, because a gateway that stops accepts no requests. `status` is `degraded` while
/// the fleet cannot be reached (the gateway then serves only its own rows), and while the history cannot be written.
async fn ready(State(app): State<App>) -> Answer {
    let shared = &app.shared;
    if let Some(reason) = shared.degraded() {
        let degraded = serde_json::json!({
            "ok": true,
            "ready": true,
            "status": "degraded",
            "reason": reason,
            "uptimeMs": shared.uptime_ms(),
        });
        return json(StatusCode::OK, degraded.to_string());
    }
    json(
        StatusCode::OK,
        format!(
            r#"{{"ok":true,"ready":true,"status":"ready","uptimeMs":{}}}"#,
            shared.uptime_ms()
        ),
    )
}

async fn page(State(app): State<App>) -> Answer {
    let shared = &app.shared;
    let secret = match shared.config.auth.as_str() {
        "none" => "",
        "password" => " --password …",
        _ => " --token …",
    };
    let page = include_str!("page.html")
        .replace("{version}", &escape(&shared.config.version))
        .replace("{host}", &escape(&shared.host))
        .replace("{scheme}", if shared.config.tls.is_some() { "wss" } else { "ws" })
        .replace("{port}", &shared.port.to_string())
        .replace("{auth}", shared.config.auth.as_str())
        .replace("{secret}", secret);
    with_type(StatusCode::OK, "text/html; charset=utf-8", page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
