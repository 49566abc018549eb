//! The webhook over real sockets: what a receiver gets, and that nothing else notices one that fails.
#![cfg(feature = "webhook")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use presence_gateway::clock::Manual;
use presence_gateway::{GatewayConfig, RunningGateway, Secret, WebhookConfig};
use serde_json::Value;
use support::{Client, config_with, raw_http, start, start_manual, within};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

const SECRET: &str = "a secret of the tests";

/// A server that answers each request with the status that the test selects.
struct Receiver {
    listener: TcpListener,
    connection: Option<BufReader<TcpStream>>,
}

#[derive(Debug)]
struct Received {
    head: String,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().unwrap_or_else(|| panic!("{name}: {}", self.head)).1
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// `join a` or `leave a closed`.
    fn words(&self) -> String {
        let event = self.json();
        let (kind, key) = (event["type"].as_str().unwrap(), event["key"].as_str().unwrap());
        match event["why"].as_str() {
            None => format!("{kind} {key}"),
            Some(why) => format!("{kind} {key} {why}"),
        }
    }
}

impl Receiver {
    async fn new() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            connection: None,
        }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    fn config(&self) -> GatewayConfig {
        config_with(|config| {
            let url = format!("http://{}/presence?room=1", self.address());
            let secret = Secret::new(SECRET).unwrap();
            config.webhook = Some(WebhookConfig::new(&url, &secret, None).unwrap());
            config.metrics_bind = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        })
    }

    /// The next request, which is answered with this status.
    async fn answer(&mut self, status: &str) -> Received {
        within("a request", self.read_and_answer(status)).await
    }

    async fn read_and_answer(&mut self, status: &str) -> Received {
        loop {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => BufReader::new(self.listener.accept().await.unwrap().0),
            };
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if connection.read_line(&mut head).await.unwrap() == 0 {
                    break;
                }
            }
            if head.is_empty() {
                continue;
            }
            let mut received = Received {
                head,
                body: String::new(),
            };
            let length: usize = received.header("content-length").parse().unwrap();
            let mut body = vec![0; length];
            connection.read_exact(&mut body).await.unwrap();
            received.body = String::from_utf8(body).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nLocation: /other\r\n\r\nok");
            connection.write_all(answer.as_bytes()).await.unwrap();
            self.connection = Some(connection);
            return received;
        }
    }
}

/// Changes gather for a moment.
async fn look(gateway: &RunningGateway, manual: &Manual) {
    gateway.settle().await;
    manual.advance(100);
    gateway.settle().await;
}

/// Waits until the connection of this client is closed.
async fn closed(watcher: &mut Client, instance: &str) {
    loop {
        let list = watcher.request("system-presence", Value::Null).await;
        if support::row(&list["payload"], instance)["reason"] == "disconnect" {
            return;
        }
    }
}

/// The value of a series.
async fn metric(gateway: &RunningGateway, series: &str) -> u64 {
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let text = raw_http(gateway.metrics_address().unwrap(), request).await;
    let line = text.lines().find(|line| line.starts_with(series)).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_join_and_a_leave_are_posted_with_a_signature() {
    let mut receiver = Receiver::new().await;
    let (gateway, manual) = start_manual(receiver.config());
    let (mut watcher, _) = Client::connect(gateway.address(), "watcher", &["operator.read"]).await;
    look(&gateway, &manual).await;
    assert_eq!(receiver.answer("200 OK").await.words(), "join watcher");
    let (client, _) = Client::connect(gateway.address(), "studio", &[]).await;
    look(&gateway, &manual).await;
    let joined = receiver.answer("204 No Content").await;
    assert!(
        joined.head.starts_with("POST /presence?room=1 HTTP/1.1\r\n"),
        "{joined:?}"
    );
    assert_eq!(joined.header("host"), receiver.address().to_string());
    assert_eq!(joined.header("content-type"), "application/json");
    let event = joined.json();
    let list = watcher.request("system-presence", Value::Null).await;
    assert_eq!(&event["entry"], support::row(&list["payload"], "studio"));
    assert_eq!(
        (&event["type"], &event["key"]),
        (&"join".into(), &"studio".into())
    );
    assert_eq!(event["joinedAt"], manual.now().wall_ms - 100);
    assert_eq!(event["bootId"].as_str().map(str::len), Some(36));

    // As any receiver verifies it.
    let (id, timestamp) = (joined.header("webhook-id"), joined.header("webhook-timestamp"));
    assert_eq!(timestamp.parse::<u64>().unwrap(), manual.now().wall_ms / 1_000);
    let signature = joined.header("webhook-signature").strip_prefix("v1,").unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let signed = format!("{id}.{timestamp}.{}", joined.body);
    ring::hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(signature).unwrap()).unwrap();

    drop(client);
    closed(&mut watcher, "studio").await;
    look(&gateway, &manual).await;
    let left = receiver.answer("200 OK").await;
    assert_eq!(left.words(), "leave studio closed");
    assert_ne!(left.header("webhook-id"), id);
    assert_eq!(left.json()["joinedAt"], event["joinedAt"]);
    assert_eq!(left.json()["entry"]["reason"], "disconnect");

    // Clients that the end of the gateway closes did not leave.
    gateway.shutdown().await;
    assert!(
        receiver
            .connection
            .take()
            .unwrap()
            .fill_buf()
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_reconnect_within_the_grace_period_is_not_reported() {
    let mut receiver = Receiver::new().await;
    let mut config = receiver.config();
    config.webhook.as_mut().unwrap().grace_ms = 30_000;
    let (gateway, manual) = start_manual(config);
    let (mut watcher, _) = Client::connect(gateway.address(), "watcher", &["operator.read"]).await;
    look(&gateway, &manual).await;
    assert_eq!(receiver.answer("200 OK").await.words(), "join watcher");
    for (away_ms, reported) in [(29_000, false), (31_000, true)] {
        let (client, _) = Client::connect(gateway.address(), "studio", &[]).await;
        look(&gateway, &manual).await;
        if !reported {
            assert_eq!(receiver.answer("200 OK").await.words(), "join studio");
        }
        drop(client);
        closed(&mut watcher, "studio").await;
        look(&gateway, &manual).await;
        manual.advance(away_ms);
        gateway.settle().await;
    }
    // Nothing came before: the requests are in order.
    assert_eq!(receiver.answer("200 OK").await.words(), "leave studio closed");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_failing_receiver_is_retried_without_other_effects() {
    let mut receiver = Receiver::new().await;
    let gateway = start(receiver.config());
    let (_first, _) = Client::connect(gateway.address(), "a", &[]).await;
    let failed = receiver.answer("500 Internal Server Error").await;
    assert_eq!(failed.words(), "join a");
    // Clients are served while the webhook waits.
    let (mut second, _) = Client::connect(gateway.address(), "b", &["operator.read"]).await;
    assert_eq!(second.request("health", Value::Null).await["ok"], true);
    let again = receiver.answer("302 Found").await;
    assert_eq!((again.words(), &again.body), ("join a".into(), &failed.body));
    assert_eq!(again.header("webhook-id"), failed.header("webhook-id"));
    // The redirect is not followed, and its event is given up.
    let next = receiver.answer("200 OK").await;
    assert_eq!(next.words(), "join b");
    assert!(next.head.starts_with("POST /presence?room=1 "), "{next:?}");
    within("the counts", async {
        while metric(&gateway, "presence_webhook_events_total{result=\"delivered\"}").await != 1 {}
    })
    .await;
    for (series, count) in [
        ("presence_webhook_events_total{result=\"failed\"}", 1),
        ("presence_webhook_events_total{result=\"dropped\"}", 0),
        ("presence_webhook_attempts_total{outcome=\"delivered\"}", 1),
        ("presence_webhook_attempts_total{outcome=\"refused\"}", 1),
        ("presence_webhook_attempts_total{outcome=\"failed\"}", 1),
        ("presence_webhook_waiting_events", 0),
    ] {
        assert_eq!(metric(&gateway, series).await, count, "{series}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_hanging_receiver_only_fills_the_queue() {
    const CLIENTS: usize = 30;
    const ROUNDS: usize = 24;
    let receiver = Receiver::new().await;
    let mut config = receiver.config();
    config.drain_ms = 50;
    let (gateway, manual) = start_manual(config);
    let (mut watcher, _) = Client::connect(gateway.address(), "watcher", &["operator.read"]).await;
    for round in 0..ROUNDS {
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            let name = format!("{round}-{client}");
            clients.push(Client::connect(gateway.address(), &name, &[]).await.0);
        }
        drop(clients);
        loop {
            let list = watcher.request("system-presence", Value::Null).await;
            let rows = list["payload"].as_array().unwrap();
            if rows.iter().filter(|row| row["onlineSince"].is_u64()).count() == 1 {
                break;
            }
        }
        look(&gateway, &manual).await;
    }
    // 1 join of the watcher, and a join and a leave of each client.
    let events = 1 + 2 * (CLIENTS * ROUNDS) as u64;
    manual.advance(1_000);
    let dropped = metric(&gateway, "presence_webhook_events_total{result=\"dropped\"}").await;
    let waiting = metric(&gateway, "presence_webhook_waiting_events").await;
    assert_eq!(waiting, 1_024);
    // One more is on its way.
    assert_eq!(dropped, events - waiting - 1);
    gateway.shutdown().await;
}

/// Time is virtual. Neither the client nor the receiver answers, and they do not wait for one another.
#[tokio::test(start_paused = true)]
async fn a_stop_takes_the_time_to_drain_once() {
    const DRAIN_MS: u64 = 700;
    let receiver = Receiver::new().await;
    let mut config = receiver.config();
    config.drain_ms = DRAIN_MS;
    let gateway = start(config);
    let (_client, _) = Client::connect(gateway.address(), "studio", &[]).await;
    let began = tokio::time::Instant::now();
    gateway.shutdown().await;
    let took_ms = began.elapsed().as_millis();
    assert!(
        (u128::from(DRAIN_MS)..u128::from(2 * DRAIN_MS)).contains(&took_ms),
        "{took_ms}"
    );
}

/// The receiver of the documentation, if there is Python.
#[tokio::test]
async fn the_receiver_of_the_documentation_verifies_what_it_prints() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/webhook.md");
    let page = std::fs::read_to_string(page).unwrap();
    let script = page
        .split("```python\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("webhook.secret"), format!("{SECRET}\n")).unwrap();
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    assert!(script.contains("8787"), "{script}");
    let script = script.replace("8787", &free.port().to_string());
    let receiver = Command::new("python3")
        .args(["-u", "-c", &script])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let Ok(mut receiver) = receiver else {
        eprintln!("skipped: there is no python3");
        return;
    };
    let mut lines = BufReader::new(receiver.stdout.take().unwrap()).lines();
    within("the receiver", async {
        while TcpStream::connect(free).await.is_err() {}
    })
    .await;
    let gateway = start(config_with(|config| {
        let secret = Secret::new(SECRET).unwrap();
        let hook = WebhookConfig::new(&format!("http://{free}/"), &secret, None).unwrap();
        config.webhook = Some(hook);
    }));
    let (client, _) = Client::connect(gateway.address(), "studio", &[]).await;
    let line = within("a join", lines.next_line()).await.unwrap();
    assert_eq!(line.as_deref(), Some("join studio"));
    // Not signed with the secret.
    let forged = "POST / HTTP/1.0\r\nwebhook-id: 1\r\nwebhook-timestamp: 1\r\nwebhook-signature: v1,x\r\n\
                  Content-Length: 2\r\n\r\n{}";
    let answer = raw_http(free, forged).await;
    assert!(answer.starts_with("HTTP/1.0 401 "), "{answer}");
    drop(client);
    let line = within("a leave", lines.next_line()).await.unwrap();
    assert_eq!(line.as_deref(), Some("leave studio closed"));
    gateway.shutdown().await;
}
