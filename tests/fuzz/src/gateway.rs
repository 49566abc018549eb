//! A real gateway on a loopback socket, for code that is private to its crate: request heads, headers of proxies
//! and device proofs have no other public entry.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use presence_core::Now;
use presence_gateway::clock::Manual;
use presence_gateway::{Gateway, GatewayConfig};
use serde_json::Value;

/// The constant time of the gateway.
pub(crate) const NOW: Now = Now {
    age_ms: 1_000_000,
    wall_ms: 1_800_000_000_000,
};
/// The header that states the user.
pub(crate) const USER_HEADER: &str = "X-Fuzz-User";
/// Time limit of an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns the address of the gateway. The first call starts it, in a thread of its own.
fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let mut config = GatewayConfig::ephemeral();
                config.trusted_proxies = ["127.0.0.1/32", "10.0.0.0/8"]
                    .map(|network| network.parse().expect("a network"))
                    .into();
                config.user_header = Some(USER_HEADER.parse().expect("a header"));
                let clock = Manual::new(NOW).clock();
                let gateway = Gateway::start(config, clock).expect("the gateway starts");
                sender.send(gateway.address()).expect("the address is awaited");
                std::future::pending::<()>().await;
            });
        });
        receiver.recv().expect("the gateway starts")
    })
}

fn connect() -> TcpStream {
    debug_assert!(address().ip() == Ipv4Addr::LOCALHOST);
    let stream = TcpStream::connect(address()).expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

/// Sends bytes, shuts down the writing side, and returns the answer.
pub(crate) fn request(bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect();
    // The gateway may have closed already.
    let _ = stream
        .write_all(bytes)
        .and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("no end of the answer"),
        _ => answer,
    }
}

/// An open WebSocket, and the nonce of its challenge.
pub(crate) struct Socket {
    stream: TcpStream,
    pub(crate) nonce: String,
}

impl Socket {
    /// Opens a WebSocket with these header lines. `None` if the request is refused.
    pub(crate) fn open(headers: &str) -> Option<Self> {
        let mut stream = connect();
        let head = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).expect("the request is sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            answer.push(byte[0]);
        }
        answer.starts_with(b"HTTP/1.1 101 ").then(|| {
            let mut socket = Self {
                stream,
                nonce: String::new(),
            };
            let challenge = socket.read();
            socket.nonce = challenge["payload"]["nonce"].as_str().expect("a nonce").into();
            socket
        })
    }

    /// Sends `connect` with these parameters and returns the answer.
    pub(crate) fn connect(&mut self, params: &Value) -> Value {
        let text = serde_json::json!({ "type": "req", "id": "1", "method": "connect", "params": params });
        let text = text.to_string();
        let mut bytes = vec![0x81, 0x80 | 127];
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(text.as_bytes());
        self.stream.write_all(&bytes).expect("the frame is sent");
        self.read()
    }

    /// The next text frame.
    fn read(&mut self) -> Value {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).expect("a frame");
        assert_eq!(head[0], 0x81, "a whole text");
        let mut extended = [0; 8];
        let len = match head[1] {
            len @ 0..=125 => usize::from(len),
            126 => {
                self.stream.read_exact(&mut extended[6..]).expect("a length");
                u64::from_be_bytes(extended) as usize
            }
            _ => {
                self.stream.read_exact(&mut extended).expect("a length");
                u64::from_be_bytes(extended) as usize
            }
        };
        let mut text = vec![0; len];
        self.stream.read_exact(&mut text).expect("a frame");
        serde_json::from_slice(&text).expect("JSON")
    }
}
