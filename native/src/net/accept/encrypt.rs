//! The TLS handshake of a socket, within the bounds of the handshake that follows.

use ::http::StatusCode;
use tracing::debug;

use super::caller::Caller;
use crate::auth::proxy::Client;
use crate::net::refused::log_tls;
use crate::tls::{NoTls, Tls, Transport};

/// The answer to plain HTTP.
const USE_HTTPS: &str = "this port speaks HTTPS: use https:// and wss://";

/// Encrypts the socket. The time counts as part of the time for the request, and the socket stays silent, so that it
/// can be evicted. `None`: there is no handshake; the socket is closed or has its answer.
pub(super) async fn encrypt<'a>(mut caller: Caller<'a>, tls: &Tls) -> Option<Caller<'a>> {
    let shared = caller.shared;
    let Transport::Plain(stream) = caller.stream else {
        return Some(caller);
    };
    let deadline = caller.asked_ms.saturating_add(shared.limits.handshake_ms);
    let client = Client::direct(caller.address.ip());
    let why = tokio::select! {
        biased;
        () = shared.stopping() => return None,
        outcome = tls.accept(stream) => match outcome {
            Ok(stream) => {
                caller.stream = Transport::Tls(stream);
                return Some(caller);
            }
            Err(NoTls::Gone) => {
                debug!(address = %caller.address, "no TLS handshake");
                return None;
            }
            Err(NoTls::Plain(stream)) => {
                caller.stream = Transport::Plain(stream);
                return caller.refuse(client, Err(&[]), StatusCode::BAD_REQUEST, USE_HTTPS);
            }
            Err(NoTls::Failed(error)) => error.to_string(),
        },
        () = caller.slot.eviction() => {
            "there are too many unauthenticated sockets, and this one was silent the longest".to_owned()
        }
        () = shared.clock.sleep_until(deadline) => "the TLS handshake took too long".to_owned(),
    };
    log_tls(shared, client, &why, caller.accepted_ms);
    None
}
