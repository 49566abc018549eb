//! A small client for the commands: connects, asks, and is gone.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use presence_core::protocol::CloseFrame;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Failure;
use super::options::ClientOptions;
use crate::config::DEFAULT_PORT;
use crate::identity;

/// The longest list we are ready to read, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// Where a gateway is and what it wants to know.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    path: String,
    token: Option<String>,
    password: Option<String>,
    timeout: Duration,
}

impl Target {
    /// The gateway the options name: a URL, or a port of this machine.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the URL cannot be used.
    pub fn new(options: &ClientOptions) -> Result<Self, Failure> {
        let default_url = format!("ws://127.0.0.1:{}", options.port);
        let url = options.url.as_deref().unwrap_or(&default_url).trim();
        let usage = |why: &str| Failure::Usage(format!("--url {url}: {why}"));
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| usage("write ws://host:port"))?;
        match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => {}
            "wss" | "https" => return Err(usage("encrypted connections are not supported by this command")),
            _ => return Err(usage("write ws://host:port")),
        }
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        if authority.contains('@') {
            return Err(usage("give the secret by --token or --password"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| usage("the port is not a number"))?)
            }
            _ => (authority, DEFAULT_PORT),
        };
        if host.is_empty() {
            return Err(usage("the host is missing"));
        }
        // The URL that `serve` prints carries the token.
        let from_url = fragment.strip_prefix("token=").map(str::to_owned);
        Ok(Self {
            host: host.to_owned(),
            port,
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
            token: options
                .token
                .clone()
                .or(from_url)
                .filter(|token| !token.is_empty()),
            password: options.password.clone().filter(|password| !password.is_empty()),
            timeout: Duration::from_millis(options.timeout.max(1)),
        })
    }

    fn url(&self) -> String {
        format!("ws://{}:{}", self.host, self.port)
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

/// A connection on which the handshake is done.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    url: String,
    deadline: tokio::time::Instant,
    next_id: u64,
    /// The gateway's clock at the challenge, and when that was.
    server_time: (u64, Instant),
}

#[derive(Deserialize)]
struct Incoming {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<IncomingError>,
}

#[derive(Deserialize)]
struct IncomingError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(default)]
    ts: Option<u64>,
}

impl Client {
    /// Connects as the command line with these scopes, and with this instance id if there is one.
    ///
    /// # Errors
    /// [`Failure::Connect`], [`Failure::Refused`] or [`Failure::Timeout`].
    pub async fn connect(
        target: &Target,
        scopes: &[&str],
        instance_id: Option<&str>,
    ) -> Result<Self, Failure> {
        let deadline = tokio::time::Instant::now() + target.timeout;
        let url = target.url();
        tokio::time::timeout_at(
            deadline,
            Self::open(target, url.clone(), deadline, scopes, instance_id),
        )
        .await
        .unwrap_or_else(|_| {
            Err(Failure::Timeout(format!(
                "{url} did not accept the connection in time"
            )))
        })
    }

    async fn open(
        target: &Target,
        url: String,
        deadline: tokio::time::Instant,
        scopes: &[&str],
        instance_id: Option<&str>,
    ) -> Result<Self, Failure> {
        let host = target.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, target.port))
            .await
            .map_err(|error| Failure::Connect(format!("{url}: {error} (is the gateway running?)")))?;
        let request = format!("{url}{}", target.path);
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let (socket, _) = client_async_with_config(request, stream, Some(config))
            .await
            .map_err(|error| match error {
                Error::Http(response) => {
                    Failure::Refused(format!("{url} answered HTTP {}", response.status()))
                }
                error => Failure::Connect(format!("{url} is not a gateway: {error}")),
            })?;
        let mut client = Self {
            socket,
            url,
            deadline,
            next_id: 0,
            server_time: (0, Instant::now()),
        };
        client.await_challenge().await?;
        let connect = connect_params(target, scopes, instance_id);
        client.request("connect", Some(connect)).await?;
        Ok(client)
    }

    /// Calls a method and returns its payload as the gateway wrote it.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the gateway's own words, [`Failure::Timeout`], or
    /// [`Failure::Connect`] when the connection breaks.
    pub async fn request(&mut self, method: &str, params: Option<Value>) -> Result<Box<RawValue>, Failure> {
        self.next_id += 1;
        let id = self.next_id.to_string();
        let mut request = json!({ "type": "req", "id": id, "method": method });
        if let (Some(params), Some(members)) = (params, request.as_object_mut()) {
            members.insert("params".to_owned(), params);
        }
        let url = self.url.clone();
        self.socket
            .send(Message::text(request.to_string()))
            .await
            .map_err(|error| Failure::Connect(format!("{url}: the connection broke: {error}")))?;
        loop {
            let frame = self.next().await?;
            if frame.kind != "res" || frame.id.as_deref() != Some(&id) {
                continue;
            }
            if frame.ok {
                return Ok(frame.payload.unwrap_or_default());
            }
            let why = match frame.error {
                Some(error) if !error.message.is_empty() => error.message,
                Some(error) => error.code,
                None => "no reason given".to_owned(),
            };
            return Err(Failure::Refused(format!("{method}: {}", printable(&why))));
        }
    }

    /// The time on the gateway's clock, ms since the Unix epoch: the clock that `ts` is on.
    #[must_use]
    pub fn server_wall_ms(&self) -> u64 {
        let (wall_ms, at) = self.server_time;
        wall_ms.saturating_add(u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // All that was asked for is there; a gateway that does not answer may keep its answer.
        let _ = tokio::time::timeout(Duration::from_millis(500), self.socket.close(None)).await;
    }

    async fn await_challenge(&mut self) -> Result<(), Failure> {
        loop {
            let frame = self.next().await?;
            if frame.event.as_deref() == Some("connect.challenge") {
                let challenge = frame
                    .payload
                    .and_then(|raw| serde_json::from_str::<Challenge>(raw.get()).ok());
                let wall_ms = challenge.and_then(|challenge| challenge.ts).unwrap_or_else(|| {
                    // A gateway that does not tell the time: ours has to do.
                    crate::clock::Clock::system().now().wall_ms
                });
                self.server_time = (wall_ms, Instant::now());
                return Ok(());
            }
        }
    }

    async fn next(&mut self) -> Result<Incoming, Failure> {
        loop {
            let message = tokio::time::timeout_at(self.deadline, self.socket.next())
                .await
                .map_err(|_| Failure::Timeout(format!("{} did not answer in time", self.url)))?;
            match message {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text).map_err(|_| {
                        Failure::Other(format!("{} does not speak the gateway's protocol", self.url))
                    });
                }
                Some(Ok(Message::Close(close))) => {
                    let (code, reason) = close.map_or((1005, String::new()), |close| {
                        (u16::from(close.code), close.reason.to_string())
                    });
                    return Err(self.closed(code, &reason));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    return Err(Failure::Connect(format!(
                        "{}: the connection broke: {error}",
                        self.url
                    )));
                }
                None => return Err(self.closed(1006, "")),
            }
        }
    }

    fn closed(&self, code: u16, reason: &str) -> Failure {
        let text = format!(
            "{} closed the connection ({code} {})",
            self.url,
            printable(reason)
        );
        if code == 1008 || code == CloseFrame::PROTOCOL_MISMATCH.code {
            Failure::Refused(text)
        } else {
            Failure::Connect(text)
        }
    }
}

/// What every gateway of both generations accepts.
fn connect_params(target: &Target, scopes: &[&str], instance_id: Option<&str>) -> Value {
    let mut client = json!({
        "id": "cli",
        "version": env!("CARGO_PKG_VERSION"),
        "platform": identity::platform(),
        "mode": "cli",
        "displayName": identity::hostname(),
    });
    if let Some(instance_id) = instance_id {
        client["instanceId"] = instance_id.into();
    }
    let mut params = json!({
        "minProtocol": 3,
        "maxProtocol": 4,
        "client": client,
        "role": "operator",
        "scopes": scopes,
    });
    let mut auth = serde_json::Map::new();
    for (name, secret) in [("token", &target.token), ("password", &target.password)] {
        if let Some(secret) = secret {
            auth.insert(name.to_owned(), secret.as_str().into());
        }
    }
    if !auth.is_empty() {
        params["auth"] = auth.into();
    }
    params
}

/// Text of others, safe to show in a terminal and of bounded length.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .take(300)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, Failure> {
        Target::new(&ClientOptions {
            url: Some(url.to_owned()),
            port: 1,
            token: None,
            password: None,
            timeout: 1,
        })
    }

    #[test]
    fn urls() {
        let cases = [
            ("ws://127.0.0.1:4711", "127.0.0.1", 4711, "/"),
            ("ws://gw.local", "gw.local", 18_789, "/"),
            ("ws://[::1]:4711/path?x=1", "[::1]", 4711, "/path?x=1"),
            ("ws://[::1]", "[::1]", 18_789, "/"),
            ("http://127.0.0.1:4711/#token=abc", "127.0.0.1", 4711, "/"),
        ];
        for (url, host, port, path) in cases {
            let target = target(url).unwrap();
            assert_eq!(
                (target.host.as_str(), target.port, target.path.as_str()),
                (host, port, path),
                "{url}"
            );
        }
        assert_eq!(
            target("http://127.0.0.1:4711/#token=abc")
                .unwrap()
                .token
                .as_deref(),
            Some("abc")
        );
        for url in [
            "127.0.0.1:4711",
            "wss://h",
            "ftp://h",
            "ws://",
            "ws://h:port",
            "ws://secret@h",
        ] {
            assert_eq!(target(url).unwrap_err().code(), 2, "{url}");
        }
    }

    #[test]
    fn only_members_that_both_generations_know_are_sent() {
        let params = connect_params(&target("ws://h").unwrap(), &["operator.read"], Some("inst"));
        let known = ["minProtocol", "maxProtocol", "client", "role", "scopes", "auth"];
        assert!(
            params
                .as_object()
                .unwrap()
                .keys()
                .all(|key| known.contains(&key.as_str()))
        );
        let known = ["id", "version", "platform", "mode", "displayName", "instanceId"];
        assert!(
            params["client"]
                .as_object()
                .unwrap()
                .keys()
                .all(|key| known.contains(&key.as_str()))
        );
    }

    #[test]
    fn others_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(printable(&"x".repeat(1_000)).len(), 300);
    }
}
