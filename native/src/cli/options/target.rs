//! The gateway of a command.

use std::io::IsTerminal;
use std::net::Ipv6Addr;
use std::time::Duration;

use ::http::Uri;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::ClientOptions;
use crate::auth::origin::port_number;
use crate::auth::secret::Secret;
use crate::cli::Failure;
use crate::cli::stderr::print_note;
use crate::config::DEFAULT_PORT;
use crate::tls::ClientTls;

/// Address and secrets of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Target {
    /// A name, or an address; IPv6 in brackets.
    pub(in crate::cli) host: String,
    pub(in crate::cli) port: u16,
    /// The trusted certificates, if the connection is encrypted.
    pub(in crate::cli) tls: Option<ClientTls>,
    /// Starts with a slash.
    pub(in crate::cli) path: String,
    pub(in crate::cli) token: Option<Secret>,
    pub(in crate::cli) password: Option<Secret>,
    /// Time limit for a command that runs once, and for a handshake.
    pub(in crate::cli) timeout: Duration,
}

impl Target {
    /// Resolves the options: a URL, or a port of this machine.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the URL is invalid.
    pub(in crate::cli) fn new(options: &ClientOptions) -> Result<Self, Failure> {
        Self::of(options, "url", "").map_err(Failure::Usage)
    }

    /// Resolves options with other names: `option` for the URL, `option-token` and so on. The error is text.
    pub(in crate::cli) fn named(option: &str, options: &ClientOptions) -> Result<Self, String> {
        Self::of(options, option, &format!("{option}-"))
    }

    fn of(options: &ClientOptions, option: &str, prefix: &str) -> Result<Self, String> {
        let has_tls_options = options.tls_ca.is_some() || options.tls_fingerprint.is_some();
        let scheme = if has_tls_options { "wss" } else { "ws" };
        let default_url = format!("{scheme}://127.0.0.1:{}", options.port);
        let url = options.url.as_deref().unwrap_or(&default_url).trim();
        // The query and the fragment may hold a secret. With a user name it may be anywhere, because `?` and `#` are
        // valid in passwords too.
        let shown = match url.split(['?', '#']).next() {
            Some(start) if !url.contains('@') => format!("--{option} {start}"),
            _ => format!("--{option}"),
        };
        let usage = |why: &str| format!("{shown}: {why}");
        if options.url.is_none() && options.port == 0 {
            return Err("--port 0: 0 is not a port".to_owned());
        }
        let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
        if !rest.is_ascii() {
            return Err(usage(
                "write it in ASCII: the host as xn--..., the path with %...",
            ));
        }
        let uri: Uri = rest
            .parse()
            .map_err(|_| usage("write ws://host:port, and an IPv6 address in brackets"))?;
        let is_encrypted = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            _ => return Err(usage("write ws://host:port or wss://host:port")),
        };
        if has_tls_options && !is_encrypted {
            if options.has_tls_argument {
                return Err(usage(&format!(
                    "--{prefix}tls-ca and --{prefix}tls-fingerprint require a wss:// URL"
                )));
            }
            // The environment applies to all gateways, so it must not fail for one without TLS.
            if std::io::stderr().is_terminal() {
                print_note(
                    "the URL is not wss://, so OPENCLAW_GATEWAY_TLS_CA and OPENCLAW_GATEWAY_TLS_FINGERPRINT are ignored",
                );
            }
        }
        if uri.query().is_some_and(|query| query.split('&').any(is_secret)) {
            return Err(usage(&format!(
                "gateways do not read a secret in the URL's query; pass it with --{prefix}token or --{prefix}password"
            )));
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(usage(&format!(
                "pass the secret with --{prefix}token or --{prefix}password"
            )));
        }
        let host = uri.host().unwrap_or_default();
        let port = match &authority[host.len()..] {
            "" => DEFAULT_PORT,
            port => port
                .strip_prefix(':')
                .and_then(port_number)
                .ok_or_else(|| usage("the port is not a number"))?,
        };
        if port == 0 {
            return Err(usage("0 is not a port"));
        }
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if address.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_err()) {
            return Err(usage("invalid IPv6 address in brackets"));
        }
        // The URL that `serve` prints carries the token. Browsers, and other programs, encode characters in it.
        let from_url = fragment.strip_prefix("token=").map(percent_decode_str);
        let from_url = from_url
            .map(|token| {
                token
                    .decode_utf8()
                    .map(|token| Zeroizing::new(token.into_owned()))
            })
            .transpose()
            .map_err(|_| usage("the token in the URL is not percent-encoded UTF-8"))?;
        let tls = is_encrypted
            .then(|| ClientTls::new(options.tls_ca.as_deref(), options.tls_fingerprint))
            .transpose()
            .map_err(|error| format!("--{prefix}{}: {error}", error.option()))?;
        Ok(Self {
            host: host.to_owned(),
            port,
            tls,
            path: uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), ToString::to_string),
            token: secret(
                prefix,
                "token",
                options
                    .token
                    .as_deref()
                    .or_else(|| from_url.as_ref().map(|token| token.as_str())),
            )?,
            password: secret(prefix, "password", options.password.as_deref())?,
            timeout: Duration::from_millis(options.timeout),
        })
    }

    /// Whether the gateway is on this machine, where the command line keeps its scopes without a device key.
    pub(in crate::cli) fn is_on_this_machine(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || presence_core::model::ip::is_loopback(host)
    }

    /// The URL without its path.
    pub(in crate::cli) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

/// Whether a query parameter has the name of a secret.
fn is_secret(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    ["token", "password"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word))
}

/// A secret, by the rules of the gateway's own options. An empty one, as an empty variable of the environment, is
/// absent.
fn secret(prefix: &str, name: &str, text: Option<&str>) -> Result<Option<Secret>, String> {
    let secret = text.filter(|text| !text.is_empty()).map(Secret::new);
    secret
        .transpose()
        .map_err(|error| format!("--{prefix}{name}: {error}"))
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
            tls_ca: None,
            tls_fingerprint: None,
            has_tls_argument: false,
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
            ("wss://gw.local/", "gw.local", 18_789, "/"),
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
        for (fragment, token) in [
            ("abc", "abc"),
            ("a%2Bb+c%25%c3%bc", "a+b+c%\u{fc}"),
            ("50%", "50%"),
        ] {
            let target = target(&format!("http://127.0.0.1:4711/#token={fragment}")).unwrap();
            assert_eq!(target.token.as_ref().map(Secret::reveal), Some(token));
        }
        for url in [
            "127.0.0.1:4711",
            "ftp://h",
            "ws://",
            "ws://h:port",
            "ws://h:+80",
            "ws://s3cret@h",
            "ws://u:s3cret@h",
            "ws://u:s3cret?x@h",
            "ws://u:s3cret#x@h",
            "ws://u:s3cret:x@h",
            "ws://[::1]18789",
            "ws://[::1]x80",
            "ws://b\u{fc}cher.local:1",
            "ws://h:0",
            "ws://h:",
            "ws://[::1",
            "ws://::1:80",
            "ws://[h]",
            "ws://a b",
            "ws://h/?token=s3cret",
            "ws://h?x=1&password=s3cret",
            "ws://h/#token=s3cret%ff",
        ] {
            let failure = target(url).unwrap_err();
            assert_eq!(failure.code(), 2, "{url}");
            assert!(!failure.to_string().contains("s3cret"), "{failure}");
        }
    }

    #[test]
    fn secrets_lose_line_ends_and_nothing_else() {
        let token = |text: &str| {
            Target::new(&ClientOptions {
                url: None,
                port: 1,
                token: Some(text.to_owned()),
                password: None,
                tls_ca: None,
                tls_fingerprint: None,
                has_tls_argument: false,
                timeout: 1,
            })
            .map(|target| target.token.map(|token| token.reveal().to_owned()))
        };
        assert_eq!(token("abc\r\n").unwrap().as_deref(), Some("abc"));
        assert_eq!(token(" abc ").unwrap().as_deref(), Some(" abc "));
        assert_eq!(token("").unwrap(), None);
        for wrong in [" ", "undefined", "a\nb"] {
            assert_eq!(token(wrong).unwrap_err().code(), 2, "{wrong:?}");
        }
    }
}
