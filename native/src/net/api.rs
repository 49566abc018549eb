//! Rights of plain HTTP: what is not for everybody is answered to those who may connect.

use ::http::StatusCode;
use ::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use presence_core::model::scope;
use presence_core::wire::{AuthParams, ErrorKind, NEWEST_PROTOCOL, WireError};

use super::answer::{Answer, with_type};
use super::http::Asked;

/// The status of errors about the secret.
const SECRETS: &str = "AUTH_";

/// Answers a request that needs the gateway's secret, which is in its `Authorization: Bearer` header.
pub(super) fn guarded(asked: &Asked<'_>, answer: impl FnOnce() -> Answer) -> Answer {
    match authorize(asked) {
        Ok(()) => answer(),
        Err(error) => refused(asked, &error),
    }
}

fn authorize(asked: &Asked<'_>) -> Result<(), WireError> {
    let none = AuthParams::default();
    let auth = asked.request.auth.as_deref().unwrap_or(&none);
    let facts = asked.head.facts(asked.client);
    let shared = asked.shared;
    let grant = shared
        .admission
        .judge_request(auth, &facts, shared.stated_now())?;
    if grant.permits_scope(scope::READ) {
        Ok(())
    } else {
        Err(WireError::missing_scope(scope::READ, NEWEST_PROTOCOL))
    }
}

/// The error as JSON, with the status of its kind.
fn refused(asked: &Asked<'_>, error: &WireError) -> Answer {
    let status = match error.kind {
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        _ if error.stated_code().starts_with(SECRETS) => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    if let Some(metrics) = &asked.shared.metrics {
        metrics.refused_for(&format!("HTTP_{}", status.as_u16()));
    }
    let body = serde_json::json!({ "ok": false, "error": error });
    let mut answer = with_type(status, "application/json; charset=utf-8", body.to_string());
    let headers = answer.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(after_ms) = error.retry_after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(after_ms.div_ceil(1_000)));
    }
    answer
}
