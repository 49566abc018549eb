//! One plain request and its answer: hyper reads the judged bytes, the router answers, and the client has to read in
//! time.

use std::error::Error as _;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::http::{Request, StatusCode};
use axum::body::{Body, HttpBody as _};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tower::ServiceExt as _;

use super::caller::Caller;
use super::wire::{Pace, Wire};
use crate::auth::slots::Refused;
use crate::conn::Event;
use crate::net::http::{Site, complete};
use crate::net::incoming::IncomingRequest;

/// Largest body of an answer that does not count as a download.
const SMALL_BYTES: u64 = 16 * 1024;
/// Most bytes of an answer that hyper keeps while the client does not read.
const BUFFER_BYTES: usize = 64 * 1024;
/// Time for the rest of a stream that is closed. Counted on the runtime's clock, because it does not affect presence.
const FLUSH_TIME: Duration = Duration::from_secs(1);

/// How an exchange ended.
pub(super) enum Exchanged {
    /// All of the answer is written.
    Whole,
    /// The connection cannot be used further.
    Broken,
    /// The exchange would wait for the client, and there are too many of these.
    Refused(Refused),
}

impl Caller<'_> {
    /// Answers a request. `head` are the bytes of its head, `rest` what was read behind it.
    pub(super) async fn exchange(
        &mut self,
        site: &Site,
        incoming: &Arc<IncomingRequest>,
        mut head: Vec<u8>,
        rest: &mut Vec<u8>,
    ) -> Exchanged {
        let shared = self.shared;
        let body_bytes = incoming.request.content_length.unwrap_or(0);
        let came = rest.len().min(usize::try_from(body_bytes).unwrap_or(usize::MAX));
        // The gateway waits for the rest of the body as it waits for a client that reads slowly.
        if (came as u64) < body_bytes
            && let Err(refused) = self.slot.downloading()
        {
            return Exchanged::Refused(refused);
        }
        head.extend(rest.drain(..came));
        let slot = Mutex::new(&mut self.slot);
        let wire = Wire {
            stream: &mut self.stream,
            request: &head,
            body_left: body_bytes - came as u64,
            is_endless: incoming.stream.is_some(),
            pace: Pace::new(&slot, &shared.clock, shared.limits.stall_ms),
        };
        let service = service_fn(|request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Arc::clone(incoming));
            let answer = site.router.clone().oneshot(request);
            let slot = &slot;
            async move {
                let Ok(mut answer) = answer.await;
                complete(&mut answer, incoming, shared);
                let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                if incoming.stream.is_some() && answer.status() == StatusCode::OK {
                    slot.authenticated();
                }
                // The length of a stream is not known.
                let length = answer.body().size_hint().exact();
                if length.is_some_and(|bytes| bytes > SMALL_BYTES) {
                    slot.downloading()?;
                }
                Ok::<_, Refused>(answer)
            }
        });
        // hyper sees the end of the input after the request, which must not end the answer. The input of a stream ends
        // with the client's connection, which must end it.
        let served = http1::Builder::new()
            .half_close(incoming.stream.is_none())
            .header_read_timeout(None)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(wire), service);
        let mut served = pin!(served);
        let over = async {
            match &incoming.stream {
                None => shared.stopping().await,
                Some(stream) => {
                    stream.closed().await;
                    tokio::time::sleep(FLUSH_TIME).await;
                }
            }
        };
        let outcome = tokio::select! {
            biased;
            () = over => None,
            outcome = served.as_mut() => Some(outcome),
        };
        if let Some(stream) = &incoming.stream {
            // Without a driver there is no subscription to end.
            let _ = site.driver.send(Event::Unsubscribe(Arc::clone(stream))).await;
        }
        match outcome {
            Some(Ok(())) => Exchanged::Whole,
            Some(Err(error)) => match refused_by(&error) {
                Some(refused) => Exchanged::Refused(refused),
                None => Exchanged::Broken,
            },
            None => Exchanged::Broken,
        }
    }
}

/// Why the service refused to answer, if it did. After a failed write no answer is possible.
fn refused_by(error: &hyper::Error) -> Option<Refused> {
    let source = error.source()?;
    source.downcast_ref::<Refused>().copied()
}
