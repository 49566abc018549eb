//! Which web pages may talk to the gateway (reference 3.6, SEP column; SPEC 4).

mod authority;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr};

use http::uri::Scheme;

use self::authority::Authority;
pub(crate) use self::authority::is_authority;
#[cfg(any(feature = "cli", feature = "webhook"))]
pub(crate) use self::authority::port_number;

/// An origin: scheme, host and port in lower case, with the scheme's default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Box<str>,
    authority: Authority,
}

impl Origin {
    /// Parses `scheme://host[:port]`; `None` for `null` and anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (scheme, rest) = text.split_once("://")?;
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || scheme.parse::<Scheme>().is_err() {
            return None;
        }
        let authority = Authority::parse(rest.strip_suffix('/').unwrap_or(rest), default_port(scheme))?;
        Some(Self {
            scheme: scheme.into(),
            authority,
        })
    }
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

/// An entry of the list that matches no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an origin: {why}")]
pub struct InvalidOrigin {
    text: String,
    why: &'static str,
}

const NO_HOST_CHARACTER: &str = "the host holds a character that no host name has";

/// Parses an entry of the list as browsers write origins.
///
/// # Errors
/// The reason why no browser sends it.
fn configured(text: &str) -> Result<Origin, &'static str> {
    let bare = text.trim().to_lowercase();
    if bare == "null" || bare.starts_with("file:") {
        return Err("pages from files and sandboxed frames have none and cannot be allowed");
    }
    if !bare.is_ascii() {
        return Err("write the host in its ASCII form, as in xn--bcher-kva.example");
    }
    if bare.contains('%') {
        return Err(NO_HOST_CHARACTER);
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
    } else if !is_address
        && !host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    {
        Err(NO_HOST_CHARACTER)
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

    /// Whether a request with this Origin may connect. `host` is its Host header; `is_direct_local` means that it came
    /// from this machine without a proxy, `is_local_peer` that the other end of the socket is this machine.
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

    /// Whether the Host header names this machine or a listed origin's host. Mode `none` requires it: a page whose
    /// name was rebound to 127.0.0.1 still sends its own name.
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
