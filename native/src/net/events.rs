//! `GET /api/presence/stream`: the events of a WebSocket with deltas, as server-sent events.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderName;
use ::http::header::{HeaderMap, HeaderValue};
use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, Sse};
use futures_util::stream::{StreamExt as _, once, poll_fn};
use presence_core::model::scope;
use presence_core::wire::EventFrame;
use presence_core::wire::method::DELTA_CAP;

use super::answer::{Answer, stops};
use super::cors;
use super::incoming::{App, IncomingRequest};
use super::rights::{authorize, refused, visitor};
use crate::auth::tokens::Closable;
use crate::conn::{HttpAnswer, HttpCall};

/// How long a client waits before it reconnects.
const RETRY: Duration = Duration::from_secs(3);
/// The newest event that a client received.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Turns off the buffering of events in nginx.
const NO_BUFFER: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// Answers with events until the client is gone, its token ends or the gateway stops.
pub(super) async fn open(
    State(app): State<App>,
    Extension(incoming): Extension<Arc<IncomingRequest>>,
    headers: HeaderMap,
) -> Answer {
    let mut answer = stream(&app, &incoming, &headers).await;
    cors::allow(&app, &incoming, &mut answer);
    answer
}

async fn stream(app: &App, incoming: &IncomingRequest, headers: &HeaderMap) -> Answer {
    let token = match authorize(app, incoming, scope::READ) {
        Ok(token) => token,
        Err(error) => return refused(app, incoming, &error),
    };
    // A HEAD has no stream.
    let stream = incoming.stream.clone().unwrap_or_default();
    let mut lease = None;
    if let (Some(tokens), Some(token)) = (&app.shared.config.tokens, &token) {
        let closable: Arc<dyn Closable> = stream.clone();
        match tokens.lease(token, Arc::downgrade(&closable), app.shared.stated_now()) {
            Ok(taken) => lease = Some(taken),
            // The token ended since it was compared.
            Err(_) => {
                let again = authorize(app, incoming, scope::READ);
                return again.map_or_else(|error| refused(app, incoming, &error), |_| stops());
            }
        }
    }
    let mut ids = Box::default();
    if incoming.stream.is_some() {
        let mut reader = visitor(app, incoming, scope::READ, token.as_ref());
        reader.caps.push(DELTA_CAP.into());
        let last_id = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
        let call = HttpCall::Subscribe(Box::new(reader), last_id.map(Into::into), Arc::clone(&stream));
        match app.call_hub(call).await {
            Some(HttpAnswer::Subscribed(prefix)) => ids = prefix,
            _ => return stops(),
        }
    }
    let events = poll_fn(move |cx| {
        // Its token is counted as long as the stream lasts.
        let _ = &lease;
        stream.poll_next(cx)
    });
    let events = events.map(move |frame| event(&frame, &ids));
    let events = once(ready(Event::default().retry(RETRY))).chain(events);
    let mut answer = Sse::new(events.map(Ok::<_, Infallible>)).into_response();
    let (name, value) = NO_BUFFER;
    answer.headers_mut().insert(name, value);
    answer
}

/// The text of an event. `ids` is the prefix of the ids.
fn event(frame: &EventFrame, ids: &str) -> Event {
    let parts = frame.parts();
    if &*parts.name == "tick" {
        return Event::default().comment("tick");
    }
    let event = Event::default().event(&parts.name).data(&parts.payload);
    match parts.version {
        Some(version) => event.id(format!("{ids}-{version}")),
        None => event,
    }
}
