//! The settings of the webhook.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use presence_core::model::setting::{InvalidSetting, within};
use zeroize::Zeroizing;

use crate::auth::origin::port_number;
use crate::auth::secret::{InvalidSecret, Secret};
use crate::files::read_small;
use crate::tls::{ClientTls, TlsError};

/// Most bytes of the file of the secret.
const MAX_SECRET_BYTES: u64 = 4 * 1024;
/// Fewest bytes of the secret: a shorter one can be guessed.
const LEAST_SECRET_BYTES: usize = 16;
/// Longest grace period, in ms: a day.
const MAX_GRACE_MS: u64 = 24 * 3_600_000;
/// The prefix of a secret in base64.
const BASE64_PREFIX: &str = "whsec_";

/// A server that receives joins and leaves. Clones share the secret.
#[derive(Clone)]
pub struct WebhookConfig {
    is_encrypted: bool,
    /// Without brackets.
    host: Box<str>,
    port: u16,
    /// The value of the header `Host`.
    pub(crate) authority: Box<str>,
    /// The path and the query. They may hold a secret.
    pub(crate) target: Box<str>,
    key: Arc<Zeroizing<Vec<u8>>>,
    tls: Option<ClientTls>,
    /// Time within which a reconnect is not reported, in ms; at most a day.
    pub grace_ms: u64,
}

/// Why the settings of the webhook are refused. [`option`](Self::option) names the option.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWebhook {
    /// The URL. It may hold a secret, so it is not repeated.
    #[error("{0}")]
    Url(&'static str),
    /// The file of the secret cannot be read.
    #[error("{0}: {1}")]
    SecretFile(Box<str>, std::io::Error),
    /// The secret.
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    /// The secret is short.
    #[error("it has fewer than {LEAST_SECRET_BYTES} bytes: create one with `openssl rand -hex 32`")]
    ShortSecret,
    /// The secret has the prefix of one in base64.
    #[error("what follows `{BASE64_PREFIX}` must be base64")]
    Base64,
    /// The authorities.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl InvalidWebhook {
    /// The option that is wrong.
    #[must_use]
    pub fn option(&self) -> &'static str {
        match self {
            Self::Url(_) => "webhook",
            Self::SecretFile(..) | Self::Secret(_) | Self::ShortSecret | Self::Base64 => {
                "webhook-secret-file"
            }
            Self::Tls(_) => "webhook-tls-ca",
        }
    }
}

impl WebhookConfig {
    /// The server at this URL, and the secret of its signatures. A secret that starts with `whsec_` is base64. Without
    /// `ca`, the authorities of this system are trusted for an `https://` URL.
    ///
    /// # Errors
    /// [`InvalidWebhook`] states the reason.
    pub fn new(url: &str, secret: &Secret, ca: Option<&Path>) -> Result<Self, InvalidWebhook> {
        let invalid = InvalidWebhook::Url;
        let uri: Uri = url
            .trim()
            .parse()
            .map_err(|_| invalid("write http://HOST/PATH or https://HOST/PATH in ASCII"))?;
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(invalid("write http://HOST/PATH or https://HOST/PATH")),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(invalid(
                "remove the user before the `@`: the signature proves who sends",
            ));
        }
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_matches(['[', ']']);
        let port = match &authority[host.len()..] {
            "" if is_encrypted => 443,
            "" => 80,
            port => port
                .strip_prefix(':')
                .and_then(port_number)
                .filter(|port| *port != 0)
                .ok_or_else(|| invalid("the port is not a number of 1 to 65535"))?,
        };
        if bare.is_empty() {
            return Err(invalid("the host is missing"));
        }
        if !is_encrypted && ca.is_some() {
            return Err(invalid("--webhook-tls-ca requires an https:// URL"));
        }
        let tls = is_encrypted.then(|| ClientTls::new(ca, None)).transpose()?;
        Ok(Self {
            is_encrypted,
            host: bare.into(),
            port,
            authority: authority.into(),
            target: uri.path_and_query().map_or("/", |target| target.as_str()).into(),
            key: key(secret)?.into(),
            tls,
            grace_ms: 0,
        })
    }

    /// Checks that the grace period is at most a day.
    ///
    /// # Errors
    /// [`InvalidSetting`] otherwise.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        within("webhook.grace_ms", self.grace_ms, 0..=MAX_GRACE_MS)
    }

    /// Reads a secret from its file.
    ///
    /// # Errors
    /// [`InvalidWebhook::SecretFile`] when the file cannot be read, [`InvalidWebhook::Secret`] when it holds no secret.
    pub fn read_secret(path: &Path) -> Result<Secret, InvalidWebhook> {
        let text = read_small(path, MAX_SECRET_BYTES)
            .map(Zeroizing::new)
            .map_err(|error| InvalidWebhook::SecretFile(path.display().to_string().into(), error))?;
        Ok(Secret::new(&text)?)
    }

    /// The host, an IPv6 address without brackets, and the port.
    pub(crate) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Whether the host is a name, which needs a DNS lookup.
    pub(crate) fn has_name(&self) -> bool {
        self.host.parse::<IpAddr>().is_err()
    }

    /// The trusted certificates, if the connection is encrypted.
    pub(crate) fn tls(&self) -> Option<&ClientTls> {
        self.tls.as_ref()
    }

    /// The key of the signatures.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The URL without the parts that may hold a secret.
    pub(crate) fn shown(&self) -> String {
        let s = if self.is_encrypted { "s" } else { "" };
        format!("http{s}://{}", self.authority)
    }
}

fn key(secret: &Secret) -> Result<Zeroizing<Vec<u8>>, InvalidWebhook> {
    let text = secret.reveal();
    let key = match text.strip_prefix(BASE64_PREFIX) {
        Some(base64) => STANDARD.decode(base64).map_err(|_| InvalidWebhook::Base64)?,
        None => text.as_bytes().to_vec(),
    };
    let key = Zeroizing::new(key);
    if key.len() < LEAST_SECRET_BYTES {
        return Err(InvalidWebhook::ShortSecret);
    }
    Ok(key)
}

/// Shows neither the path nor the secret.
impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("url", &self.shown())
            .field("grace_ms", &self.grace_ms)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    const SECRET: &str = "0123456789abcdef";

    fn config(url: &str, secret: &str) -> Result<WebhookConfig, InvalidWebhook> {
        WebhookConfig::new(url, &Secret::new(secret).unwrap(), None)
    }

    /// Checked by the compiler: see the test of `Secret`.
    #[test]
    fn the_key_is_overwritten_when_it_is_dropped() {
        fn check(_: &impl ZeroizeOnDrop) {}
        check(&*config("http://hook.example", SECRET).unwrap().key);
    }

    #[test]
    fn urls() {
        for (url, host, port, target) in [
            ("http://127.0.0.1:81", "127.0.0.1", 81, "/"),
            ("http://hook.example/a?b=c", "hook.example", 80, "/a?b=c"),
            ("http://[::1]:81/a", "::1", 81, "/a"),
            ("http://[::1]", "::1", 80, "/"),
        ] {
            let config = config(url, SECRET).unwrap();
            assert_eq!(
                (config.address(), &*config.target),
                ((host, port), target),
                "{url}"
            );
            assert_eq!(config.has_name(), host.contains("hook"));
        }
        #[cfg(feature = "tls")]
        assert_eq!(
            config("https://hook.example", SECRET).unwrap().address(),
            ("hook.example", 443)
        );
        for url in [
            "",
            "hook.example",
            "ftp://h/s3cret",
            "http:///s3cret",
            "http://s3cret@h",
            "http://h:0/s3cret",
            "http://h:s3cret/",
            "http://h:/",
            "http://h:99999",
            "http://h:+80",
            "http://b\u{fc}cher/s3cret",
        ] {
            let error = config(url, SECRET).unwrap_err();
            assert_eq!(error.option(), "webhook", "{url}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_secret_is_text_or_base64() {
        let key = |secret| config("http://h/", secret).map(|config| config.key().to_vec());
        assert_eq!(key(SECRET).unwrap(), SECRET.as_bytes());
        assert_eq!(key("whsec_MDEyMzQ1Njc4OWFiY2RlZg==").unwrap(), SECRET.as_bytes());
        assert!(matches!(key("whsec_*"), Err(InvalidWebhook::Base64)));
        assert!(matches!(
            key("whsec_MDEyMzQ1Njc4OWFiY2Rl"),
            Err(InvalidWebhook::ShortSecret)
        ));
        assert!(matches!(key("0123456789abcde"), Err(InvalidWebhook::ShortSecret)));
    }

    #[test]
    fn debug_shows_neither_the_path_nor_the_secret() {
        let shown = format!("{:?}", config("http://h:1/s3cret", "the-secret-of-it").unwrap());
        assert!(
            !shown.contains("s3cret") && !shown.contains("the-secret"),
            "{shown}"
        );
        assert!(shown.contains("http://h:1"), "{shown}");
    }
}
