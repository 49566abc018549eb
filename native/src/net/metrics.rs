//! Metrics over HTTP: on the port of the WebSocket, and on one of their own from a thread of their own, which answers
//! however busy the gateway is.

use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use ::http::StatusCode;
use ::http::header::{CONTENT_TYPE, HeaderValue};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tracing::{debug, error};

use super::answer::{Answer, head, text};
use super::head::{PlainRequest, Upgrade, read_head};
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

/// Has what only the driver knows published, before [`answer`].
pub(super) async fn refresh(shared: &Shared) {
    if let Some(metrics) = &shared.metrics {
        metrics.publication.refresh().await;
    }
}

/// All metrics, in the format that the client prefers.
pub(super) fn answer(request: &PlainRequest, shared: &Shared) -> Answer {
    let Some(metrics) = &shared.metrics else {
        return text(StatusCode::NOT_FOUND, "Metrics are off.\n");
    };
    set_gauge(&metrics.sockets, shared.slots.connections());
    let (content_type, body) = if request.prefers_text {
        (CLASSIC, metrics.classic_text())
    } else {
        (OPEN_METRICS, metrics.text())
    };
    let mut answer = Answer::new(Bytes::from(body));
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
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
async fn scrape(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut bytes = Vec::new();
    let answer = match read_head(&mut stream, &mut bytes, None).await {
        Ok(head) => match head.upgrade {
            Upgrade::No(request) => {
                if &*request.path == PATH {
                    refresh(shared).await;
                }
                respond(&request, shared)
            }
            _ => text(StatusCode::BAD_REQUEST, "Only metrics are answered here.\n"),
        },
        Err(error) => match error.status() {
            Some(status) => text(status, format!("{error}.\n")),
            None => return Ok(()),
        },
    };
    let mut bytes = head(&answer, true, shared.clock.now());
    bytes.extend_from_slice(answer.body());
    stream.write_all(&bytes).await?;
    stream.shutdown().await?;
    // The client closes first: a close with unread input would cut the answer off.
    while stream.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

fn respond(request: &PlainRequest, shared: &Shared) -> Answer {
    match (&*request.path, &*request.method) {
        (PATH, "GET") => answer(request, shared),
        (PATH, _) => text(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here.\n"),
        _ => text(StatusCode::NOT_FOUND, "Not found. Metrics are at /metrics.\n"),
    }
}
