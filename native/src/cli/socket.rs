//! One WebSocket of a client as a task, which connects and carries messages both ways.

use std::fmt::Display;
use std::io::ErrorKind;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use presence_core::wire::CloseFrame;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame as WireClose;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::options::Target;
use super::{Failure, printable};
use crate::tls::connect::{ClientTransport, ConnectError, connect};

/// The longest accepted message, in bytes.
const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024;
/// Most bytes that wait for a gateway which does not read. Beyond it only the newest pong is kept.
const MAX_UNSENT_BYTES: usize = 1024 * 1024;
/// Most messages queued in each direction.
pub(super) const MAX_WAITING: usize = 64;
/// Time limits for sending a frame, and for the response to a close.
const SEND_TIME: Duration = Duration::from_secs(10);
const CLOSE_TIME: Duration = Duration::from_millis(500);

/// A socket's event, with the socket's number.
pub(super) type Report = (u64, SocketEvent);
pub(super) type Reports = mpsc::Sender<Report>;

/// An event of a socket.
#[derive(Debug)]
pub(super) enum SocketEvent {
    Open,
    Text(Utf8Bytes),
    Closed(Closed),
}

/// Why a socket ended or could not be opened.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) code: u16,
    pub(super) reason: String,
    /// The failure of a command that tries once.
    pub(super) failure: Failure,
}

/// The client's end of a socket. The task ends soon after it is dropped.
#[derive(Debug)]
pub(super) struct Socket {
    number: u64,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
enum Order {
    Send(Box<str>),
    Close(u16, &'static str),
}

impl Socket {
    /// Opens one.
    pub(super) fn open(target: &Target, number: u64, reports: Reports) -> Self {
        let (orders, received) = mpsc::channel(MAX_WAITING);
        let task = tokio::spawn(run(target.clone(), number, received, reports));
        Self { number, orders, task }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Queues a text frame; `false` when the socket is gone or the queue is full.
    pub(super) fn send(&self, text: Box<str>) -> bool {
        self.orders.try_send(Order::Send(text)).is_ok()
    }

    /// Closes the socket. Returns its task, which ends after the close.
    pub(super) fn close(self, code: u16, reason: &'static str) -> JoinHandle<()> {
        // A full queue means that the socket does not send; dropping the sender ends it too.
        let _ = self.orders.try_send(Order::Close(code, reason));
        self.task
    }
}

async fn run(target: Target, number: u64, mut orders: mpsc::Receiver<Order>, reports: Reports) {
    let opened = tokio::select! {
        opened = open(&target) => opened,
        // Before the socket is open the only order is to close.
        _ = orders.recv() => return,
    };
    let closed = match opened {
        Ok(mut socket) => {
            if reports.send((number, SocketEvent::Open)).await.is_err() {
                return;
            }
            exchange(&mut socket, &target.url(), number, &mut orders, &reports).await
        }
        Err(closed) => Some(closed),
    };
    if let Some(closed) = closed {
        // The client may be gone.
        let _ = reports.send((number, SocketEvent::Closed(closed))).await;
    }
}

async fn open(target: &Target) -> Result<WebSocketStream<ClientTransport>, Closed> {
    let url = target.url();
    let host = target.host.trim_start_matches('[').trim_end_matches(']');
    let opened = connect(host, target.port, target.tls.as_ref()).await;
    let stream = opened.map_err(|error| {
        let hint = match error {
            ConnectError::Tcp(_) => " (is the gateway running?)",
            ConnectError::Tls(_) => "",
        };
        lost(&error, Failure::Connect(format!("{url}: {error}{hint}")))
    })?;
    let request = format!("{url}{}", target.path);
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .max_write_buffer_size(MAX_UNSENT_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => {
            let why = response.body().as_deref().map(first_line).unwrap_or_default();
            let reason = format!("HTTP {}{why}", response.status());
            let text = format!("{url} answered {reason}");
            // 5xx may be temporary.
            let failure = if response.status().is_server_error() {
                Failure::Connect(text)
            } else {
                Failure::Refused(text)
            };
            Err(lost(&reason, failure))
        }
        Err(error) => {
            let why = why(&error);
            let failure = format!("{url} is not a gateway: {why}");
            Err(lost(&why, Failure::Connect(failure)))
        }
    }
}

/// The first line of an answer that is plain text, behind a colon.
fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() && !line.starts_with('<') => format!(": {}", printable(line)),
        _ => String::new(),
    }
}

/// Carries messages until the socket ends; `None` if this client closed it.
async fn exchange(
    socket: &mut WebSocketStream<ClientTransport>,
    url: &str,
    number: u64,
    orders: &mut mpsc::Receiver<Order>,
    reports: &Reports,
) -> Option<Closed> {
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(text)) => {
                    let sent = tokio::time::timeout(SEND_TIME, socket.send(Message::text(String::from(text))));
                    match sent.await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return Some(broken(url, &why(&error))),
                        Err(_) => return Some(broken(url, &"the gateway stopped reading")),
                    }
                }
                Some(Order::Close(code, reason)) => {
                    send_close(socket, code, reason).await;
                    return None;
                }
                None => {
                    send_close(socket, 1000, "").await;
                    return None;
                }
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    if reports.send((number, SocketEvent::Text(text))).await.is_err() {
                        return None;
                    }
                }
                Some(Ok(Message::Close(close))) => {
                    let (code, reason) = close.map_or((1005, String::new()), |close| {
                        (u16::from(close.code), printable(&close.reason))
                    });
                    return Some(ended(url, code, reason));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Some(broken(url, &why(&error))),
                None => return Some(ended(url, 1006, String::new())),
            },
        }
    }
}

/// The command has its results, so a missing response to the close does not matter.
async fn send_close(socket: &mut WebSocketStream<ClientTransport>, code: u16, reason: &'static str) {
    let close = WireClose {
        code: code.into(),
        reason: Utf8Bytes::from_static(reason),
    };
    let _ = tokio::time::timeout(CLOSE_TIME, async {
        socket.close(Some(close)).await?;
        while let Some(Ok(_)) = socket.next().await {}
        Ok::<(), Error>(())
    })
    .await;
}

/// The end of a socket without a close frame.
fn lost(reason: &dyn Display, failure: Failure) -> Closed {
    Closed {
        code: 1006,
        reason: reason.to_string(),
        failure,
    }
}

/// The error as text. Some texts of the library are for programmers only, and are replaced.
fn why(error: &Error) -> String {
    match error {
        Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "the socket was closed without a close of TLS".to_owned()
        }
        error => error.to_string(),
    }
}

fn broken(url: &str, why: &dyn Display) -> Closed {
    lost(why, Failure::Connect(format!("{url}: connection lost: {why}")))
}

fn ended(url: &str, code: u16, reason: String) -> Closed {
    let text = format!("{url} closed the connection ({code} {reason})");
    let failure = if code == 1008 || code == CloseFrame::PROTOCOL_MISMATCH.code {
        Failure::Refused(text)
    } else {
        Failure::Connect(text)
    };
    Closed {
        code,
        reason,
        failure,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    /// What a client reports of a gateway that announces a text of `len` bytes and then closes.
    async fn announced(len: usize) -> Closed {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target {
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
            tls: None,
            path: "/".into(),
            token: None,
            password: None,
            timeout: SEND_TIME,
        };
        let (reporter, mut reports) = mpsc::channel(MAX_WAITING);
        let _socket = Socket::open(&target, 1, reporter);
        let (stream, _) = listener.accept().await.unwrap();
        let mut gateway = tokio_tungstenite::accept_async(stream).await.unwrap();
        let head = [&[0x81, 127], &(len as u64).to_be_bytes()[..]].concat();
        gateway.get_mut().write_all(&head).await.unwrap();
        gateway.get_mut().shutdown().await.unwrap();
        loop {
            if let (_, SocketEvent::Closed(closed)) = reports.recv().await.unwrap() {
                return closed;
            }
        }
    }

    #[tokio::test]
    async fn a_message_that_is_too_large_is_refused_before_it_arrives() {
        let fits = announced(MAX_MESSAGE_BYTES).await;
        assert!(!fits.reason.contains("too long"), "{}", fits.reason);
        let larger = announced(MAX_MESSAGE_BYTES + 1).await;
        assert!(larger.reason.contains("too long"), "{}", larger.reason);
    }
}
