//! The log lines about requests that are refused before they become WebSockets.

use ::http::StatusCode;
use tracing::{Level, enabled, warn};

use super::answer::refusal;
use super::head::Head;
use crate::auth::proxy::Client;
use crate::auth::slots::Refused;
use crate::conn::Shared;
use crate::conn::record::{MAX_REASON_BYTES, MAX_TEXT_BYTES, MAX_USER_AGENT_BYTES, addresses};
use crate::log::{Kind, escaped};

/// Logs a request that is refused before it becomes a WebSocket. `head` is what could be read of it.
pub(super) fn log_refusal(
    shared: &Shared,
    client: Client,
    head: Option<&Head>,
    status: StatusCode,
    reason: &str,
    accepted_ms: u64,
) {
    if let Some(metrics) = &shared.metrics {
        metrics.refused_for(&format!("HTTP_{}", status.as_u16()));
    }
    if !(enabled!(Level::WARN) && shared.lines.passes(Kind::Refused, &shared.clock)) {
        return;
    }
    let (address, proxy) = addresses(client);
    let text = |text: Option<&str>, max_bytes| text.map(|text| escaped(text, max_bytes));
    warn!(
        status = status.as_u16(),
        reason = escaped(reason.trim_end(), MAX_REASON_BYTES),
        origin = text(head.and_then(|head| head.origin.as_deref()), MAX_TEXT_BYTES),
        host = text(head.and_then(|head| head.host.as_deref()), MAX_TEXT_BYTES),
        user_agent = text(
            head.and_then(|head| head.user_agent.as_deref()),
            MAX_USER_AGENT_BYTES
        ),
        address,
        proxy,
        duration_ms = shared.clock.now().age_ms.saturating_sub(accepted_ms),
        "refused"
    );
}

/// Logs that there is no slot, and which bound to raise. Returns the response.
pub(super) fn refuse_slot(
    shared: &Shared,
    client: Client,
    head: Option<&Head>,
    refused: Refused,
    accepted_ms: u64,
) -> Vec<u8> {
    let bound = match refused {
        Refused::Connections => "max_connections is the bound",
        Refused::Unauthenticated => "max_unauthenticated and max_unauthenticated_per_address are the bounds",
        Refused::Downloads => {
            "a quarter of max_unauthenticated is the bound, and of that a quarter per address"
        }
    };
    let reason = format!("{refused}; {bound}");
    let status = StatusCode::SERVICE_UNAVAILABLE;
    log_refusal(shared, client, head, status, &reason, accepted_ms);
    let is_api = head.is_some_and(Head::asks_api);
    refusal(status, &refused.to_string(), is_api, shared.clock.now())
}

/// Logs that a TLS handshake failed, and why: clients that do not trust the certificate send an alert.
pub(super) fn log_tls(shared: &Shared, client: Client, reason: &str, accepted_ms: u64) {
    if let Some(metrics) = &shared.metrics {
        metrics.refused_for("TLS");
    }
    if !(enabled!(Level::WARN) && shared.lines.passes(Kind::Refused, &shared.clock)) {
        return;
    }
    let (address, proxy) = addresses(client);
    warn!(
        reason = escaped(reason, MAX_REASON_BYTES),
        address,
        proxy,
        duration_ms = shared.clock.now().age_ms.saturating_sub(accepted_ms),
        "refused: no TLS handshake"
    );
}
