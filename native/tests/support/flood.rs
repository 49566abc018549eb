//! Clients that write without a pause and do not read.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Client;

/// A thread that floods the gateway until it is stopped.
pub(crate) struct Flood {
    is_over: Arc<AtomicBool>,
    /// Bytes that the gateway or its system accepted.
    sent: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Flood {
    /// Writes `bytes` repeatedly, until the gateway ends the connection.
    pub(crate) fn start(client: Client, bytes: Vec<u8>) -> Self {
        Self::on(blocking_socket(client), bytes)
    }

    /// The same on this socket.
    pub(crate) fn on(stream: TcpStream, bytes: Vec<u8>) -> Self {
        Self::run(move |is_over, sent| pour(&stream, &bytes, is_over, sent))
    }

    /// Opens a new WebSocket whenever the gateway ended the last one, without a handshake.
    pub(crate) fn again_and_again(address: SocketAddr, bytes: Vec<u8>) -> Self {
        let head = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        Self::run(move |is_over, sent| {
            while !is_over.load(Ordering::Relaxed)
                && let Ok(mut stream) = TcpStream::connect(address)
            {
                if stream.write_all(head.as_bytes()).is_ok() {
                    pour(&stream, &bytes, is_over, sent);
                }
            }
        })
    }

    fn run(flood: impl FnOnce(&AtomicBool, &AtomicUsize) + Send + 'static) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicUsize::new(0));
        let thread = std::thread::spawn({
            let (is_over, sent) = (Arc::clone(&is_over), Arc::clone(&sent));
            move || flood(&is_over, &sent)
        });
        Self {
            is_over,
            sent,
            thread,
        }
    }

    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether the gateway ended the connection.
    pub(crate) fn is_ended(&self) -> bool {
        self.thread.is_finished()
    }

    pub(crate) fn stop(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// The socket of a client, for threads.
pub(crate) fn blocking_socket(client: Client) -> TcpStream {
    let stream = client.into_stream().into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream
}

/// Writes until the flood is over or the gateway ends the connection.
fn pour(mut stream: &TcpStream, bytes: &[u8], is_over: &AtomicBool, sent: &AtomicUsize) {
    stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut at = 0;
    while !is_over.load(Ordering::Relaxed) {
        match stream.write(&bytes[at..]) {
            Ok(len) => {
                at = (at + len) % bytes.len();
                sent.fetch_add(len, Ordering::Relaxed);
            }
            // The socket is full.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
