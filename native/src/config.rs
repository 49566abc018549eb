//! The gateway's configuration as a plain value. `cli::options` makes one of flags, environment and
//! file; a program that embeds the gateway fills it in itself.

#[cfg(feature = "cluster")]
mod cluster;
mod invalid;
#[cfg(feature = "webhook")]
mod webhook;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use presence_core::PresenceEntry;
use presence_core::model::setting::{MAX_SPAN_MS, within};
use presence_core::roster::RosterConfig;
use presence_core::wire::Limits;

use crate::auth::origin::AllowedOrigins;
use crate::auth::proxy;
use crate::auth::secret::AuthMode;
use crate::auth::slots::SlotLimits;
use crate::auth::tokens::Tokens;
use crate::auth::user_header::UserHeader;
#[cfg(feature = "history")]
use crate::history::HistoryConfig;
use crate::recording::RecordTo;
use crate::tls::Tls;
use crate::web::WebRoot;

#[cfg(feature = "cluster")]
pub use self::cluster::{ClusterConfig, InvalidCluster};
pub use self::invalid::InvalidConfig;
#[cfg(feature = "webhook")]
pub use self::webhook::{InvalidWebhook, WebhookConfig};

/// The port OpenClaw gateways listen on.
pub const DEFAULT_PORT: u16 = 18_789;

/// The longest `max-age` of Strict-Transport-Security, in s: 2^31 - 1. Recipients of HTTP headers need not read a
/// greater number of seconds ([RFC 9111, 1.2.2](https://www.rfc-editor.org/rfc/rfc9111#section-1.2.2)).
const MAX_HSTS_S: u64 = 2_147_483_647;

/// All settings of a gateway.
///
/// ```
/// use presence_gateway::GatewayConfig;
/// let mut config = GatewayConfig::default();
/// config.port = 0;
/// config.ttl_ms = 60_000;
/// assert_eq!(config.max_entries, 200);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GatewayConfig {
    /// Address to listen on.
    pub bind: Bind,
    /// Port to listen on; 0 lets the system choose.
    pub port: u16,
    /// Authentication of clients. The default requires no secret, which works on loopback only.
    pub auth: AuthMode,
    /// Further secrets, each with rights of its own; without [`auth`](Self::auth) they have no effect.
    pub tokens: Option<Tokens>,
    /// Bounds and intervals of the protocol.
    pub limits: Limits,
    /// Lifetime of a row after its last write or pong, in ms.
    pub ttl_ms: u64,
    /// Most rows, the gateway's own included; at least 2.
    pub max_entries: usize,
    /// Modes of clients that get no row; compared trimmed and in lower case.
    pub ephemeral_modes: Vec<Box<str>>,
    /// Origins of web pages that may connect besides those of this machine.
    pub allowed_origins: AllowedOrigins,
    /// Proxies whose headers are trusted. IPv4 networks may be written as IPv4-mapped IPv6 ones.
    pub trusted_proxies: Vec<IpNet>,
    /// Header in which these proxies state the user.
    pub user_header: Option<UserHeader>,
    /// The certificate; without one nothing is encrypted.
    pub tls: Option<Tls>,
    /// How long browsers use HTTPS only, in s: the `max-age` of Strict-Transport-Security, at most 2^31 - 1. Sent with
    /// TLS only.
    pub hsts_s: Option<u64>,
    /// Bounds on sockets.
    pub slots: SlotLimits,
    /// Time limit for closing the connections and sending to the webhook when the gateway stops, in ms. Giving up the
    /// name in a fleet takes at most half of it.
    pub drain_ms: u64,
    /// Names of the gateways whose rows are listed too; [`Gateway::feeds`](crate::Gateway::feeds) takes these rows.
    pub observed: Vec<Box<str>>,
    /// The fleet of this gateway, which shares its rosters through NATS.
    #[cfg(feature = "cluster")]
    pub cluster: Option<ClusterConfig>,
    /// Files of the gateway's page; a short built-in page when `None`.
    pub web_root: Option<Arc<WebRoot>>,
    /// Whether `/metrics` is answered on the port of the WebSocket, to requests that present the secret.
    pub metrics: bool,
    /// Address at which a separate thread also answers metrics, without a secret.
    pub metrics_bind: Option<SocketAddr>,
    /// Where to record inputs that change rows, for `replay`.
    pub record: Option<RecordTo>,
    /// The history of sessions, if one is written.
    #[cfg(feature = "history")]
    pub history: Option<HistoryConfig>,
    /// The server that receives joins and leaves, if there is one.
    #[cfg(feature = "webhook")]
    pub webhook: Option<WebhookConfig>,
    /// The version that the gateway states.
    pub version: Box<str>,
    /// The gateway's own row; made from facts about the system when `None`.
    pub self_entry: Option<PresenceEntry>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            bind: Bind::Loopback,
            port: DEFAULT_PORT,
            auth: AuthMode::None,
            tokens: None,
            limits: Limits::default(),
            ttl_ms: 300_000,
            max_entries: 200,
            ephemeral_modes: vec!["cli".into()],
            allowed_origins: AllowedOrigins::default(),
            trusted_proxies: Vec::new(),
            user_header: None,
            tls: None,
            hsts_s: None,
            slots: SlotLimits::default(),
            drain_ms: 5_000,
            observed: Vec::new(),
            #[cfg(feature = "cluster")]
            cluster: None,
            web_root: None,
            metrics: false,
            metrics_bind: None,
            record: None,
            #[cfg(feature = "history")]
            history: None,
            #[cfg(feature = "webhook")]
            webhook: None,
            version: env!("CARGO_PKG_VERSION").into(),
            self_entry: None,
        }
    }
}

impl GatewayConfig {
    /// Checks every number: those of the roster, of [`Limits::validate`] and of [`SlotLimits::validate`], a time to
    /// drain of at most 2^31 - 1 ms, HTTPS only for at most 2^31 - 1 s, and the bounds of the recording, the history
    /// and the webhook. Refuses networks of trusted proxies that contain every address or IPv4-mapped ones, and
    /// settings without the one that they need: a header with the user without trusted proxies, HTTPS only without a
    /// certificate, and named tokens without a secret.
    ///
    /// # Errors
    /// [`InvalidConfig`] names the first that is wrong.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        let roster = RosterConfig {
            ttl_ms: self.ttl_ms,
            max_entries: self.max_entries,
            ..RosterConfig::default()
        };
        roster.validate()?;
        self.limits.validate()?;
        self.slots.validate()?;
        within("drain_ms", self.drain_ms, 0..=MAX_SPAN_MS)?;
        within("hsts_s", self.hsts_s.unwrap_or(0), 0..=MAX_HSTS_S)?;
        if let Some(record) = &self.record {
            record.validate()?;
        }
        #[cfg(feature = "history")]
        if let Some(history) = &self.history {
            history.validate()?;
        }
        #[cfg(feature = "webhook")]
        if let Some(webhook) = &self.webhook {
            webhook.validate()?;
        }
        for &network in &self.trusted_proxies {
            proxy::canonical(network).map_err(|why| InvalidConfig::Network { network, why })?;
        }
        self.check_effects()
    }

    /// Refuses settings that have no effect without another one.
    fn check_effects(&self) -> Result<(), InvalidConfig> {
        let without = |name, is_set: bool, why, needs, is_there: bool| match is_set && !is_there {
            true => Err(InvalidConfig::NoEffect { name, why, needs }),
            false => Ok(()),
        };
        without(
            "user_header",
            self.user_header.is_some(),
            "it is read from trusted proxies only",
            "trusted_proxies",
            !self.trusted_proxies.is_empty(),
        )?;
        without(
            "hsts_s",
            self.hsts_s.is_some(),
            "browsers accept it over HTTPS only",
            "tls",
            self.tls.is_some(),
        )?;
        without(
            "tokens",
            self.tokens.is_some(),
            "clients need no secret",
            "auth",
            self.auth != AuthMode::None,
        )
    }

    /// The default, but on IPv4 only and on a port that the system chooses: for tests.
    #[must_use]
    pub fn ephemeral() -> Self {
        Self {
            bind: Bind::Address(Ipv4Addr::LOCALHOST.into()),
            port: 0,
            ..Self::default()
        }
    }
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bind {
    /// 127.0.0.1, and ::1 where it exists.
    Loopback,
    /// Every address of this machine.
    Lan,
    /// This one.
    Address(IpAddr),
}

impl Bind {
    /// The addresses. The first is required, the others are optional.
    pub(crate) fn addresses(self) -> Vec<IpAddr> {
        match self {
            Self::Loopback => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            Self::Lan => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            Self::Address(ip) => vec![ip],
        }
    }

    /// Whether only this machine can connect.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.addresses().into_iter().all(proxy::is_loopback)
    }
}

/// The text is neither a word nor an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `loopback`, `lan` nor an IP address")]
pub struct InvalidBind(String);

impl std::str::FromStr for Bind {
    type Err = InvalidBind;

    fn from_str(text: &str) -> Result<Self, InvalidBind> {
        match text.trim() {
            "loopback" | "localhost" => Ok(Self::Loopback),
            "lan" => Ok(Self::Lan),
            other => {
                let bare = other
                    .strip_prefix('[')
                    .and_then(|rest| rest.strip_suffix(']'))
                    .unwrap_or(other);
                bare.parse::<IpAddr>()
                    .map(|ip| Self::Address(ip.to_canonical()))
                    .map_err(|_| InvalidBind(text.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_listen() {
        assert_eq!("loopback".parse(), Ok(Bind::Loopback));
        assert_eq!("lan".parse(), Ok(Bind::Lan));
        assert_eq!("[::1]".parse(), Ok(Bind::Address(Ipv6Addr::LOCALHOST.into())));
        assert_eq!(
            "::ffff:127.0.0.1\n".parse(),
            Ok(Bind::Address(Ipv4Addr::LOCALHOST.into()))
        );
        for text in [
            "127.0.0.1:80",
            "",
            "LAN",
            "[::1",
            "::1]",
            "[[::1]]",
            "fe80::1%eth0",
            "host.example",
        ] {
            assert!(text.parse::<Bind>().is_err(), "{text}");
        }

        assert!(Bind::Loopback.is_loopback());
        assert!("127.0.0.2".parse::<Bind>().unwrap().is_loopback());
        assert!(!Bind::Lan.is_loopback());
        assert!(!"0.0.0.0".parse::<Bind>().unwrap().is_loopback());
    }
}
