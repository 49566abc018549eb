//! Authorization of plain HTTP, and the errors of requests without the right.

use ::http::StatusCode;
use ::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use presence_core::model::{ClientInfo, Role};
use presence_core::server::{BEACON_MODE, Handshake};
use presence_core::wire::method::HIDE_ADDRESSES_CAP;
use presence_core::wire::{AuthParams, ErrorKind, NEWEST_PROTOCOL, WireError};

use super::answer::{Answer, error};
use super::incoming::{App, IncomingRequest};
use super::refused::log_refusal;
use crate::auth::tokens::NamedToken;

/// The prefix of error codes about the secret.
const SECRETS: &str = "AUTH_";

/// Whether the request presents a secret that grants this scope to operators. Returns its token, if it is a
/// named one.
pub(super) fn authorize(
    app: &App,
    incoming: &IncomingRequest,
    needed: &str,
) -> Result<Option<NamedToken>, WireError> {
    let none = AuthParams::default();
    let auth = incoming.request.auth.as_deref().unwrap_or(&none);
    let facts = incoming.head.facts(incoming.client);
    let shared = &app.shared;
    let (token, grant) = shared
        .admission
        .judge_request(auth, &facts, shared.stated_now())?;
    if grant.permits_scope(needed) {
        Ok(token)
    } else {
        Err(WireError::missing_scope(needed, NEWEST_PROTOCOL))
    }
}

/// The error with the status of its kind.
pub(super) fn refused(app: &App, incoming: &IncomingRequest, refusal: &WireError) -> Answer {
    let status = match refusal.kind {
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        _ if refusal.stated_code().starts_with(SECRETS) => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    log_refusal(
        &app.shared,
        incoming.client,
        Some(&incoming.head),
        status,
        &refusal.message,
        incoming.accepted_ms,
    );
    let mut answer = error(status, refusal);
    let headers = answer.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(after_ms) = refusal.retry_after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(after_ms.div_ceil(1_000)));
    }
    answer
}

/// Whether addresses are hidden from requests with this token.
pub(super) fn hides_addresses(token: Option<&NamedToken>) -> bool {
    token.is_some_and(|token| token.grant().hides_addresses())
}

/// Returns the handshake of an equivalent WebSocket, which has this scope and gets no row.
pub(super) fn visitor(
    app: &App,
    incoming: &IncomingRequest,
    needed: &str,
    token: Option<&NamedToken>,
) -> Handshake {
    let caps = hides_addresses(token).then(|| HIDE_ADDRESSES_CAP.into());
    let client = ClientInfo {
        id: "http".into(),
        version: app.shared.config.version.clone(),
        platform: "http".into(),
        mode: BEACON_MODE.into(),
        ..ClientInfo::default()
    };
    Handshake {
        request_id: "1".into(),
        conn_id: uuid::Uuid::new_v4().to_string().into(),
        protocol: NEWEST_PROTOCOL,
        role: Role::Operator,
        scopes: [Box::from(needed)].into(),
        client: client.into(),
        device_id: None,
        caps: caps.into_iter().collect(),
        commands: Vec::new(),
        remote_ip: incoming.client.ip.map(|ip| ip.to_string().into()),
        user: None,
        may_report_input: false,
        clock_skew_ms: None,
        visitor: None,
    }
}
