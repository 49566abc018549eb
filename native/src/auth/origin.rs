//! Which web pages may talk to the gateway (reference 3.6, SEP column; SPEC 4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::auth::proxy::is_loopback;

/// An origin: scheme, host and port, lower-cased, with the port always filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Box<str>,
    authority: Authority,
}

impl Origin {
    /// Parses `scheme://host[:port]`. `null` and everything else is no origin.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if !is_scheme {
            return None;
        }
        let authority = Authority::parse(rest.strip_suffix('/').unwrap_or(rest), default_port(scheme))?;
        Some(Self {
            scheme: scheme.into(),
            authority,
        })
    }
}

/// Host and port of a Host header or an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Authority {
    /// Lower-case, without brackets and without a final dot.
    host: Box<str>,
    port: Option<u16>,
}

impl Authority {
    fn parse(text: &str, default_port: Option<u16>) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let spelled;
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest.split_once(']')?;
            // One address has many spellings; browsers use this one.
            spelled = host.parse::<Ipv6Addr>().ok()?.to_string();
            (
                spelled.as_str(),
                port.strip_prefix(':').or_else(|| port.is_empty().then_some("")),
            )
        } else {
            match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text.as_str(), Some("")),
            }
        };
        let port = match port? {
            "" => default_port,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_host =
            !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/@?#\\\"".contains(c));
        is_host.then(|| Self {
            host: host.into(),
            port,
        })
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    fn is_loopback(&self) -> bool {
        &*self.host == "localhost" || self.host.ends_with(".localhost") || self.ip().is_some_and(is_loopback)
    }

    /// Names that cannot belong to a stranger on the internet.
    fn is_private(&self) -> bool {
        self.host.ends_with(".local")
            || self.host.ends_with(".ts.net")
            || self.ip().is_some_and(|ip| match ip.to_canonical() {
                // 100.64.0.0/10 is what Tailscale hands out.
                IpAddr::V4(ip) => {
                    ip.is_private()
                        || ip.is_link_local()
                        || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64)
                }
                IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
            })
    }
}

/// Whether the text is a host with an optional port, as a Host header has it.
pub(crate) fn is_authority(text: &str) -> bool {
    text.is_ascii() && Authority::parse(text, None).is_some()
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// The origins an operator allowed.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins {
    any: bool,
    listed: Vec<Origin>,
}

/// An entry of the list that no page can match.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an origin: {why}")]
pub struct InvalidOrigin {
    text: String,
    why: &'static str,
}

/// An origin as browsers send it.
///
/// # Errors
/// Why no browser sends it.
fn configured(text: &str) -> Result<Origin, &'static str> {
    let bare = text.trim().to_lowercase();
    if bare == "null" || bare.starts_with("file:") {
        return Err("pages from files and sandboxed frames have none and cannot be allowed");
    }
    let origin = Origin::parse(text)
        .ok_or("write scheme and host without a path, as in https://dash.example.org, or *")?;
    let Authority { host, port } = &origin.authority;
    let is_web = matches!(&*origin.scheme, "http" | "https");
    let is_address = host.parse::<IpAddr>().is_ok();
    let last_label = host.rsplit('.').next().unwrap_or_default();
    let is_number = last_label.bytes().all(|byte| byte.is_ascii_digit()) || last_label.starts_with("0x");
    if matches!(&*origin.scheme, "ws" | "wss") {
        Err("write the scheme of the page, http or https")
    } else if host.contains('*') {
        Err("a host cannot hold a wildcard; list each host, or * alone for all")
    } else if !host.is_ascii() {
        Err("write the host in its ASCII form, as in xn--bcher-kva.example")
    } else if !is_address
        && !host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    {
        Err("the host holds a character that no host name has")
    } else if is_web && is_number && host.parse::<Ipv4Addr>().is_err() {
        Err("write the IP address with four numbers, as browsers do")
    } else if *port == Some(0) {
        Err("0 is not a port")
    } else {
        Ok(origin)
    }
}

impl AllowedOrigins {
    /// Parses the list; `*` allows every origin, blank entries are left out.
    ///
    /// # Errors
    /// [`InvalidOrigin`] names the first entry that is neither.
    pub fn parse<S: AsRef<str>>(list: &[S]) -> Result<Self, InvalidOrigin> {
        let mut allowed = Self::default();
        for text in list.iter().map(AsRef::as_ref) {
            if text.trim() == "*" {
                allowed.any = true;
            } else if !text.trim().is_empty() {
                let invalid = |why| InvalidOrigin {
                    text: text.to_owned(),
                    why,
                };
                allowed.listed.push(configured(text).map_err(invalid)?);
            }
        }
        Ok(allowed)
    }

    /// Whether a request that bears this Origin may connect. `host` is its Host header,
    /// `is_direct_local` whether it came from this machine with no proxy in between, `is_local_peer`
    /// whether the other end of the socket is this machine.
    #[must_use]
    pub fn allows(
        &self,
        origin: &str,
        host: Option<&str>,
        is_direct_local: bool,
        is_local_peer: bool,
    ) -> bool {
        let Some(origin) = Origin::parse(origin) else {
            return false;
        };
        if self.any || self.listed.contains(&origin) {
            return true;
        }
        if is_direct_local && origin.authority.is_loopback() {
            return true;
        }
        let is_same_host = host.and_then(|host| Authority::parse(host, default_port(&origin.scheme)))
            == Some(origin.authority.clone());
        is_same_host && (origin.authority.is_private() || (origin.authority.is_loopback() && is_local_peer))
    }

    /// Whether the Host header names this machine or a listed origin's host. Mode `none` asks for it:
    /// a page whose name was rebound to 127.0.0.1 still carries its own name there.
    #[must_use]
    pub fn allows_host(&self, host: Option<&str>) -> bool {
        let Some(host) = host.and_then(|host| Authority::parse(host, None)) else {
            return false;
        };
        self.any
            || host.is_loopback()
            || self
                .listed
                .iter()
                .any(|origin| origin.authority.host == host.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &[&str]) -> AllowedOrigins {
        AllowedOrigins::parse(list).unwrap()
    }

    #[test]
    fn origins_are_compared_by_scheme_host_and_port() {
        assert_eq!(
            Origin::parse("HTTPS://Dash.Example.org"),
            Origin::parse("https://dash.example.org:443/")
        );
        assert_ne!(
            Origin::parse("https://dash.example.org"),
            Origin::parse("http://dash.example.org")
        );
        assert_ne!(
            Origin::parse("https://dash.example.org"),
            Origin::parse("https://dash.example.org:444")
        );
        for text in [
            "null",
            "",
            "dash.example.org",
            "https://",
            "https://a b",
            "https://u@h",
            "://x",
            "https://h:99999",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_table_of_same_hosts() {
        // origin, host header, direct local, local peer, wanted
        let table = [
            (
                "http://localhost:18789",
                Some("127.0.0.1:18789"),
                true,
                true,
                true,
            ),
            ("http://127.0.0.1:5173", Some("127.0.0.1:18789"), true, true, true),
            ("http://[::1]:5173", Some("[::1]:18789"), true, true, true),
            // A proxy stands in between: loopback only when it is the same host.
            (
                "http://localhost:5173",
                Some("localhost:18789"),
                false,
                true,
                false,
            ),
            (
                "http://localhost:18789",
                Some("localhost:18789"),
                false,
                true,
                true,
            ),
            (
                "http://localhost:18789",
                Some("localhost:18789"),
                false,
                false,
                false,
            ),
            (
                "http://192.168.1.5:18789",
                Some("192.168.1.5:18789"),
                false,
                false,
                true,
            ),
            (
                "http://192.168.1.5:18789",
                Some("192.168.1.6:18789"),
                false,
                false,
                false,
            ),
            (
                "http://192.168.1.5",
                Some("192.168.1.5:18789"),
                false,
                false,
                false,
            ),
            ("http://192.168.1.5", Some("192.168.1.5"), false, false, true),
            (
                "http://[fd00::5]:18789",
                Some("[fd00::5]:18789"),
                false,
                false,
                true,
            ),
            (
                "http://studio.local:18789",
                Some("STUDIO.local:18789"),
                false,
                false,
                true,
            ),
            (
                "https://gw.tail1.ts.net",
                Some("gw.tail1.ts.net"),
                false,
                false,
                true,
            ),
            (
                "http://100.100.1.2:18789",
                Some("100.100.1.2:18789"),
                false,
                false,
                true,
            ),
            // A public name must be listed even when it is the same host.
            (
                "https://gw.example.org",
                Some("gw.example.org"),
                false,
                false,
                false,
            ),
            ("http://8.8.8.8:18789", Some("8.8.8.8:18789"), false, false, false),
            (
                "https://evil.example.org",
                Some("127.0.0.1:18789"),
                true,
                true,
                false,
            ),
            (
                "http://localhost.evil.org",
                Some("127.0.0.1:18789"),
                true,
                true,
                false,
            ),
            ("null", Some("127.0.0.1:18789"), true, true, false),
            ("http://192.168.1.5:18789", None, false, false, false),
        ];
        for (origin, host, direct, local, wanted) in table {
            assert_eq!(
                allowed(&[]).allows(origin, host, direct, local),
                wanted,
                "{origin} at {host:?}"
            );
        }
    }

    #[test]
    fn listed_origins_and_the_star() {
        let listed = allowed(&["https://dash.example.org"]);
        assert!(listed.allows("https://DASH.example.org", None, false, false));
        assert!(!listed.allows("http://dash.example.org", None, false, false));
        assert!(allowed(&["*"]).allows("https://any.example.org", None, false, false));
        assert!(!allowed(&["*"]).allows("null", None, false, false));
        assert!(AllowedOrigins::parse(&["dash.example.org"]).is_err());
    }

    #[test]
    fn an_entry_that_no_page_can_match_is_refused() {
        for (text, origin) in [
            ("https://dash.example.org/", "https://dash.example.org"),
            (" HTTPS://Dash.Example.org:443 ", "https://dash.example.org"),
            ("http://[0:0:0:0:0:0:0:1]:5173", "http://[::1]:5173"),
            ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
            ("http://my_host:8080", "http://my_host:8080"),
            ("app://localhost", "app://localhost"),
            ("tauri://localhost", "tauri://localhost"),
            ("vscode-webview://1abc", "vscode-webview://1abc"),
            (
                "chrome-extension://abcdefghijklmnop",
                "chrome-extension://abcdefghijklmnop",
            ),
        ] {
            assert!(allowed(&[text]).allows(origin, None, false, false), "{text}");
        }
        for (text, word) in [
            ("null", "pages from files"),
            ("file://", "pages from files"),
            ("dash.example.org", "scheme and host"),
            ("https://dash.example.org/path", "without a path"),
            ("https://dash.example.org?x", "without a path"),
            ("https://u:p@dash.example.org", "scheme and host"),
            ("https://a.example.org,https://b.example.org", "scheme and host"),
            ("https://a.example.org,b.example.org", "character"),
            ("https://*.example.org", "wildcard"),
            ("wss://dash.example.org", "http or https"),
            ("https://b\u{fc}cher.example", "xn--"),
            ("https://a%2eb", "character"),
            ("http://[nonsense]", "scheme and host"),
            ("http://::1", "scheme and host"),
            ("http://127.1", "four numbers"),
            ("http://0x7f000001", "four numbers"),
            ("http://localhost:0", "not a port"),
            ("http://localhost:+80", "scheme and host"),
            ("http://localhost:65536", "scheme and host"),
        ] {
            let error = AllowedOrigins::parse(&[text]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`{text}`")) && error.contains(word),
                "{error}"
            );
        }
        assert!(AllowedOrigins::parse(&["", " ", "*"]).is_ok());
    }

    #[test]
    fn the_host_header_under_mode_none() {
        let listed = allowed(&["https://dash.example.org"]);
        for host in [
            "127.0.0.1:18789",
            "localhost",
            "LOCALHOST:1",
            "[::1]:18789",
            "dash.example.org:18789",
        ] {
            assert!(listed.allows_host(Some(host)), "{host}");
        }
        for host in ["evil.example.org:18789", "192.168.1.5", "127.0.0.1.evil.org", ""] {
            assert!(!listed.allows_host(Some(host)), "{host}");
        }
        assert!(!listed.allows_host(None));
    }
}
