//! The stream of server-sent events.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;

use presence_core::model::Role;
use presence_core::server::Permit;
use presence_gateway::clock::Manual;
use presence_gateway::{NamedToken, RunningGateway, Secret, Tokens};
use serde_json::{Value, json};
use support::{Client, TOKEN, config, config_with, connect_params, raw_http, start, start_manual, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const READ: &[&str] = &["operator.read"];
/// When a token ends on the wall clock, twenty seconds after the start of a manual clock.
const END_MS: u64 = 1_800_000_020_000;

/// A client of the stream.
struct Events {
    socket: TcpStream,
    head: String,
    buffer: String,
}

impl Events {
    async fn open(address: SocketAddr, secret: &str, headers: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let mut socket = within("a socket", socket.connect(address)).await.unwrap();
        // HTTP/1.0, so that the stream has no chunks.
        let request = format!(
            "GET /api/presence/stream HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n{headers}\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut events = Self {
            socket,
            head: String::new(),
            buffer: String::new(),
        };
        events.head = events.until("\r\n\r\n").await.unwrap();
        events
    }

    /// A stream that was accepted, past its `retry`.
    async fn start(address: SocketAddr, headers: &str) -> Self {
        let mut events = Self::open(address, TOKEN, headers).await;
        assert!(events.head.contains(" 200 OK\r\n"), "{}", events.head);
        assert_eq!(events.block().await.unwrap(), "retry: 3000");
        events
    }

    async fn until(&mut self, end: &str) -> Option<String> {
        within("an event", async {
            loop {
                if let Some((text, rest)) = self.buffer.split_once(end) {
                    let (text, rest) = (text.to_owned(), rest.to_owned());
                    self.buffer = rest;
                    return Some(text);
                }
                let mut bytes = [0; 4096];
                let len = self.socket.read(&mut bytes).await.ok().filter(|len| *len > 0)?;
                self.buffer += std::str::from_utf8(&bytes[..len]).unwrap();
            }
        })
        .await
    }

    /// The next lines up to an empty one; none at the end.
    async fn block(&mut self) -> Option<String> {
        self.until("\n\n").await
    }

    /// The next event but comments: its name, id and data.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| {
                let mut lines = block.lines();
                lines
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                    .unwrap_or_default()
                    .to_owned()
            };
            if !block.starts_with(':') {
                let data = serde_json::from_str(&field("data")).unwrap();
                return Some((field("event"), field("id"), data));
            }
        }
    }
}

/// Connects a client and closes the window that its join opened.
async fn join(gateway: &RunningGateway, clock: &Manual, name: &str) -> Client {
    let (client, _) = Client::connect(gateway.address(), name, READ).await;
    clock.advance(50);
    gateway.settle().await;
    client
}

#[tokio::test]
async fn the_events_are_those_of_a_websocket_with_deltas() {
    let (gateway, clock) = start_manual(config());
    let address = gateway.address();
    let mut params = connect_params("witness", READ);
    params["caps"] = json!(["presence-delta"]);
    let mut witness = Client::open(address, "").await;
    witness.hello(params).await;
    clock.advance(50);
    gateway.settle().await;

    let mut events = Events::start(address, "").await;
    for line in [
        "content-type: text/event-stream",
        "cache-control: no-",
        "x-accel-buffering: no",
        "connection: close",
        "x-content-type-options: nosniff",
    ] {
        assert!(events.head.contains(line), "{line}: {}", events.head);
    }
    let (name, id, snapshot) = events.next().await.unwrap();
    let wanted = witness.request("presence.snapshot", json!({})).await["payload"].clone();
    assert_eq!((&*name, &snapshot), ("presence.snapshot", &wanted));
    assert_eq!(snapshot["presence"].as_array().unwrap().len(), 2, "{snapshot}");
    let version = |id: &str| id.rsplit_once('-').unwrap().1.parse::<u64>().unwrap();
    assert_eq!(version(&id), snapshot["version"]);

    let _client = join(&gateway, &clock, "b").await;
    let (name, id, delta) = events.next().await.unwrap();
    let wanted = witness.event_named("presence.delta").await["payload"].clone();
    assert_eq!((&*name, &delta), ("presence.delta", &wanted));
    assert_eq!(
        (version(&id), &delta["from"]),
        (delta["to"].as_u64().unwrap(), &snapshot["version"])
    );

    // A stream has no pongs, and its ticks are comments.
    for _ in 0..12 {
        clock.advance(10_000);
        gateway.settle().await;
        witness.request("health", json!({})).await;
    }
    assert_eq!(events.block().await.unwrap(), ": tick");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_returning_reader_resumes_where_it_stopped() {
    let (gateway, clock) = start_manual(config());
    let address = gateway.address();
    let mut first = Events::start(address, "").await;
    let (_, at_first, _) = first.next().await.unwrap();
    let mut clients = Vec::new();
    for name in ["a", "b"] {
        clients.push(join(&gateway, &clock, name).await);
        assert_eq!(first.next().await.unwrap().0, "presence.delta");
    }
    let last = |id: &str| format!("Last-Event-ID: {id}\r\n");
    let mut back = Events::start(address, &last(&at_first)).await;
    let (name, _, delta) = back.next().await.unwrap();
    assert_eq!(
        (&*name, &delta["upserts"][0]["entry"]["instanceId"]),
        ("presence.delta", &json!("a"))
    );
    let (_, newest, delta) = back.next().await.unwrap();
    assert_eq!(delta["upserts"][0]["entry"]["instanceId"], "b");
    // Received events are not sent again.
    let mut again = Events::start(address, &last(&newest)).await;
    clients.push(join(&gateway, &clock, "c").await);
    for events in [&mut back, &mut again] {
        let (_, _, delta) = events.next().await.unwrap();
        assert_eq!(delta["upserts"][0]["entry"]["instanceId"], "c", "{delta}");
    }
    for unknown in ["0-1", "x", &newest.replace('-', "")] {
        let mut events = Events::start(address, &last(unknown)).await;
        assert_eq!(events.next().await.unwrap().0, "presence.snapshot", "{unknown}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_uses_little_memory() {
    let (gateway, clock) = start_manual(config());
    let address = gateway.address();
    let mut slow = Events::start(address, "").await;
    let text = "x".repeat(4_000);
    let mut sent = 0;
    for n in 0..600 {
        let body =
            json!({ "text": format!("{n}{text}"), "instanceId": format!("job-{}", n % 20) }).to_string();
        let request = format!(
            "POST /api/beacon HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = raw_http(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        sent += body.len();
        clock.advance(50);
        gateway.settle().await;
    }
    clock.advance(20_000);
    let mut heard = 0;
    while let Some(block) = slow.block().await {
        heard += block.len();
    }
    assert!(heard < sent / 2, "{heard} of {sent}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_with_the_gateway() {
    let permit = |scope: &str| Permit {
        roles: [Role::Operator].into(),
        scopes: [scope.into()].into(),
        hides_addresses: false,
    };
    let token = |name: &str, scope, end| {
        NamedToken::new(name, &Secret::new(name).unwrap(), permit(scope), end).unwrap()
    };
    let tokens = Tokens::new(vec![
        token("brief", "operator.read", Some(END_MS)),
        token("revoked", "operator.read", None),
        token("blind", "operator.pairing", None),
    ]);
    let tokens = tokens.unwrap();
    let shared = tokens.clone();
    let (gateway, clock) = start_manual(config_with(|config| config.tokens = Some(shared)));
    let address = gateway.address();
    let blind = Events::open(address, "blind", "").await;
    assert!(blind.head.contains(" 403 "), "{}", blind.head);
    let mut brief = Events::open(address, "brief", "").await;
    let mut revoked = Events::open(address, "revoked", "").await;
    let mut owner = Events::start(address, "").await;
    owner.next().await.unwrap();
    clock.advance(20_000);
    while brief.block().await.is_some() {}
    let late = Events::open(address, "brief", "").await;
    assert!(late.head.contains(" 401 "), "{}", late.head);
    tokens.replace(Vec::new()).unwrap();
    while revoked.block().await.is_some() {}

    gateway.shutdown().await;
    assert_eq!(owner.next().await.unwrap().0, "shutdown");
    assert_eq!(owner.block().await, None);
}

#[tokio::test]
async fn a_stream_needs_the_right_to_read() {
    let gateway = start(config());
    let address = gateway.address();
    for (line, headers, status) in [
        ("GET", "", 401),
        ("GET", "Authorization: Bearer wrong\r\n", 401),
        ("GET", "Origin: https://evil.example\r\n", 403),
        ("POST", "Content-Length: 0\r\n", 405),
        ("DELETE", "", 405),
    ] {
        let request = format!(
            "{line} /api/presence/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        );
        let answer = raw_http(address, &request).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answer}"
        );
        assert_eq!(head.contains("allow: GET,HEAD,OPTIONS"), status == 405, "{head}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["ok"], false, "{body}");
    }
    let request = format!(
        "HEAD /api/presence/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
         Connection: close\r\n\r\n"
    );
    let head = raw_http(address, &request).await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn streams_are_connections_and_free_their_places() {
    let gateway = start(config_with(|config| {
        config.slots.max_connections = 3;
        config.slots.max_unauthenticated = 2;
    }));
    let address = gateway.address();
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut events = Events::start(address, "").await;
        let (_, _, list) = events.next().await.unwrap();
        assert_eq!(
            list["presence"].as_array().unwrap().len(),
            1,
            "a stream has no row: {list}"
        );
        streams.push(events);
    }
    let health = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let busy = raw_http(address, health).await;
    assert!(
        busy.starts_with("HTTP/1.1 503 ") && busy.ends_with("Too many connections"),
        "{busy}"
    );
    streams.pop();
    within("a free place", async {
        while !raw_http(address, health).await.starts_with("HTTP/1.1 200 ") {}
    })
    .await;
    gateway.shutdown().await;
}
