//! One HTTP/1.1 connection to the server, kept between requests.

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::delivery::{Outcome, Post};
use super::event::Event;
use super::signature::signature;
use crate::clock::Clock;
use crate::config::WebhookConfig;
use crate::tls::connect::{ConnectError, connect};

/// Time limit of an attempt up to the head of the response: name resolution, connection, TLS handshake and request.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Time limit of the body of a response on a connection that is kept. The next event waits for the body.
const BODY_WITHIN: Duration = Duration::from_secs(1);
/// Longest head of a response, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Longest body of a response on a connection that is kept, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Sends events to the server.
#[derive(Debug)]
pub(crate) struct Client {
    config: WebhookConfig,
    clock: Clock,
    connection: Option<Connection>,
}

/// A connection and its task, which ends with the connection.
#[derive(Debug)]
struct Connection {
    requests: SendRequest<Body>,
    _task: JoinSet<()>,
}

impl Client {
    /// Connects with the first event.
    pub(crate) fn new(config: WebhookConfig, clock: Clock) -> Self {
        Self {
            config,
            clock,
            connection: None,
        }
    }

    async fn connect(&self) -> Result<Connection, String> {
        let (host, port) = self.config.address();
        let stream = connect(host, port, self.config.tls())
            .await
            .map_err(|error| match error {
                // The remedy is about gateways.
                ConnectError::Tls(failure) => failure.cause,
                ConnectError::Tcp(error) => error.to_string(),
            })?;
        let (requests, connection) = Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            // The error of the failed request states the reason.
            let _ = connection.await;
        });
        Ok(Connection {
            requests,
            _task: task,
        })
    }

    /// Returns a new request for each attempt, because the signature contains the time.
    fn request(&self, event: &Event) -> Result<Request<Body>, String> {
        let timestamp_s = self.clock.now().wall_ms / 1_000;
        let signature = signature(self.config.key(), &event.id, timestamp_s, &event.body);
        Request::post(&*self.config.target)
            .header(header::HOST, &*self.config.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::USER_AGENT,
                concat!("presence-gateway/", env!("CARGO_PKG_VERSION")),
            )
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", timestamp_s)
            .header("webhook-signature", signature.unwrap_or_default())
            .body(Body::from(Bytes::clone(&event.body)))
            .map_err(|error| error.to_string())
    }
}

/// The reason why an attempt has no response.
struct Unanswered {
    why: String,
    /// Whether the connection served an earlier event, after which a server can close it at any time.
    was_kept: bool,
}

impl Client {
    /// Sends the event over the kept connection or a new one.
    async fn send(&mut self, event: &Event) -> Result<(Response<Incoming>, Connection), Unanswered> {
        let kept = match self.connection.take() {
            Some(mut kept) => kept.requests.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let was_kept = kept.is_some();
        let failed = |why: String| Unanswered { why, was_kept };
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.connect().await.map_err(failed)?,
        };
        let request = self.request(event).map_err(failed)?;
        match connection.requests.send_request(request).await {
            Ok(response) => Ok((response, connection)),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

impl Post for Client {
    async fn post(&mut self, event: &Event) -> Outcome {
        let answered = timeout(ANSWER_WITHIN, async {
            match self.send(event).await {
                // The server closed the idle connection between two events, which is not a failure: try a new
                // connection.
                Err(unanswered) if unanswered.was_kept => self.send(event).await,
                other => other,
            }
        });
        let (response, connection) = match answered.await {
            Ok(Ok(answered)) => answered,
            Ok(Err(unanswered)) => return Outcome::Unreachable(unanswered.why),
            Err(_) => return Outcome::Timeout,
        };
        let outcome = Outcome::of(response.status(), retry_after(response.headers()));
        // Only the status matters. A connection with a slow or longer body is not kept.
        let body = to_bytes(Body::new(response.into_body()), MAX_ANSWER_BYTES);
        let is_read = matches!(timeout(BODY_WITHIN, body).await, Ok(Ok(_)));
        self.connection = is_read.then_some(connection);
        outcome
    }
}

/// Returns the seconds of the header `Retry-After`. Dates are ignored, because they refer to the server's clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    Some(Duration::from_secs(seconds.parse().ok()?))
}
