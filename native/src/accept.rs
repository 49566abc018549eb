//! Takes connections in and finds out what they are: a WebSocket, or plain HTTP.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ::http::StatusCode;
use presence_core::Now;
use presence_core::protocol::WireError;
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tracing::{debug, error, warn};

use crate::admission::Facts;
use crate::answer::refusal;
use crate::connection::{Opening, Session, refused_request};
use crate::driver::Event;
use crate::gateway::Shared;
use crate::head::{Head, HeadError, Upgrade, read_head};
use crate::http;
use crate::proxy::{Client, is_loopback, network, normalise};
use crate::slots::{Address, Refused, Slot};
use crate::user_header::StatedUser;

/// What the kernel may hold for a client that does not read; more would only hide slowness.
pub(crate) const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// Most sockets that are accepted before those that were have their turn: in a flood the others wait in the kernel,
/// and whoever is accepted is looked at at once.
const MAX_ACCEPTS: u64 = 16;
/// First and longest wait when the system cannot give us a socket.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Accepts for ever.
pub(crate) async fn accept_all(
    listeners: &[TcpListener],
    shared: &Arc<Shared>,
    driver: &mpsc::Sender<Event>,
) {
    let mut backoff = BACKOFF.0;
    for accepted in 1_u64.. {
        if accepted.is_multiple_of(MAX_ACCEPTS) {
            tokio::task::yield_now().await;
        }
        match accept(listeners).await {
            Ok((stream, address)) => {
                backoff = BACKOFF.0;
                take_in(stream, address, shared, driver);
            }
            // The client gave up while it waited.
            Err(error) if is_clients_fault(&error) => {}
            Err(error) => {
                if shared.log.accept.passes(shared.clock.now().age_ms) {
                    error!(
                        %error,
                        connections = shared.slots.connections(),
                        "cannot accept connections; if files run out, raise `ulimit -n` or lower --max-connections"
                    );
                }
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(BACKOFF.1);
            }
        }
    }
}

async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|cx| {
        for listener in listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await
}

fn is_clients_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// Gives the socket a place and a task of its own, or turns it away.
fn take_in(stream: TcpStream, address: SocketAddr, shared: &Arc<Shared>, driver: &mpsc::Sender<Event>) {
    let now = shared.clock.now();
    let taken = shared
        .slots
        .take(counted_as(shared, normalise(address.ip())), now.age_ms);
    note_evictions(shared, now);
    let slot = match taken {
        Ok(slot) => slot,
        Err(refused) => {
            note_refusal(shared, address.ip(), None, refused, now.age_ms);
            let answer = refusal(StatusCode::SERVICE_UNAVAILABLE, refused.to_string(), now);
            return shared.parting.dismiss(stream, answer);
        }
    };
    let shared = Arc::clone(shared);
    let driver = driver.clone();
    tokio::spawn(async move {
        if let Some(opening) = open(stream, address, slot, &shared, driver).await {
            // A task holds room for its largest part as long as it lives: a new one for the long part.
            tokio::spawn(Session::new(shared, opening).run());
        }
    });
}

/// Whom a socket of this address is counted with.
fn counted_as(shared: &Shared, ip: IpAddr) -> Address {
    Address {
        network: network(ip),
        is_shared: is_loopback(ip) || shared.proxies.contains(ip),
    }
}

/// A socket whose request is waited for or answered.
struct Caller<'a> {
    stream: TcpStream,
    address: SocketAddr,
    slot: Slot,
    shared: &'a Arc<Shared>,
    /// Since when its request is waited for, on the age clock.
    asked_ms: u64,
}

/// Answers plain requests until there is one to become a WebSocket. Returns what the connection needs then.
async fn open(
    stream: TcpStream,
    address: SocketAddr,
    slot: Slot,
    shared: &Arc<Shared>,
    driver: mpsc::Sender<Event>,
) -> Option<Opening> {
    // A socket that refuses these works all the same.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);

    let mut caller = Caller {
        stream,
        address,
        slot,
        shared,
        asked_ms: shared.clock.now().age_ms,
    };
    let mut patience_ms = shared.limits.handshake_ms;
    let mut bytes = Vec::new();
    for served in 1.. {
        let deadline = caller.asked_ms.saturating_add(patience_ms);
        let head = tokio::select! {
            // What is there counts, however late it is seen.
            biased;
            head = read_head(&mut caller.stream, &mut bytes, shared.config.user_header.as_deref()) => head,
            () = caller.slot.eviction() => Err(HeadError::Evicted),
            () = shared.clock.sleep_until(deadline) => Err(HeadError::TooSlow),
            () = shared.stopping() => return None,
        };
        let head = match head {
            Ok(head) => head,
            // Nobody waits for an answer.
            Err(HeadError::Evicted | HeadError::TooSlow) if served > 1 && bytes.is_empty() => return None,
            Err(error) => {
                let Some(status) = error.status() else {
                    debug!(%address, %error, "no request");
                    return None;
                };
                return caller.refuse(None, status, &error.to_string());
            }
        };
        let client = match caller.attribute(&head) {
            Ok(client) => client,
            Err(refused) => return caller.turn_away(&head, refused),
        };
        let request = match &head.upgrade {
            Upgrade::No(request) => request,
            Upgrade::Required(why) => {
                let why = format!("Not a WebSocket: {why}.");
                return caller.refuse(Some(&head), StatusCode::UPGRADE_REQUIRED, &why);
            }
            Upgrade::Malformed(why) => {
                let why = format!("Not a WebSocket: {why}.");
                return caller.refuse(Some(&head), StatusCode::BAD_REQUEST, &why);
            }
            Upgrade::Accept(key) => {
                let user = caller.user(&head);
                caller.accept(key).await?;
                return Some(Opening {
                    stream: caller.stream,
                    rest: bytes,
                    slot: caller.slot,
                    facts: Facts::new(client, head, user),
                    accepted_ms: caller.asked_ms,
                    driver,
                });
            }
        };
        if !shared.admission.answers_to(head.host.as_deref()) {
            let why = WireError::origin_not_allowed().message;
            return caller.refuse(Some(&head), StatusCode::FORBIDDEN, &why);
        }
        let is_last = request.is_last || served == http::MAX_REQUESTS;
        tokio::select! {
            answered = http::answer(&mut caller.stream, request, is_last, shared) => answered.ok()?,
            () = shared.stopping() => return None,
        }
        if is_last {
            break;
        }
        caller.asked_ms = shared.clock.now().age_ms;
        caller.slot.silent(caller.asked_ms);
        patience_ms = http::KEEP_ALIVE_MS;
        tokio::task::consume_budget().await;
    }
    caller.dismiss(Vec::new());
    None
}

impl Caller<'_> {
    /// Who the user is, if a trusted proxy says so.
    fn user(&self, head: &Head) -> Option<Box<str>> {
        let proxy = normalise(self.address.ip());
        match &head.user {
            StatedUser::User(id) if self.shared.proxies.contains(proxy) => Some(id.clone()),
            StatedUser::Unusable if self.shared.proxies.contains(proxy) => {
                if self.shared.log.user.passes(self.asked_ms) {
                    warn!(%proxy, "the header for the user is repeated, too long or not UTF-8: the client has no user");
                }
                None
            }
            _ => None,
        }
    }

    /// Finds out whose request it is, and counts the socket so.
    fn attribute(&mut self, head: &Head) -> Result<Client, Refused> {
        let now = self.shared.clock.now();
        let client = self.shared.proxies.attribute(
            self.address.ip(),
            head.has_proxy_headers,
            head.forwarded_for.as_deref(),
        );
        if client.is_unattributed {
            note_unattributed(self.shared, self.address, now);
        }
        let address = counted_as(self.shared, client.ip.unwrap_or(client.peer));
        self.slot.attribute(address, now.age_ms)?;
        self.slot.busy(now.age_ms)?;
        Ok(client)
    }

    /// Becomes a WebSocket, and it is the client's turn to say `connect`.
    async fn accept(&mut self, key: &str) -> Option<()> {
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {key}\r\n\r\n"
        );
        self.stream.write_all(answer.as_bytes()).await.ok()?;
        self.slot.silent(self.shared.clock.now().age_ms);
        Some(())
    }

    /// Answers with a status and a line of text, logs both, and closes.
    fn refuse<T>(self, head: Option<&Head>, status: StatusCode, why: &str) -> Option<T> {
        refused_request(self.shared, self.address.ip(), head, status, why, self.asked_ms);
        let answer = refusal(status, format!("{why}\n"), self.shared.clock.now());
        self.dismiss(answer);
        None
    }

    /// There is no place for it.
    fn turn_away<T>(self, head: &Head, refused: Refused) -> Option<T> {
        note_refusal(self.shared, self.address.ip(), Some(head), refused, self.asked_ms);
        let now = self.shared.clock.now();
        let answer = refusal(StatusCode::SERVICE_UNAVAILABLE, refused.to_string(), now);
        self.dismiss(answer);
        None
    }

    /// Closes after these last bytes. The place is free at once.
    fn dismiss(self, answer: Vec<u8>) {
        drop(self.slot);
        self.shared.parting.dismiss(self.stream, answer);
    }
}

fn note_evictions(shared: &Shared, now: Now) {
    if shared.slots.has_evictions() && shared.log.evicted.passes(now.age_ms) {
        let sockets = shared.slots.take_evictions();
        warn!(
            sockets,
            "closed sockets that were silent the longest, for new ones; --max-unauthenticated is the bound"
        );
    }
}

/// Logs that there is no place, and which bound to raise.
fn note_refusal(shared: &Shared, peer: IpAddr, head: Option<&Head>, refused: Refused, accepted_ms: u64) {
    let bound = match refused {
        Refused::Connections => "--max-connections is the bound",
        Refused::Unauthenticated => {
            "--max-unauthenticated and --max-unauthenticated-per-address are the bounds"
        }
    };
    let reason = format!("{refused}; {bound}");
    refused_request(
        shared,
        peer,
        head,
        StatusCode::SERVICE_UNAVAILABLE,
        &reason,
        accepted_ms,
    );
}

fn note_unattributed(shared: &Shared, address: SocketAddr, now: Now) {
    if !shared.log.proxy.passes(now.age_ms) {
        return;
    }
    let proxy = normalise(address.ip());
    if shared.proxies.contains(proxy) {
        warn!(%proxy, "the trusted proxy names no client in X-Forwarded-For; its clients have no address");
    } else {
        warn!(
            %proxy,
            "proxy headers from an address that is not trusted: its clients count as remote and have no address. \
             If it is your proxy, start the gateway with --trusted-proxy {proxy}"
        );
    }
}
