//! Host and port, as in a Host header or an origin.

use std::net::{IpAddr, Ipv6Addr};

use http::uri;

use crate::auth::proxy::is_loopback;

/// Host and port of a Host header or an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    /// Lower-case, without brackets and without a final dot.
    pub(super) host: Box<str>,
    pub(super) port: Option<u16>,
}

impl Authority {
    pub(super) fn parse(text: &str, default_port: Option<u16>) -> Option<Self> {
        let authority: uri::Authority = text.trim().parse().ok()?;
        let (host, port) = authority.as_str().split_at_checked(authority.host().len())?;
        if host != authority.host() {
            // User info stands before the host.
            return None;
        }
        let port = match port {
            "" | ":" => default_port,
            port => Some(port_number(port.strip_prefix(':')?)?),
        };
        let host = host.to_ascii_lowercase();
        let host = match host.strip_prefix('[') {
            // The spelling that browsers use.
            Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?.to_string(),
            None => host.strip_suffix('.').unwrap_or(&host).to_owned(),
        };
        (!host.is_empty()).then(|| Self {
            host: host.into(),
            port,
        })
    }

    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    pub(super) fn is_loopback(&self) -> bool {
        &*self.host == "localhost" || self.host.ends_with(".localhost") || self.ip().is_some_and(is_loopback)
    }

    /// Whether the host is a name or address of a private network.
    pub(super) fn is_private(&self) -> bool {
        self.host.ends_with(".local")
            || self.host.ends_with(".ts.net")
            || self.ip().is_some_and(|ip| match ip.to_canonical() {
                // Tailscale uses 100.64.0.0/10.
                IpAddr::V4(ip) => {
                    ip.is_private()
                        || ip.is_link_local()
                        || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64)
                }
                IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
            })
    }
}

/// Reads the port of a URL, which consists of digits. `parse` alone also accepts a plus sign.
pub(crate) fn port_number(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// Whether the text is a host with an optional port, as in a Host header.
pub(crate) fn is_authority(text: &str) -> bool {
    Authority::parse(text, None).is_some()
}
