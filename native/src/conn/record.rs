//! Log lines: one for every accepted, refused and closed connection.
//!
//! A line holds texts of the client, escaped and cut; never a secret, the query of the URL or the text of a beacon.
//! With all texts at their bounds it is shorter than the longest line of stderr.

use presence_core::server::{Handshake, Refused};
use presence_core::wire::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::CloseFrame as PeerClose;
use tracing::{Level, enabled, info, warn};

use super::Shared;
use crate::auth::facts::Facts;
use crate::auth::proxy::Client;
use crate::log::{Kind, escaped};

/// Most bytes of one text of the client, escaped.
pub(crate) const MAX_TEXT_BYTES: usize = 128;
/// Most bytes of the User-Agent header, escaped: those of browsers are longer than other texts.
pub(crate) const MAX_USER_AGENT_BYTES: usize = 200;
/// Most bytes of a reason, escaped.
pub(crate) const MAX_REASON_BYTES: usize = 300;

/// Data for the log lines of one connection.
#[derive(Debug)]
pub(super) struct Record {
    accepted_ms: u64,
    client: Client,
    /// Origin and user agent; after [`introduce`](Self::introduce) also client id, version, mode and role. Escaped,
    /// cut and one per line: one allocation for as long as the connection lives.
    texts: Box<str>,
    /// Why the handshake was refused, if it was.
    refused: Option<Box<Refused>>,
    /// The close that the client sent.
    client_close: Option<Box<PeerClose>>,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client closed it, or the socket failed.
    Gone,
    /// The gateway queued a close.
    Closing,
    /// The gateway queued a close because the client accepted no byte for too long.
    Stalled,
}

impl Record {
    /// Starts with the facts of the request.
    pub(super) fn new(facts: &Facts, accepted_ms: u64) -> Self {
        let origin = escaped(facts.origin.as_deref().unwrap_or(""), MAX_TEXT_BYTES);
        let user_agent = escaped(facts.user_agent.as_deref().unwrap_or(""), MAX_USER_AGENT_BYTES);
        Self {
            accepted_ms,
            client: facts.client,
            texts: format!("{origin}\n{user_agent}").into(),
            refused: None,
            client_close: None,
        }
    }

    /// Notes that the handshake is refused; the line follows when the connection ends.
    pub(super) fn refused(&mut self, refused: Box<Refused>) {
        let client = &refused.client;
        self.introduce([&client.id, &client.version, &client.mode, &client.role].map(Option::as_deref));
        self.refused = Some(refused);
    }

    /// The client sent a close.
    pub(super) fn closed_by_client(&mut self, close: PeerClose) {
        self.client_close = Some(Box::new(close));
    }

    /// Logs that the handshake is accepted.
    pub(super) fn accepted(&mut self, handshake: &Handshake, token: Option<&str>, shared: &Shared) {
        let client = &handshake.client;
        self.introduce([
            Some(&*client.id),
            Some(&*client.version),
            Some(&*client.mode),
            Some(handshake.role.as_str()),
        ]);
        if !(enabled!(Level::INFO) && shared.lines.passes(Kind::Accepted, &shared.clock)) {
            return;
        }
        let [origin, user_agent, client, version, mode, role] = self.texts();
        let (address, proxy) = addresses(self.client);
        info!(
            client,
            version,
            mode,
            role,
            token,
            protocol = handshake.protocol,
            origin,
            user_agent,
            address,
            proxy,
            duration_ms = self.duration_ms(shared),
            "accepted"
        );
    }

    /// Logs the end of the connection. `close` is the close that the gateway queued, `host` the Host header while the
    /// handshake is not done.
    pub(super) fn ended(
        &self,
        end: End,
        has_joined: bool,
        close: Option<&CloseFrame>,
        host: Option<&str>,
        shared: &Shared,
    ) {
        let is_restart = close.is_some_and(|close| close.code == CloseFrame::SERVICE_RESTART.code);
        match close {
            Some(close) if !has_joined && !is_restart => {
                if let Some(metrics) = &shared.metrics {
                    metrics.refused(self.refused.as_deref(), close);
                }
                self.write_refusal(close, host, shared);
            }
            close => self.write_close(end, has_joined, close, shared),
        }
    }

    fn write_refusal(&self, close: &CloseFrame, host: Option<&str>, shared: &Shared) {
        if !(enabled!(Level::WARN) && shared.lines.passes(Kind::Refused, &shared.clock)) {
            return;
        }
        let [origin, user_agent, client, version, mode, role] = self.texts();
        let (address, proxy) = addresses(self.client);
        let refused = self.refused.as_deref();
        let reason = refused.map_or(&*close.reason, |refused| &*refused.message);
        let code = refused.map(|refused| &*refused.code);
        // A page whose name was rebound is refused by its Host header.
        let host = host
            .filter(|_| code == Some("CONTROL_UI_ORIGIN_NOT_ALLOWED"))
            .map(|host| escaped(host, MAX_TEXT_BYTES));
        warn!(
            code,
            close = close.code,
            reason = escaped(reason, MAX_REASON_BYTES),
            client,
            version,
            mode,
            role,
            origin,
            host,
            user_agent,
            address,
            proxy,
            duration_ms = self.duration_ms(shared),
            "refused"
        );
    }

    fn write_close(&self, end: End, has_joined: bool, close: Option<&CloseFrame>, shared: &Shared) {
        if !(enabled!(Level::INFO) && shared.lines.passes(Kind::Closed, &shared.clock)) {
            return;
        }
        let (by, code, reason) = match (end, close, &self.client_close) {
            (End::Stalled, Some(close), _) => ("gateway", close.code, "slow consumer: accepts no bytes"),
            (End::Closing, Some(close), _) => ("gateway", close.code, &*close.reason),
            (_, _, Some(close)) => ("client", close.code.into(), close.reason.as_str()),
            // The code of RFC 6455 for the end of a connection without a close frame.
            _ => ("network", 1006, ""),
        };
        let [origin, user_agent, client, version, mode, role] = self.texts();
        let (address, proxy) = addresses(self.client);
        info!(
            code,
            reason = escaped(reason, MAX_REASON_BYTES),
            by,
            client,
            version,
            mode,
            role,
            origin,
            user_agent,
            address,
            proxy,
            duration_ms = self.duration_ms(shared),
            "{}",
            if has_joined {
                "closed"
            } else {
                "closed before the handshake was done"
            }
        );
    }

    /// Adds the client's id, version, mode and role.
    fn introduce(&mut self, texts: [Option<&str>; 4]) {
        let texts = texts.map(|text| escaped(text.unwrap_or(""), MAX_TEXT_BYTES));
        self.texts = format!("{}\n{}", self.texts, texts.join("\n")).into();
    }

    /// Origin, user agent, client id, version, mode and role; `None` where one is absent or empty.
    fn texts(&self) -> [Option<&str>; 6] {
        let mut texts = self.texts.split('\n');
        std::array::from_fn(|_| texts.next().filter(|text| !text.is_empty()))
    }

    /// The time since the socket was accepted, in ms.
    pub(super) fn duration_ms(&self, shared: &Shared) -> u64 {
        shared.clock.now().age_ms.saturating_sub(self.accepted_ms)
    }
}

/// Returns the client's address, if known, and that of the proxy, if any.
pub(crate) fn addresses(client: Client) -> (Option<String>, Option<String>) {
    let is_direct = client.ip == Some(client.peer);
    (
        client.ip.map(|ip| ip.to_string()),
        (!is_direct).then(|| client.peer.to_string()),
    )
}
