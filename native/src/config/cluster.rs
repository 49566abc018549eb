//! The settings of a gateway in a fleet on NATS.

use std::fmt;
use std::path::Path;

use async_nats::ServerAddr;
use presence_core::fleet::{NameError, validate_names};
use zeroize::Zeroizing;

use crate::files::read_small;
use crate::tls::{ClientTls, TlsError};

/// Most bytes of a credentials file.
const MAX_CREDENTIALS_BYTES: u64 = 64 * 1024;
/// Most servers.
const MAX_SERVERS: usize = 16;

/// A fleet of gateways that share their rosters through NATS JetStream. Clones share the credentials.
#[derive(Clone)]
pub struct ClusterConfig {
    pub(crate) servers: Vec<ServerAddr>,
    pub(crate) name: Box<str>,
    pub(crate) credentials: Option<std::sync::Arc<Zeroizing<String>>>,
    pub(crate) tls: ClientTls,
}

/// Why the settings of a fleet are refused. [`option`](Self::option) names the option.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCluster {
    /// Not a URL of a NATS server. The URL may hold a secret, so it is not repeated.
    #[error("not the URL of a NATS server: write nats://HOST:4222 or tls://HOST:4222")]
    Url,
    /// None, or too many.
    #[error("1 to {MAX_SERVERS} servers are needed")]
    Servers,
    /// The name of this gateway in the fleet.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The credentials file.
    #[error("{0}: {1}")]
    Credentials(Box<str>, std::io::Error),
    /// The authorities.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl InvalidCluster {
    /// The option that is wrong.
    #[must_use]
    pub fn option(&self) -> &'static str {
        match self {
            Self::Url | Self::Servers => "cluster",
            Self::Name(_) => "cluster-name",
            Self::Credentials(..) => "cluster-creds",
            Self::Tls(_) => "cluster-tls-ca",
        }
    }
}

impl ClusterConfig {
    /// A fleet at the NATS servers with these URLs, which may hold a user and a password or a token. `name` is that of
    /// this gateway; no other gateway of the fleet may have it.
    ///
    /// # Errors
    /// [`InvalidCluster`] states the reason.
    pub fn new(servers: &[impl AsRef<str>], name: &str) -> Result<Self, InvalidCluster> {
        if !(1..=MAX_SERVERS).contains(&servers.len()) {
            return Err(InvalidCluster::Servers);
        }
        validate_names(&[name.into()])?;
        let server = |url: &str| {
            let server: ServerAddr = url.trim().parse().map_err(|_| InvalidCluster::Url)?;
            match server.scheme() {
                "nats" | "tls" if !server.host().is_empty() => Ok(server),
                _ => Err(InvalidCluster::Url),
            }
        };
        Ok(Self {
            servers: servers
                .iter()
                .map(|url| server(url.as_ref()))
                .collect::<Result<_, _>>()?,
            name: name.into(),
            credentials: None,
            tls: ClientTls::new(None, None)?,
        })
    }

    /// Reads a credentials file (`.creds`) of NATS.
    ///
    /// # Errors
    /// [`InvalidCluster::Credentials`] when it cannot be read or holds no credentials.
    pub fn with_credentials(mut self, path: &Path) -> Result<Self, InvalidCluster> {
        let invalid = |error| InvalidCluster::Credentials(path.display().to_string().into(), error);
        let text = Zeroizing::new(read_small(path, MAX_CREDENTIALS_BYTES).map_err(invalid)?);
        async_nats::ConnectOptions::with_credentials(&text).map_err(invalid)?;
        self.credentials = Some(text.into());
        Ok(self)
    }

    /// Trusts the authorities in this PEM file in place of those of this system.
    ///
    /// # Errors
    /// [`InvalidCluster::Tls`] when it cannot be read or holds no certificate.
    pub fn with_authorities(mut self, path: &Path) -> Result<Self, InvalidCluster> {
        self.tls = ClientTls::new(Some(path), None)?;
        Ok(self)
    }

    /// The ports of the servers.
    #[cfg(feature = "cli")]
    pub(crate) fn ports(&self) -> impl Iterator<Item = u16> {
        self.servers.iter().map(ServerAddr::port)
    }

    /// Whether a server has a host name, which needs a DNS lookup.
    #[cfg(feature = "cli")]
    pub(crate) fn has_names(&self) -> bool {
        let is_name = |server: &ServerAddr| server.host().parse::<std::net::IpAddr>().is_err();
        self.servers.iter().any(is_name)
    }

    /// The servers without secrets, for people.
    pub(crate) fn shown_servers(&self) -> String {
        let shown =
            |server: &ServerAddr| format!("{}://{}:{}", server.scheme(), server.host(), server.port());
        self.servers.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Debug for ClusterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterConfig")
            .field("servers", &self.shown_servers())
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// Checked by the compiler: see the test of `Secret`.
    #[test]
    fn credentials_are_overwritten_when_they_are_dropped() {
        fn check(_: &impl ZeroizeOnDrop) {}
        let config = ClusterConfig::new(&["nats://a"], "home").unwrap();
        check(&*config.credentials.unwrap_or_default());
    }

    #[test]
    fn urls_names_and_secrets() {
        let config = ClusterConfig::new(&["nats://user:pa55@nats.example:4223", "10.0.0.1"], "home").unwrap();
        assert_eq!(
            config.shown_servers(),
            "nats://nats.example:4223, nats://10.0.0.1:4222"
        );
        assert!(!format!("{config:?}").contains("pa55"), "{config:?}");
        for url in ["", "http://a:1", "ws://a:1", "nats://", "nats://:4222:1"] {
            let error = ClusterConfig::new(&[url], "home").unwrap_err();
            assert_eq!(error.option(), "cluster", "{url}");
        }
        let error = ClusterConfig::new(&["nats://a"], "Home").unwrap_err();
        assert_eq!(error.option(), "cluster-name");
    }
}
