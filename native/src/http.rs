//! Plain HTTP beside the WebSocket, on the same port: health, and the page: that of `--web-root`, or one
//! that says what this is.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use crate::gateway::Shared;
use crate::web::WebFile;

/// How long one HTTP connection may last, with everything it asks.
const MAX_CONNECTION_TIME: Duration = Duration::from_secs(10);
/// How long a connection that is turned away may take to read why.
const MAX_REFUSAL_TIME: Duration = Duration::from_secs(1);

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// For the files of a web root: scripts of the page itself and WebAssembly, connections to any gateway.
const WEB_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self' ws: wss:; \
    img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Serves the requests of one connection; `prefix` is what was read of it already.
pub(crate) async fn serve(stream: TcpStream, prefix: Vec<u8>, shared: Arc<Shared>) {
    let stream = TokioIo::new(Rewound {
        prefix: prefix.into(),
        stream,
    });
    let service = service_fn(|request: Request<hyper::body::Incoming>| {
        let response = respond(request.method(), request.uri().path(), request.headers(), &shared);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(stream, service);
    // What fails here is the client's business.
    let _ = tokio::time::timeout(MAX_CONNECTION_TIME, connection).await;
}

/// Answers with a status and a line of text, and closes.
pub(crate) async fn refuse(mut stream: TcpStream, status: StatusCode, text: String) {
    let head = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n{}connection: close\r\n\r\n{text}",
        status.as_u16(),
        status.canonical_reason().unwrap_or(""),
        text.len(),
        if status == StatusCode::UPGRADE_REQUIRED {
            "sec-websocket-version: 13\r\nupgrade: websocket\r\n"
        } else {
            ""
        },
    );
    let _ = tokio::time::timeout(MAX_REFUSAL_TIME, async {
        stream.write_all(head.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with something unread would cut off the answer.
        while stream.read(&mut [0; 1024]).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
}

fn respond(method: &Method, path: &str, asked: &HeaderMap, shared: &Shared) -> Response<Full<Bytes>> {
    let mut response = match (path, &shared.config.web_root) {
        ("/healthz" | "/health", _) => json(StatusCode::OK, r#"{"ok":true,"status":"live"}"#.to_owned()),
        ("/readyz" | "/ready", _) => ready(shared),
        ("/gateway.json", Some(_)) => about(shared),
        (path, Some(root)) => root
            .file(path)
            .map_or_else(not_found, |file| web_file(file, asked)),
        ("/", None) => page(shared),
        _ => not_found(),
    };
    if response.status() != StatusCode::NOT_FOUND && method != Method::GET && method != Method::HEAD {
        response = text(
            StatusCode::METHOD_NOT_ALLOWED,
            "Only GET and HEAD are answered here.\n",
        );
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn not_found() -> Response<Full<Bytes>> {
    text(
        StatusCode::NOT_FOUND,
        "Not found. The gateway speaks WebSocket on any path.\n",
    )
}

fn web_file(file: &WebFile, asked: &HeaderMap) -> Response<Full<Bytes>> {
    let is_known = file.is_known(asked.get(IF_NONE_MATCH));
    let mut response = Response::new(Full::new(if is_known { Bytes::new() } else { file.body.clone() }));
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

/// Tells the page that a gateway serves it, and what the gateway asks of clients. Elsewhere a file of this
/// name says that there is none.
fn about(shared: &Shared) -> Response<Full<Bytes>> {
    let about = serde_json::json!({
        "gateway": true,
        "auth": shared.config.auth.as_str(),
        "version": shared.config.version,
    });
    json(StatusCode::OK, about.to_string())
}

fn ready(shared: &Shared) -> Response<Full<Bytes>> {
    let is_ready = !shared.is_stopping();
    let (status, word) = if is_ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping")
    };
    json(
        status,
        format!(
            r#"{{"ok":{is_ready},"ready":{is_ready},"status":"{word}","uptimeMs":{}}}"#,
            shared.uptime_ms()
        ),
    )
}

fn page(shared: &Shared) -> Response<Full<Bytes>> {
    let secret = match shared.config.auth.as_str() {
        "none" => "",
        "password" => " --password …",
        _ => " --token …",
    };
    let page = include_str!("page.html")
        .replace("{version}", &escape(&shared.config.version))
        .replace("{host}", &escape(&shared.host))
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

fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    with_type(status, "application/json; charset=utf-8", body)
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    with_type(status, "text/plain; charset=utf-8", body.to_owned())
}

fn with_type(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A stream of which the beginning was read already.
struct Rewound {
    prefix: Bytes,
    stream: TcpStream,
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.has_remaining() {
            let count = self.prefix.len().min(buffer.remaining());
            buffer.put_slice(&self.prefix.split_to(count));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
