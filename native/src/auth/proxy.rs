//! Attribution of requests that came through proxies (SPEC 4, reference 2.7).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// Request headers that only a proxy adds, in lower case. `x-forwarded-*` is matched by prefix.
const PROXY_HEADERS: [&str; 2] = ["forwarded", "x-real-ip"];
const PROXY_PREFIXES: [&str; 2] = ["x-forwarded-", "tailscale-"];

/// Whether only proxies add the header of this lower-case name.
pub(crate) fn is_proxy_header(name: &str) -> bool {
    PROXY_HEADERS.contains(&name) || PROXY_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether the address is this machine's own: 127.0.0.0/8, ::1, and both as mapped IPv6.
pub(crate) fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Returns the network that a client can choose its address in: the /64 of an IPv6 address, an IPv4 address itself,
/// and one address for all of loopback.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        ip if ip.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        ip => ip,
    }
}

/// The client of a request, by address and headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// The other end of the socket; IPv4-mapped IPv6 as IPv4.
    pub peer: IpAddr,
    /// The client's address; `None` behind a proxy when no trusted one names the client.
    pub ip: Option<IpAddr>,
}

impl Client {
    /// Whether the client is on this machine, without a proxy: behind one no address is loopback.
    pub(crate) fn is_direct_local(&self) -> bool {
        self.ip.is_some_and(is_loopback)
    }

    /// A client without a proxy.
    pub(crate) fn direct(peer: IpAddr) -> Self {
        let peer = peer.to_canonical();
        Self { peer, ip: Some(peer) }
    }
}

/// Prefix length of the IPv4-mapped range of IPv6.
const MAPPED_PREFIX_LEN: u8 = 96;

/// Returns the network in the form of clients' addresses: without host bits, and IPv4 for mapped IPv6.
///
/// # Errors
/// The reason why proxies cannot be trusted by this network.
pub(crate) fn canonical(network: IpNet) -> Result<IpNet, &'static str> {
    let network = network.trunc();
    let mapped = match network {
        IpNet::V6(v6) => v6
            .addr()
            .to_ipv4_mapped()
            .zip(v6.prefix_len().checked_sub(MAPPED_PREFIX_LEN)),
        IpNet::V4(_) => None,
    };
    let network = mapped
        .and_then(|(ip, prefix_len)| IpNet::new(ip.into(), prefix_len).ok())
        .unwrap_or(network);
    if network.prefix_len() == 0 {
        return Err("contains every address; name the addresses of the proxies only");
    }
    let first_mapped = IpAddr::from(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped());
    if network.contains(&first_mapped) {
        return Err("contains IPv4-mapped addresses; name IPv4 networks as IPv4");
    }
    Ok(network)
}

/// The networks whose proxy headers are trusted.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Those of a valid configuration.
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(
            networks
                .iter()
                .filter_map(|&network| canonical(network).ok())
                .collect(),
        )
    }

    /// Whether proxy headers from this address are trusted.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.contains(&ip))
    }

    /// Finds the client. `forwarded_for` are all `X-Forwarded-For` values joined by commas;
    /// `has_proxy_headers` says whether any header satisfied [`is_proxy_header`] or states a user.
    pub(crate) fn attribute(
        &self,
        peer: IpAddr,
        has_proxy_headers: bool,
        forwarded_for: Option<&str>,
    ) -> Client {
        if !has_proxy_headers {
            return Client::direct(peer);
        }
        let is_trusted = self.contains(peer);
        Client {
            peer: peer.to_canonical(),
            ip: forwarded_for
                .filter(|_| is_trusted)
                .and_then(|list| self.walk(list)),
        }
    }

    /// Walks from the right past trusted proxies. The first other address is the client; those to its left are only
    /// the client's claims. If all are trusted, the leftmost is a client inside a trusted network. An invalid hop ends
    /// the search without a client.
    fn walk(&self, forwarded_for: &str) -> Option<IpAddr> {
        let mut client = None;
        for hop in forwarded_for.rsplit(',') {
            let ip = parse_hop(hop)?;
            if is_loopback(ip) {
                continue;
            }
            client = Some(ip);
            if !self.contains(ip) {
                break;
            }
        }
        client
    }
}

/// An address literal with optional port and brackets.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let ip = hop
        .parse::<IpAddr>()
        .or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()))
        .or_else(|_| {
            hop.trim_start_matches('[')
                .trim_end_matches(']')
                .parse::<IpAddr>()
        })
        .ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn trusting(networks: &[&str]) -> TrustedProxies {
        let networks: Vec<IpNet> = networks.iter().map(|network| network.parse().unwrap()).collect();
        TrustedProxies::new(&networks)
    }

    #[test]
    fn networks_are_compared_as_the_addresses_of_clients_are() {
        let networks = [
            "10.1.2.3/8",
            "::ffff:192.0.2.1/128",
            "::ffff:10.0.0.0/104",
            "fd00::1/128",
        ];
        let wanted = ["10.0.0.0/8", "192.0.2.1/32", "10.0.0.0/8", "fd00::1/128"];
        assert_eq!(
            trusting(&networks).0,
            wanted.map(|network| network.parse::<IpNet>().unwrap())
        );
    }

    #[test]
    fn loopback_in_any_spelling() {
        for text in [
            "127.0.0.1",
            "127.9.8.7",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:7f00:1",
        ] {
            assert!(is_loopback(ip(text)), "{text}");
        }
        for text in ["10.0.0.1", "128.0.0.1", "::2", "::ffff:10.0.0.1", "0.0.0.0"] {
            assert!(!is_loopback(ip(text)), "{text}");
        }
    }

    #[test]
    fn the_network_of_an_address() {
        for (text, wanted) in [
            ("127.9.8.7", "127.0.0.1"),
            ("::1", "127.0.0.1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
            ("2001:db8:1:3::", "2001:db8:1:3::"),
        ] {
            assert_eq!(network(ip(text)), ip(wanted), "{text}");
        }
    }

    #[test]
    fn proxy_headers_are_recognised() {
        for name in [
            "forwarded",
            "x-real-ip",
            "x-forwarded-for",
            "x-forwarded-proto",
            "tailscale-user-login",
        ] {
            assert!(is_proxy_header(name), "{name}");
        }
        for name in ["host", "origin", "x-forwarded", "x-request-id", "via"] {
            assert!(!is_proxy_header(name), "{name}");
        }
    }

    #[test]
    fn without_proxy_headers_the_peer_is_the_client() {
        let none = TrustedProxies::default();
        let local = none.attribute(ip("::ffff:127.0.0.1"), false, None);
        assert_eq!(local.ip, Some(ip("127.0.0.1")));
        assert!(local.is_direct_local());

        let remote = none.attribute(ip("192.0.2.4"), false, None);
        assert_eq!(remote.ip, Some(ip("192.0.2.4")));
        assert!(!remote.is_direct_local());
    }

    #[test]
    fn untrusted_proxy_headers_make_the_client_remote_without_address() {
        let client = TrustedProxies::default().attribute(ip("127.0.0.1"), true, Some("192.0.2.4"));
        assert_eq!(client.ip, None);
        assert!(!client.is_direct_local());
    }

    #[test]
    fn forwarded_for_is_read_from_the_right_and_skips_trusted_hops() {
        let proxies = trusting(&["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]);
        let cases = [
            ("192.0.2.4", Some("192.0.2.4")),
            ("203.0.113.9, 192.0.2.4", Some("192.0.2.4")),
            ("192.0.2.4, 10.1.2.3, 127.0.0.1", Some("192.0.2.4")),
            ("192.0.2.4:5678", Some("192.0.2.4")),
            ("[2001:db8::7]:443", Some("2001:db8::7")),
            ("[2001:db8::7]", Some("2001:db8::7")),
            ("2001:db8::7, fd00::1", Some("2001:db8::7")),
            ("::ffff:192.0.2.4", Some("192.0.2.4")),
            ("\"192.0.2.4\"", Some("192.0.2.4")),
            // All hops are ours: a client inside a trusted network.
            ("10.1.2.3, 127.0.0.1", Some("10.1.2.3")),
            ("10.7.7.7, 10.1.2.3", Some("10.7.7.7")),
            ("127.0.0.1, 10.1.2.3", Some("10.1.2.3")),
            ("127.0.0.1", None),
            ("unknown, 10.1.2.3", None),
            ("192.0.2.4, unknown", None),
            ("192.0.2.4, ", None),
            ("", None),
        ];
        for (header, wanted) in cases {
            let client = proxies.attribute(ip("10.0.0.1"), true, Some(header));
            assert_eq!(client.ip, wanted.map(ip), "{header}");
            assert!(!client.is_direct_local(), "{header}");
        }
        assert_eq!(proxies.attribute(ip("10.0.0.1"), true, None).ip, None);
    }
}
