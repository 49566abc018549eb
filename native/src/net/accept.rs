//! Accepts connections and reads their requests: each becomes a WebSocket or is answered as plain HTTP.

mod caller;
mod encrypt;
mod exchange;
mod wire;

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ::http::StatusCode;
use presence_core::Now;
use presence_core::wire::WireError;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tracing::{debug, error, warn};

use crate::auth::proxy::{Client, is_loopback, network};
use crate::auth::slots::{Address, Slot};
use crate::auth::user_header::UserHeader;
use crate::conn::{Event, Opening, Session, Shared};
use crate::net::answer;
use crate::net::head::{HeadError, Upgrade, read_head};
use crate::net::http::{self, Site};
use crate::net::incoming::IncomingRequest;
use crate::net::refused::refuse_slot;
use crate::tls::Transport;
use caller::Caller;
use encrypt::encrypt;
use exchange::Exchanged;

/// Most sockets accepted before other tasks run. In a flood the rest wait in the kernel, so that an accepted socket is
/// read without delay.
const MAX_ACCEPTS: usize = 16;
/// First and longest pause after the system refused a socket.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Accepts sockets until the future is dropped.
pub(crate) async fn accept_all(
    listeners: &[TcpListener],
    shared: &Arc<Shared>,
    driver: &mpsc::Sender<Event>,
) {
    let site = Arc::new(Site::new(shared, driver));
    let mut backoff = BACKOFF.0;
    for accepted in 1_usize.. {
        if accepted.is_multiple_of(MAX_ACCEPTS) {
            tokio::task::yield_now().await;
        }
        match accept(listeners, accepted).await {
            Ok((stream, address)) => {
                backoff = BACKOFF.0;
                take_in(stream, address, shared, &site);
            }
            // The client gave up while it waited.
            Err(error) if is_caused_by_client(&error) => {}
            Err(error) => {
                if shared.log.accept.passes(shared.clock.now().age_ms) {
                    error!(
                        %error,
                        connections = shared.slots.connections(),
                        "cannot accept connections; if files run out, raise `ulimit -n` or lower max_connections"
                    );
                }
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(BACKOFF.1);
            }
        }
    }
}

/// Accepts a socket. Each listener has its turn as the first, so that a flood at one does not shut the others out.
async fn accept(listeners: &[TcpListener], turn: usize) -> io::Result<(TcpStream, SocketAddr)> {
    let first = turn.checked_rem(listeners.len()).unwrap_or(0);
    let (later, sooner) = listeners.split_at(first);
    poll_fn(|cx| {
        for listener in sooner.iter().chain(later) {
            if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await
}

fn is_caused_by_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// Takes a slot for the socket and spawns its task, or refuses it.
fn take_in(stream: TcpStream, address: SocketAddr, shared: &Arc<Shared>, site: &Arc<Site>) {
    let now = shared.clock.now();
    let taken = shared
        .slots
        .take(counted_as(shared, address.ip().to_canonical()), now.age_ms);
    note_evictions(shared, now);
    let slot = match taken {
        Ok(slot) => slot,
        Err(refused) => {
            let client = Client::direct(address.ip());
            let answer = refuse_slot(shared, client, None, refused, now.age_ms);
            // A TLS client cannot read it.
            let answer = if shared.config.tls.is_some() {
                Vec::new()
            } else {
                answer
            };
            return shared.parting.dismiss(Transport::Plain(stream), answer);
        }
    };
    let shared = Arc::clone(shared);
    let site = Arc::clone(site);
    tokio::spawn(async move {
        if let Some(opening) = open(stream, address, slot, &shared, &site).await {
            drop(site);
            // Spawned separately: a future is as large as its largest state, which is 1.5 kB while the request is read.
            tokio::spawn(Session::new(shared, opening).run());
        }
    });
}

/// The address that a socket counts against.
fn counted_as(shared: &Shared, ip: IpAddr) -> Address {
    Address {
        network: network(ip),
        is_shared: is_loopback(ip) || shared.proxies.contains(ip),
    }
}

/// Answers plain requests up to the first that starts a WebSocket. Returns what the connection needs then.
async fn open(
    stream: TcpStream,
    address: SocketAddr,
    slot: Slot,
    shared: &Arc<Shared>,
    site: &Arc<Site>,
) -> Option<Opening> {
    let asked_ms = shared.clock.now().age_ms;
    let mut caller = Caller {
        stream: Transport::Plain(stream),
        address,
        slot,
        shared,
        accepted_ms: asked_ms,
        asked_ms,
    };
    if let Some(tls) = &shared.config.tls {
        // Boxed: the handshake takes more room than the request.
        caller = Box::pin(encrypt(caller, tls)).await?;
    }
    let mut patience_ms = shared.limits.handshake_ms;
    let mut bytes = Vec::new();
    for served in 1.. {
        let deadline = caller.asked_ms.saturating_add(patience_ms);
        let head = tokio::select! {
            biased;
            () = shared.stopping() => return None,
            // Bytes that have arrived win over deadlines.
            head = read_head(&mut caller.stream, &mut bytes, shared.config.user_header.as_ref().map(UserHeader::as_str)) => head,
            () = caller.slot.eviction() => Err(HeadError::Evicted),
            () = shared.clock.sleep_until(deadline) => Err(HeadError::TooSlow),
        };
        let mut head = match head {
            Ok(head) => head,
            // The client has not started another request.
            Err(HeadError::Evicted | HeadError::TooSlow) if served > 1 && bytes.is_empty() => return None,
            Err(error) => {
                let Some(status) = error.status() else {
                    debug!(%address, %error, "no request");
                    return None;
                };
                return caller.refuse(
                    Client::direct(address.ip()),
                    Err(&bytes),
                    status,
                    &error.to_string(),
                );
            }
        };
        let client = caller.client(&head);
        if let Err(refused) = caller.count(client) {
            return caller.refuse_without_slot(client, &head, refused);
        }
        let request = match &mut head.upgrade {
            Upgrade::No(request) => std::mem::take(&mut request.bytes),
            Upgrade::Refuse(status, why) => {
                let (status, why) = (*status, format!("Not a WebSocket: {why}."));
                return caller.refuse(client, Ok(&head), status, &why);
            }
            Upgrade::Accept(key) => {
                let answer = answer::upgrade(key);
                let user = caller.user(&head);
                caller.slot.upgraded(shared.clock.now().age_ms);
                return Some(Opening {
                    stream: caller.stream,
                    answer,
                    rest: bytes,
                    slot: caller.slot,
                    facts: head.into_facts(client, user),
                    accepted_ms: caller.accepted_ms,
                    asked_ms: caller.asked_ms,
                    driver: site.driver.clone(),
                });
            }
        };
        if !shared.admission.answers_to(head.host.as_deref()) {
            let why = WireError::origin_not_allowed(None).message;
            return caller.refuse(client, Ok(&head), StatusCode::FORBIDDEN, &why);
        }
        let late_ms = caller.asked_ms.saturating_add(shared.limits.handshake_ms);
        let mut incoming = IncomingRequest::new(head, client, late_ms);
        incoming.accepted_ms = caller.accepted_ms;
        incoming.is_last |= served == http::MAX_REQUESTS;
        incoming.is_encrypted = caller.is_encrypted();
        let is_last = incoming.is_last;
        // Boxed: unboxed it adds its size to each socket that waits for its request.
        let incoming = Arc::new(incoming);
        match Box::pin(caller.exchange(site, &incoming, request, &mut bytes)).await {
            Exchanged::Whole => {}
            Exchanged::Broken => return None,
            Exchanged::Refused(refused) => {
                return caller.refuse_without_slot(client, &incoming.head, refused);
            }
        }
        if is_last {
            break;
        }
        caller.asked_ms = shared.clock.now().age_ms;
        caller.slot.answered();
        patience_ms = http::KEEP_ALIVE_MS;
        // Other connections run between pipelined requests.
        tokio::task::yield_now().await;
    }
    caller.dismiss(Vec::new());
    None
}

fn note_evictions(shared: &Shared, now: Now) {
    if shared.slots.has_evictions() && shared.log.evicted.passes(now.age_ms) {
        let sockets = shared.slots.take_evictions();
        warn!(
            sockets,
            "closed sockets that were silent the longest, for new ones; max_unauthenticated, \
             max_unauthenticated_per_address and max_connections are the bounds"
        );
    }
}

fn note_unattributed(shared: &Shared, address: SocketAddr, now: Now) {
    if !shared.log.proxy.passes(now.age_ms) {
        return;
    }
    let proxy = address.ip().to_canonical();
    if shared.proxies.contains(proxy) {
        warn!(%proxy, "the trusted proxy names no client in X-Forwarded-For; its clients have no address");
    } else {
        warn!(
            %proxy,
            "proxy headers from an address that is not trusted: its clients count as remote and have no address. \
             If it is your proxy, add {proxy} to trusted_proxies"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that a call of this function keeps while it waits.
    fn kept<A, B, C, D, E, F: Future>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
        size_of::<F>()
    }

    #[tokio::test]
    async fn a_flood_at_one_listener_does_not_shut_the_others_out() {
        let mut listeners = Vec::new();
        for _ in 0..2 {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        for flooded in 0..2 {
            let flooding = listeners[flooded].local_addr().unwrap();
            let other = listeners[1 - flooded].local_addr().unwrap();
            let mut clients = vec![TcpStream::connect(other).await.unwrap()];
            for _ in 0..3 {
                clients.push(TcpStream::connect(flooding).await.unwrap());
            }
            let mut accepted = Vec::new();
            for turn in 1..=2 {
                let (stream, _) = accept(&listeners, turn).await.unwrap();
                accepted.push(stream.local_addr().unwrap());
            }
            assert!(accepted.contains(&other), "{accepted:?}");
            for turn in 1..=2 {
                accept(&listeners, turn).await.unwrap();
            }
        }
    }

    #[test]
    fn a_socket_that_waits_for_its_request_is_small() {
        let bytes = kept(|a, b, c, d: &'static Arc<Shared>, e| open(a, b, c, d, e));
        assert!(bytes <= 1584, "{bytes}");
    }
}
