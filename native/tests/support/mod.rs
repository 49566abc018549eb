//! A minimal client of the gateway for these tests: it sends and receives frames, within time limits.
#![allow(dead_code, reason = "each test file uses its own part of it")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

pub(crate) mod flood;
pub(crate) mod frames;
pub(crate) mod log;
pub(crate) mod machine;
#[cfg(unix)]
pub(crate) mod process;
pub(crate) mod slow;
#[cfg(unix)]
pub(crate) mod witness;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use presence_core::Now;
use presence_gateway::clock::Manual;
use presence_gateway::{AuthMode, Secret};
use presence_gateway::{Clock, Gateway, GatewayConfig, RunningGateway};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

pub(crate) const TOKEN: &str = "test-secret";
const LIMIT: Duration = Duration::from_secs(20);

/// Fails instead of waiting for ever.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: nothing within {LIMIT:?}"))
}

/// A configuration with [`TOKEN`], on a free port.
pub(crate) fn config() -> GatewayConfig {
    let mut config = GatewayConfig::ephemeral();
    config.auth = AuthMode::Token(Secret::new(TOKEN).unwrap());
    config
}

/// [`config`] with changes.
pub(crate) fn config_with(change: impl FnOnce(&mut GatewayConfig)) -> GatewayConfig {
    let mut config = config();
    change(&mut config);
    config
}

pub(crate) fn start(config: GatewayConfig) -> RunningGateway {
    Gateway::start(config, Clock::system()).unwrap()
}

/// A gateway with a manual clock.
pub(crate) fn start_manual(config: GatewayConfig) -> (RunningGateway, Manual) {
    let manual = Manual::new(Now {
        age_ms: 1_000_000,
        wall_ms: 1_800_000_000_000,
    });
    (Gateway::start(config, manual.clock()).unwrap(), manual)
}

pub(crate) struct Client<S = TcpStream> {
    socket: WebSocketStream<S>,
    next_id: u64,
}

impl Client {
    /// An unused WebSocket, opened with these extra header lines.
    pub(crate) async fn open(address: SocketAddr, headers: &str) -> Self {
        Self::open_on(TcpSocket::new_v4().unwrap(), address, headers).await
    }

    pub(crate) async fn open_on(socket: TcpSocket, address: SocketAddr, headers: &str) -> Self {
        Self::open_as(socket, address, ("/any", &address.to_string()), headers).await
    }

    /// The same with this path.
    pub(crate) async fn open_at(address: SocketAddr, path: &str, headers: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        Self::open_as(socket, address, (path, &address.to_string()), headers).await
    }

    /// The same with this Host header.
    pub(crate) async fn open_with_host(address: SocketAddr, host: &str, headers: &str) -> Self {
        Self::open_as(TcpSocket::new_v4().unwrap(), address, ("/any", host), headers).await
    }

    async fn open_as(
        socket: TcpSocket,
        address: SocketAddr,
        (path, host): (&str, &str),
        headers: &str,
    ) -> Self {
        let stream = within("a socket", socket.connect(address)).await.unwrap();
        Self::over(stream, (path, host), headers).await
    }

    /// Connects with the right token and these scopes. Returns the client and its hello.
    pub(crate) async fn connect(address: SocketAddr, instance: &str, scopes: &[&str]) -> (Self, Value) {
        let mut client = Self::open(address, "").await;
        let hello = client.hello(connect_params(instance, scopes)).await;
        (client, hello)
    }

    /// The socket alone.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.socket.into_inner()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// A WebSocket over this connection.
    pub(crate) async fn over(mut stream: S, (path, host): (&str, &str), headers: &str) -> Self {
        within("opening a WebSocket", async {
            let head = format!(
                "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                answer.push(stream.read_u8().await.unwrap());
            }
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
            assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
            let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
            Self { socket, next_id: 0 }
        })
        .await
    }

    /// Answers the challenge with these parameters and returns hello.
    pub(crate) async fn hello(&mut self, params: Value) -> Value {
        assert_eq!(self.event().await["event"], "connect.challenge");
        let response = self.request("connect", params).await;
        assert_eq!(response["payload"]["type"], "hello-ok", "{response}");
        response["payload"].clone()
    }

    /// Sends a request and waits for the answer; events in between are dropped.
    pub(crate) async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send_request(method, params).await;
        self.response(&id).await
    }

    /// Sends a request without waiting.
    pub(crate) async fn send_request(&mut self, method: &str, params: Value) -> String {
        self.next_id += 1;
        let id = self.next_id.to_string();
        let request = json!({ "type": "req", "id": id, "method": method, "params": params });
        self.send(Message::text(request.to_string())).await;
        id
    }

    pub(crate) async fn response(&mut self, id: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == "res" && frame["id"] == id {
                return frame;
            }
        }
    }

    pub(crate) async fn event(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == "event" {
                return frame;
            }
        }
    }

    /// The next event of this name.
    pub(crate) async fn event_named(&mut self, name: &str) -> Value {
        loop {
            let event = self.event().await;
            if event["event"] == name {
                return event;
            }
        }
    }

    pub(crate) async fn frame(&mut self) -> Value {
        loop {
            match self.message().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(close) => panic!("closed: {close:?}"),
                _ => {}
            }
        }
    }

    pub(crate) async fn message(&mut self) -> Message {
        within("a message", self.socket.next())
            .await
            .expect("the connection ended")
            .unwrap()
    }

    pub(crate) async fn send(&mut self, message: Message) {
        within("sending", self.socket.send(message)).await.unwrap();
    }

    /// Reads up to the close frame: its code and reason.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(close) = self.message().await {
                let close = close.expect("a close with a code");
                // Finish the closing handshake, as clients do.
                while let Some(Ok(_)) = within("the end", self.socket.next()).await {}
                return (close.code.into(), close.reason.to_string());
            }
        }
    }

    /// The socket, for invalid input.
    pub(crate) fn stream(&mut self) -> &mut S {
        self.socket.get_mut()
    }
}

/// Parameters of `connect` of an app.
pub(crate) fn connect_params(instance: &str, scopes: &[&str]) -> Value {
    json!({
        "minProtocol": 3, "maxProtocol": 4,
        "client": {
            "id": "test", "version": "1.0", "platform": "linux", "mode": "ui",
            "displayName": instance, "instanceId": instance,
        },
        "role": "operator",
        "scopes": scopes,
        "auth": { "token": TOKEN },
    })
}

/// Parameters of `connect` with this token.
pub(crate) fn offering(token: &str) -> Value {
    let mut params = connect_params("a", &["operator.read"]);
    params["auth"] = json!({ "token": token });
    params
}

/// One connection's answer to `connect`, and its close.
pub(crate) async fn refusal(address: SocketAddr, headers: &str, params: Value) -> (Value, (u16, String)) {
    let mut client = Client::open(address, headers).await;
    client.event().await;
    let response = client.request("connect", params).await;
    (response["error"].clone(), client.closed().await)
}

/// Sends bytes unchanged and returns the whole answer.
pub(crate) async fn raw_http(address: SocketAddr, request: &str) -> String {
    within("an HTTP answer", async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    })
    .await
}

/// Checks that a new client of this name is served and listed.
pub(crate) async fn serves_a_client(address: SocketAddr, name: &str) {
    let (mut client, hello) = Client::connect(address, name, &["operator.read"]).await;
    assert_eq!(client.request("health", json!({})).await["ok"], true);
    assert_eq!(row(&hello["snapshot"]["presence"], name)["reason"], "connect");
}

/// The row of this instance in a list.
pub(crate) fn row<'a>(list: &'a Value, instance: &str) -> &'a Value {
    let rows = list.as_array().unwrap_or_else(|| panic!("not a list: {list}"));
    rows.iter()
        .find(|row| row["instanceId"] == instance)
        .unwrap_or_else(|| panic!("no {instance} in {list}"))
}
