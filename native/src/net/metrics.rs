//! Metrics over HTTP: on the port of the WebSocket, and on a separate port from a separate thread, which answers
//! also when the gateway is busy.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{ACCEPT, ALLOW, HeaderMap, HeaderValue, UPGRADE};
use ::http::{Method, Request, StatusCode};
use axum::Extension;
use axum::extract::State;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use presence_core::model::scope;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tracing::{debug, error};

use super::answer::{Answer, text, with_type};
use super::incoming::{App, IncomingRequest, joined};
use super::rights::{authorize, refused};
use crate::conn::Shared;
use crate::metrics::{CLASSIC, OPEN_METRICS, set_gauge};

/// The path of the metrics.
pub(super) const PATH: &str = "/metrics";
/// Most scrapes at once; the oldest makes room for a further one.
const MAX_SCRAPES: usize = 16;
/// Time limit for one scrape. Counted on the runtime's clock, because it does not affect presence.
const SCRAPE_TIME: Duration = Duration::from_secs(5);
/// Pause after the system refused a socket.
const PAUSE: Duration = Duration::from_millis(100);

/// `GET /metrics` on the gateway's port, for requests that present its secret.
pub(super) async fn guarded(
    State(app): State<App>,
    Extension(incoming): Extension<Arc<IncomingRequest>>,
    headers: HeaderMap,
) -> Answer {
    match authorize(&app, &incoming, scope::READ) {
        Ok(_) => answer(&headers, &app.shared).await,
        Err(error) => refused(&app, &incoming, &error),
    }
}

/// All metrics, in the format that the client prefers.
async fn answer(headers: &HeaderMap, shared: &Shared) -> Answer {
    let Some(metrics) = &shared.metrics else {
        return text(StatusCode::NOT_FOUND, "Metrics are off.\n");
    };
    // The driver publishes its values for a scrape.
    metrics.publication.refresh().await;
    set_gauge(&metrics.sockets, shared.slots.connections());
    let accept = joined(headers, &ACCEPT).unwrap_or_default();
    if accept.contains("text/plain") && !accept.contains("application/openmetrics-text") {
        with_type(StatusCode::OK, CLASSIC, metrics.classic_text())
    } else {
        with_type(StatusCode::OK, OPEN_METRICS, metrics.text())
    }
}

/// Answers scrapes in a thread, until the gateway stops.
pub(crate) fn start(listener: TcpListener, shared: Arc<Shared>) {
    let thread = std::thread::Builder::new().name("metrics".into());
    let started = thread.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let served = runtime.and_then(|runtime| runtime.block_on(serve(listener, &shared)));
        if let Err(error) = served {
            error!(%error, "metrics are not answered");
        }
    });
    if let Err(error) = started {
        error!(%error, "metrics are not answered: there is no thread for them");
    }
}

async fn serve(listener: TcpListener, shared: &Arc<Shared>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let accept = async {
        let mut scrapes = VecDeque::with_capacity(MAX_SCRAPES);
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let shared = Arc::clone(shared);
                    scrapes.retain(|scrape: &JoinHandle<_>| !scrape.is_finished());
                    // A scrape takes a few ms, so the oldest is one that sends or reads nothing.
                    if scrapes.len() >= MAX_SCRAPES
                        && let Some(oldest) = scrapes.pop_front()
                    {
                        oldest.abort();
                    }
                    scrapes.push_back(tokio::spawn(async move {
                        tokio::time::timeout(SCRAPE_TIME, scrape(stream, &shared)).await
                    }));
                }
                Err(error) => {
                    debug!(%error, "cannot accept a scrape");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = shared.stopping() => {}
    }
    Ok(())
}

/// Answers one request and closes.
async fn scrape(stream: TcpStream, shared: &Shared) -> hyper::Result<()> {
    let service = service_fn(async |request| Ok::<_, Infallible>(respond(&request, shared).await));
    http1::Builder::new()
        .keep_alive(false)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn respond(request: &Request<Incoming>, shared: &Shared) -> Answer {
    match (request.uri().path(), request.method()) {
        _ if request.headers().contains_key(UPGRADE) => {
            text(StatusCode::BAD_REQUEST, "Only metrics are answered here.\n")
        }
        (PATH, &Method::GET) => answer(request.headers(), shared).await,
        (PATH, _) => {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here.\n");
            answer
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET"));
            answer
        }
        _ => text(StatusCode::NOT_FOUND, "Not found. Metrics are at /metrics.\n"),
    }
}
