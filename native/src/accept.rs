//! Takes connections in and finds out what they are: a WebSocket, or plain HTTP.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::StatusCode;
use presence_core::Now;
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tracing::{debug, error, warn};

use crate::admission::Facts;
use crate::connection::{Opening, Session, refused_request};
use crate::driver::Event;
use crate::gateway::Shared;
use crate::head::{Head, HeadError, Upgrade, read_head};
use crate::http;
use crate::proxy::{is_loopback, normalise};
use crate::slots::{Refused, Slot};

/// What the kernel may hold for a client that does not read; more would only hide slowness.
pub(crate) const SEND_BUFFER_BYTES: usize = 128 * 1024;
/// First and longest wait when the system cannot give us a socket.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Accepts for ever.
pub(crate) async fn accept_all(
    listeners: &[TcpListener],
    shared: &Arc<Shared>,
    driver: &mpsc::Sender<Event>,
) {
    let mut backoff = BACKOFF.0;
    loop {
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
    let ip = normalise(address.ip());
    let mut slot = match shared.slots.take() {
        Ok(slot) => slot,
        Err(refused) => {
            note_refusal(shared, ip, None, refused, shared.clock.now().age_ms);
            // No place, so no task either: what the socket's buffer takes has to do.
            let text = refused.to_string();
            let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nconnection: close";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{text}", text.len());
            let _ = stream.try_write(answer.as_bytes());
            return;
        }
    };
    let is_told_apart = !is_loopback(ip) && !shared.proxies.contains(ip);
    let counted = if is_told_apart {
        slot.count_address(ip)
    } else {
        Ok(())
    };
    let shared = Arc::clone(shared);
    let driver = driver.clone();
    tokio::spawn(async move {
        if let Err(refused) = counted {
            note_refusal(&shared, ip, None, refused, shared.clock.now().age_ms);
            return http::refuse(stream, StatusCode::SERVICE_UNAVAILABLE, refused.to_string()).await;
        }
        if let Some(opening) = open(stream, address, slot, &shared, driver).await {
            // A task holds room for its largest part as long as it lives: a new one for the long part.
            tokio::spawn(Session::new(shared, opening).run());
        }
    });
}

/// Reads the request's head and answers it. Returns what the connection needs if it is a WebSocket.
async fn open(
    mut stream: TcpStream,
    address: SocketAddr,
    mut slot: Slot,
    shared: &Arc<Shared>,
    driver: mpsc::Sender<Event>,
) -> Option<Opening> {
    let now = shared.clock.now();
    // A socket that refuses these works all the same.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);

    let deadline = now.age_ms.saturating_add(shared.config.limits.handshake_ms);
    let head = tokio::select! {
        head = read_head(&mut stream) => head,
        () = shared.clock.sleep_until(deadline) => {
            let (status, why) = (StatusCode::REQUEST_TIMEOUT, "The request took too long.\n");
            refused_request(shared, address.ip(), None, status, why, now.age_ms);
            http::refuse(stream, status, why.to_owned()).await;
            return None;
        }
        () = shared.stopping() => return None,
    };
    let (head, head_len, mut bytes) = match head {
        Ok(head) => head,
        Err(error) => {
            let status = match error {
                HeadError::Io(_) => {
                    debug!(%address, %error, "no request");
                    return None;
                }
                HeadError::Malformed => StatusCode::BAD_REQUEST,
                HeadError::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            };
            let why = format!("{error}\n");
            refused_request(shared, address.ip(), None, status, &why, now.age_ms);
            http::refuse(stream, status, why).await;
            return None;
        }
    };
    let client = shared.proxies.attribute(
        address.ip(),
        head.has_proxy_headers,
        head.forwarded_for.as_deref(),
    );
    if client.is_unattributed {
        note_unattributed(shared, address, now);
    }
    let accept_key = match &head.upgrade {
        Upgrade::No => {
            tokio::select! {
                () = http::serve(stream, bytes, Arc::clone(shared)) => {}
                () = shared.stopping() => {}
            }
            return None;
        }
        Upgrade::Malformed(why) => {
            let (status, why) = (StatusCode::UPGRADE_REQUIRED, format!("Not a WebSocket: {why}.\n"));
            refused_request(shared, address.ip(), Some(&head), status, &why, now.age_ms);
            http::refuse(stream, status, why).await;
            return None;
        }
        Upgrade::Accept(key) => key,
    };
    if let Some(ip) = client.ip.filter(|ip| !is_loopback(*ip))
        && let Err(refused) = slot.count_address(ip)
    {
        note_refusal(shared, address.ip(), Some(&head), refused, now.age_ms);
        http::refuse(stream, StatusCode::SERVICE_UNAVAILABLE, refused.to_string()).await;
        return None;
    }
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept_key}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.ok()?;
    let rest = bytes.split_off(head_len);
    Some(Opening {
        stream,
        rest,
        slot,
        facts: Facts::new(client, head),
        accepted_ms: now.age_ms,
        driver,
    })
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
