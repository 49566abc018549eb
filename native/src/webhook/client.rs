//! One HTTP/1.1 connection to the server, kept between requests.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::delivery::{Outcome, Post};
use super::event::Event;
use super::signature::signature;
use crate::clock::Clock;
use crate::config::WebhookConfig;
use crate::tls::connect::connect;

/// Time limit for name resolution, the connection and its TLS handshake.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Time limit for the request and its response.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
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

/// A connection, and its task, which ends with it.
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
            .map_err(|error| error.to_string())?;
        let (requests, connection) = Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            // The request that fails with it states why.
            let _ = connection.await;
        });
        Ok(Connection {
            requests,
            _task: task,
        })
    }

    /// A new request each time: its signature is of this moment.
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

impl Post for Client {
    async fn post(&mut self, event: &Event) -> Outcome {
        let kept = match self.connection.take() {
            Some(mut kept) => kept.requests.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let mut connection = match kept {
            Some(kept) => kept,
            None => match timeout(CONNECT_WITHIN, self.connect()).await {
                Ok(Ok(connection)) => connection,
                Ok(Err(why)) => return Outcome::Unreachable(why),
                Err(_) => return Outcome::Timeout,
            },
        };
        let request = match self.request(event) {
            Ok(request) => request,
            Err(why) => return Outcome::Unreachable(why),
        };
        let answered = timeout(ANSWER_WITHIN, async {
            let response = connection.requests.send_request(request).await?;
            let status = response.status();
            // A connection with a longer body is not kept.
            let body = axum::body::to_bytes(Body::new(response.into_body()), MAX_ANSWER_BYTES).await;
            Ok::<(StatusCode, bool), hyper::Error>((status, body.is_ok()))
        });
        match answered.await {
            Ok(Ok((status, is_read))) => {
                self.connection = is_read.then_some(connection);
                Outcome::of(status)
            }
            Ok(Err(error)) => Outcome::Unreachable(error.to_string()),
            Err(_) => Outcome::Timeout,
        }
    }
}
