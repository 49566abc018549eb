//! One line in the log for every accepted, refused and closed connection: who it was about.
//!
//! A line holds what the client said of itself, escaped and cut; never a secret, the query of the URL or the
//! text of a beacon. With all texts at their bounds a line is shorter than stderr takes.

use presence_core::server::{Handshake, Refused};
use presence_core::wire::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::CloseFrame as PeerClose;
use tracing::{Level, enabled, info, warn};

use super::Shared;
use crate::auth::admission::Facts;
use crate::auth::proxy::Client;
use crate::log::{Kind, escaped, start_of};

/// Most bytes of one text of the client, escaped.
pub(crate) const MAX_TEXT_BYTES: usize = 128;
/// Most bytes of the User-Agent header, escaped: those of browsers are longer than other texts.
pub(crate) const MAX_USER_AGENT_BYTES: usize = 200;
/// Most bytes of a reason, escaped.
pub(crate) const MAX_REASON_BYTES: usize = 300;

/// What is known of one connection, for its lines.
#[derive(Debug)]
pub(super) struct Record {
    accepted_ms: u64,
    client: Client,
    texts: Texts,
    /// Why the handshake was refused, if it was.
    refused: Option<Box<Refused>>,
    /// The close that the client sent.
    client_close: Option<Box<PeerClose>>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client closed it, or it was lost.
    Gone,
    /// The gateway closed it.
    Closed,
    /// The gateway closed it because it accepted no byte for too long.
    Stalled,
}

/// What the client says of itself, cut: one allocation for as long as the connection lives.
#[derive(Debug)]
struct Texts {
    joined: Box<str>,
    /// Where each [`Text`] ends.
    ends: [u16; TEXTS],
}

/// The place of a text in [`Texts`].
#[derive(Clone, Copy)]
enum Text {
    Origin,
    UserAgent,
    Client,
    Version,
    Mode,
    Role,
}

/// How many [`Text`]s there are.
const TEXTS: usize = 6;

impl Text {
    const fn max_bytes(self) -> usize {
        match self {
            Self::UserAgent => MAX_USER_AGENT_BYTES,
            _ => MAX_TEXT_BYTES,
        }
    }
}

impl Texts {
    /// Of the texts in the order of [`Text`].
    fn new(texts: [Option<&str>; TEXTS]) -> Self {
        let mut joined = String::new();
        let ends = texts.map(|text| {
            joined.push_str(start_of(text.unwrap_or(""), MAX_USER_AGENT_BYTES));
            // All texts together have at most 1,200 bytes.
            u16::try_from(joined.len()).unwrap_or(u16::MAX)
        });
        Self {
            joined: joined.into(),
            ends,
        }
    }

    /// The text, unless it is absent or empty.
    fn get(&self, text: Text) -> Option<&str> {
        let index = text as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let range = usize::from(start)..usize::from(self.ends[index]);
        self.joined.get(range).filter(|text| !text.is_empty())
    }

    /// The text for a line of the log.
    fn shown(&self, text: Text) -> Option<String> {
        self.get(text).map(|shown| escaped(shown, text.max_bytes()))
    }
}

impl Record {
    /// Of a connection of which only the request is known.
    pub(super) fn new(facts: &Facts, accepted_ms: u64) -> Self {
        let texts = [
            facts.origin.as_deref(),
            facts.user_agent.as_deref(),
            None,
            None,
            None,
            None,
        ];
        Self {
            accepted_ms,
            client: facts.client,
            texts: Texts::new(texts),
            refused: None,
            client_close: None,
        }
    }

    /// The handshake is refused; its line is written when the connection ends.
    pub(super) fn refused(&mut self, refused: Box<Refused>) {
        let client = &refused.client;
        self.introduce([&client.id, &client.version, &client.mode, &client.role].map(Option::as_deref));
        self.refused = Some(refused);
    }

    /// The client sent a close.
    pub(super) fn closed_by_client(&mut self, close: PeerClose) {
        self.client_close = Some(Box::new(close));
    }

    /// The handshake is accepted.
    pub(super) fn accepted(&mut self, handshake: &Handshake, shared: &Shared) {
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
        let texts = &self.texts;
        let (address, proxy) = addresses(self.client);
        info!(
            client = texts.shown(Text::Client),
            version = texts.shown(Text::Version),
            mode = texts.shown(Text::Mode),
            role = texts.shown(Text::Role),
            protocol = handshake.protocol,
            origin = texts.shown(Text::Origin),
            user_agent = texts.shown(Text::UserAgent),
            address,
            proxy,
            duration_ms = self.duration_ms(shared),
            "accepted"
        );
    }

    /// The connection ends. `close` is the close that the gateway queued, `host` the Host header as long as
    /// the handshake is not done.
    pub(super) fn ended(
        &self,
        ending: Ending,
        has_joined: bool,
        close: Option<&CloseFrame>,
        host: Option<&str>,
        shared: &Shared,
    ) {
        let is_restart = close.is_some_and(|close| close.code == CloseFrame::SERVICE_RESTART.code);
        match close {
            Some(close) if !has_joined && !is_restart => self.write_refusal(close, host, shared),
            close => self.write_close(ending, has_joined, close, shared),
        }
    }

    fn write_refusal(&self, close: &CloseFrame, host: Option<&str>, shared: &Shared) {
        if !(enabled!(Level::WARN) && shared.lines.passes(Kind::Refused, &shared.clock)) {
            return;
        }
        let texts = &self.texts;
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
            client = texts.shown(Text::Client),
            version = texts.shown(Text::Version),
            mode = texts.shown(Text::Mode),
            role = texts.shown(Text::Role),
            origin = texts.shown(Text::Origin),
            host,
            user_agent = texts.shown(Text::UserAgent),
            address,
            proxy,
            duration_ms = self.duration_ms(shared),
            "refused"
        );
    }

    fn write_close(&self, ending: Ending, has_joined: bool, close: Option<&CloseFrame>, shared: &Shared) {
        if !(enabled!(Level::INFO) && shared.lines.passes(Kind::Closed, &shared.clock)) {
            return;
        }
        let (by, code, reason) = match (ending, close, &self.client_close) {
            (Ending::Stalled, Some(close), _) => ("gateway", close.code, "slow consumer: accepts no bytes"),
            (Ending::Closed, Some(close), _) => ("gateway", close.code, &*close.reason),
            (_, _, Some(close)) => ("client", close.code.into(), close.reason.as_str()),
            // What RFC 6455 calls a close without a close frame.
            _ => ("network", 1006, ""),
        };
        let texts = &self.texts;
        let (address, proxy) = addresses(self.client);
        info!(
            code,
            reason = escaped(reason, MAX_REASON_BYTES),
            by,
            client = texts.shown(Text::Client),
            version = texts.shown(Text::Version),
            mode = texts.shown(Text::Mode),
            role = texts.shown(Text::Role),
            origin = texts.shown(Text::Origin),
            user_agent = texts.shown(Text::UserAgent),
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

    /// Adds what the client says of itself: id, version, mode and role.
    fn introduce(&mut self, [id, version, mode, role]: [Option<&str>; 4]) {
        let [origin, user_agent] = [Text::Origin, Text::UserAgent].map(|text| self.texts.get(text));
        self.texts = Texts::new([origin, user_agent, id, version, mode, role]);
    }

    fn duration_ms(&self, shared: &Shared) -> u64 {
        shared.clock.now().age_ms.saturating_sub(self.accepted_ms)
    }
}

/// Where the client is, if that is known, and the proxy in between, if there is one.
pub(crate) fn addresses(client: Client) -> (Option<String>, Option<String>) {
    let is_direct = client.ip == Some(client.peer);
    (
        client.ip.map(|ip| ip.to_string()),
        (!is_direct).then(|| client.peer.to_string()),
    )
}
