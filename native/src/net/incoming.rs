//! A plain request, and the state of its handlers.

use std::sync::Arc;

use ::http::header::{HeaderMap, HeaderName};
use tokio::sync::{mpsc, oneshot};

use super::head::{Head, PlainRequest, Upgrade};
use crate::auth::proxy::Client;
use crate::conn::{Event, HttpAnswer, HttpCall, Shared, Subscription};

/// The path of the stream of deltas.
pub(super) const STREAM: &str = "/api/presence/stream";

/// A request with the facts that decide about it.
#[derive(Debug)]
pub(crate) struct IncomingRequest {
    pub(crate) head: Head,
    pub(crate) request: PlainRequest,
    pub(crate) client: Client,
    /// When its socket was accepted, on the age clock.
    pub(crate) accepted_ms: u64,
    /// Deadline of its body, on the age clock.
    pub(crate) late_ms: u64,
    /// The connection ends after the answer.
    pub(crate) is_last: bool,
    pub(crate) is_encrypted: bool,
    /// The source of its events, if it requests a stream.
    pub(crate) stream: Option<Arc<Subscription>>,
}

impl IncomingRequest {
    pub(crate) fn new(mut head: Head, client: Client, late_ms: u64) -> Self {
        let request = match &mut head.upgrade {
            Upgrade::No(request) => request.clone(),
            _ => PlainRequest::default(),
        };
        let is_stream = &*request.path == STREAM && &*request.method == "GET";
        Self {
            head,
            client,
            accepted_ms: 0,
            late_ms,
            is_last: request.is_last || is_stream,
            is_encrypted: false,
            stream: is_stream.then(Arc::default),
            request,
        }
    }
}

/// The state of the handlers.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
    pub(crate) driver: mpsc::Sender<Event>,
}

impl App {
    /// Returns the hub's answer; `None` when the gateway stops.
    pub(super) async fn call_hub(&self, call: HttpCall) -> Option<HttpAnswer> {
        let (answer, answered) = oneshot::channel();
        // A gateway without a driver is stopping; the wait below then ends.
        let _ = self.driver.send(Event::Http(call, answer)).await;
        answered.await.ok()
    }
}

/// The values of a header that is a list.
pub(crate) fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<Box<str>> {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    (!values.is_empty()).then(|| values.join(",").into())
}
