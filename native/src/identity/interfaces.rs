//! The address by which other machines reach this one.

use std::net::{IpAddr, Ipv4Addr};

/// Names of tunnels: only members of their network reach the address.
const TUNNELS: [&str; 15] = [
    "tun",
    "tap",
    "utun",
    "wg",
    "tailscale",
    "zt",
    "zerotier",
    "ppp",
    "ipsec",
    "nordlynx",
    "proton",
    "gre",
    "sit",
    "gif",
    "nebula",
];
/// Names of bridges of containers and virtual machines: no other machine reaches the address. `br0` and `br-lan` are
/// not among them, because they usually carry the machine's own address.
const BRIDGES: [&str; 18] = [
    "docker",
    "virbr",
    "veth",
    "vethernet",
    "vmnet",
    "vboxnet",
    "bridge",
    "lxcbr",
    "lxdbr",
    "incusbr",
    "podman",
    "nerdctl",
    "cni",
    "flannel",
    "cali",
    "weave",
    "kube",
    "dummy",
];

/// Hex digits of the network's id in the name of a bridge that Docker made: `br-1a2b3c4d5e6f`.
const DOCKER_ID_CHARS: usize = 12;

/// The kind of an interface, by its name; the preferred kind is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Network,
    Tunnel,
    Bridge,
}

/// Returns the machine's first LAN IPv4 address (SPEC 1.3); a link-local one only if there is no other. Networks come
/// before tunnels, and tunnels before bridges of containers and virtual machines. Among interfaces of one kind `en0`
/// comes first, then `eth0`, then the others in the system's order.
pub(crate) fn lan_ipv4() -> Option<Ipv4Addr> {
    let interfaces: Vec<(String, Ipv4Addr)> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|interface| match interface.ip() {
            IpAddr::V4(ip) => Some((interface.name, ip)),
            IpAddr::V6(_) => None,
        })
        .collect();
    first_lan_ipv4(&interfaces)
}

/// Chooses among interfaces in the system's order.
fn first_lan_ipv4(interfaces: &[(String, Ipv4Addr)]) -> Option<Ipv4Addr> {
    interfaces
        .iter()
        .filter(|(_, ip)| {
            !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast()
        })
        // The first among equals.
        .min_by_key(|(name, ip)| (ip.is_link_local(), kind(name), preference(name)))
        .map(|(_, ip)| *ip)
}

fn kind(name: &str) -> Kind {
    let name = name.to_ascii_lowercase();
    let is_of = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
    if is_of(&BRIDGES) || is_docker_bridge(&name) {
        Kind::Bridge
    } else if is_of(&TUNNELS) {
        Kind::Tunnel
    } else {
        Kind::Network
    }
}

fn is_docker_bridge(name: &str) -> bool {
    name.strip_prefix("br-")
        .is_some_and(|id| id.len() == DOCKER_ID_CHARS && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn preference(name: &str) -> usize {
    match name {
        "en0" => 0,
        "eth0" => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_others_reach_is_chosen() {
        for (interfaces, wanted) in [
            ("docker0 172.17.0.1, eth0 10.0.0.2", Some("10.0.0.2")),
            ("eth0 10.0.0.2, en0 10.0.0.3", Some("10.0.0.3")),
            ("wlan0 10.0.0.4, wlan1 10.0.0.5", Some("10.0.0.4")),
            // A laptop with containers, virtual machines and a tunnel.
            (
                "lo 127.0.0.1, br-1a2b3c4d5e6f 172.18.0.1, docker0 172.17.0.1, veth1 172.17.0.9, virbr0 192.168.122.1, \
                 tailscale0 100.64.0.7, wlp3s0 192.168.1.20",
                Some("192.168.1.20"),
            ),
            (
                "utun4 10.8.0.2, bridge100 192.168.64.1, en1 192.168.1.21",
                Some("192.168.1.21"),
            ),
            // The machine's own bridge.
            ("virbr0 192.168.122.1, br0 192.168.1.22", Some("192.168.1.22")),
            // The LAN of a router.
            (
                "br-lan 192.168.1.1, eth1 203.0.113.5, br-0123456789ab 172.18.0.1",
                Some("192.168.1.1"),
            ),
            (
                "eth1 192.168.1.25, br-0123456789a 192.168.1.26",
                Some("192.168.1.25"),
            ),
            ("wg0 10.9.0.1, docker0 172.17.0.1", Some("10.9.0.1")),
            ("docker0 172.17.0.1", Some("172.17.0.1")),
            // Without DHCP.
            ("en0 169.254.7.7, wlan0 192.168.1.23", Some("192.168.1.23")),
            ("eth0 169.254.7.7, docker0 172.17.0.1", Some("172.17.0.1")),
            ("eth0 169.254.7.7", Some("169.254.7.7")),
            (
                "vEthernet (WSL) 172.20.0.1, Ethernet 192.168.1.24",
                Some("192.168.1.24"),
            ),
            ("lo 127.0.0.1, eth0 0.0.0.0", None),
            ("", None),
        ] {
            let list: Vec<(String, Ipv4Addr)> = interfaces
                .split(", ")
                .filter_map(|part| part.rsplit_once(' '))
                .map(|(name, ip)| (name.to_owned(), ip.parse().unwrap()))
                .collect();
            assert_eq!(
                first_lan_ipv4(&list),
                wanted.map(|ip| ip.parse().unwrap()),
                "{interfaces}"
            );
        }
    }
}
