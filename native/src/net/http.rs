//! Plain HTTP on the port of the WebSocket: health checks, and the files of the web root or a page about the gateway.

use ::http::StatusCode;
use ::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use bytes::Bytes;

use crate::auth::proxy::Client;
use crate::conn::Shared;
use crate::net::answer::{Answer, head, text, with_type};
use crate::net::head::{Head, PlainRequest};
use crate::net::{api, metrics};
use crate::web::{WebFile, decoded};

/// Time limit for the next request of a connection, in ms.
pub(crate) const KEEP_ALIVE_MS: u64 = 10_000;
/// Most requests of one connection.
pub(crate) const MAX_REQUESTS: usize = 100;
/// Largest body that is sent together with its head.
const SMALL_BYTES: usize = 16 * 1024;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// For the files of a web root: scripts of the page itself and WebAssembly, connections to any gateway.
const WEB_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self' ws: wss:; \
    img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// A request with what decides about it.
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a PlainRequest,
    pub(crate) head: &'a Head,
    pub(crate) client: Client,
    pub(crate) shared: &'a Shared,
}

/// An answer as bytes.
pub(crate) struct Reply {
    /// The head, with the body if that is small: in one packet.
    pub(crate) head: Vec<u8>,
    /// A body of more than [`SMALL_BYTES`].
    pub(crate) body: Bytes,
}

/// Makes the bytes of an answer.
pub(crate) fn reply(mut answer: Answer, asked: &Asked<'_>, is_last: bool, is_encrypted: bool) -> Reply {
    let Asked { request, shared, .. } = *asked;
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
    if let Some(max_age_s) = shared.config.hsts_s.filter(|_| is_encrypted)
        && let Ok(value) = HeaderValue::try_from(format!("max-age={max_age_s}"))
    {
        answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, value);
    }
    let mut head = head(&answer, is_last, shared.clock.now());
    let mut body = answer.into_body();
    if &*request.method == "HEAD" {
        body = Bytes::new();
    } else if body.len() <= SMALL_BYTES {
        head.extend_from_slice(&std::mem::take(&mut body));
    }
    Reply { head, body }
}

/// Answers a request that the hub is not needed for.
pub(crate) fn respond(asked: &Asked<'_>) -> Answer {
    let Asked { request, shared, .. } = *asked;
    let path = decoded(&request.path);
    let mut response = match (path.as_deref(), &shared.config.web_root) {
        (Some("/healthz" | "/health"), _) => json(r#"{"ok":true,"status":"live"}"#.to_owned()),
        (Some("/readyz" | "/ready"), _) => ready(shared),
        (Some("/metrics"), _) if shared.config.metrics => {
            api::guarded(asked, || metrics::answer(request, shared))
        }
        (Some("/gateway.json"), Some(_)) => about(shared),
        (Some(path), Some(root)) => root
            .file(path)
            .map_or_else(not_found, |file| web_file(file, request.if_none_match.as_deref())),
        (Some("/"), None) => page(shared),
        _ => not_found(),
    };
    if response.status() != StatusCode::NOT_FOUND && !matches!(&*request.method, "GET" | "HEAD") {
        response = text(
            StatusCode::METHOD_NOT_ALLOWED,
            "Only GET and HEAD are answered here.\n",
        );
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn not_found() -> Answer {
    text(
        StatusCode::NOT_FOUND,
        "Not found. The gateway speaks WebSocket on any path.\n",
    )
}

fn web_file(file: &WebFile, if_none_match: Option<&str>) -> Answer {
    let is_known = file.is_known(if_none_match);
    let mut response = Answer::new(if is_known { Bytes::new() } else { file.body.clone() });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let caching = if file.is_immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, file.etag.clone());
    for (name, value) in [
        (CONTENT_TYPE, file.content_type),
        (CACHE_CONTROL, caching),
        (CONTENT_SECURITY_POLICY, WEB_POLICY),
        (X_FRAME_OPTIONS, "SAMEORIGIN"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Describes the gateway for the page. Where no gateway serves the page, a file of this name says so.
fn about(shared: &Shared) -> Answer {
    let about = serde_json::json!({
        "gateway": true,
        "auth": shared.config.auth.as_str(),
        "version": shared.config.version,
    });
    json(about.to_string())
}

/// Readiness. A gateway that stops accepts no requests, so the answer is always `ready`. It is degraded while its fleet
/// cannot be reached: it serves its own rows then. It is so while its history cannot be written, too.
fn ready(shared: &Shared) -> Answer {
    if let Some(reason) = shared.degraded() {
        let degraded = serde_json::json!({
            "ok": true,
            "ready": true,
            "status": "degraded",
            "reason": reason,
            "uptimeMs": shared.uptime_ms(),
        });
        return json(degraded.to_string());
    }
    json(format!(
        r#"{{"ok":true,"ready":true,"status":"ready","uptimeMs":{}}}"#,
        shared.uptime_ms()
    ))
}

fn page(shared: &Shared) -> Answer {
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

fn json(body: String) -> Answer {
    with_type(StatusCode::OK, "application/json; charset=utf-8", body)
}
