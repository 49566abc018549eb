//! IP addresses as text: which are loopback, and one spelling for each (SPEC 1.4, reference 2.7).

use alloc::string::{String, ToString};
use core::net::IpAddr;

/// Whether `address` is a loopback address in any spelling: 127.0.0.0/8, `::1`, or an IPv6 address
/// that maps to one; with or without brackets, zone and blanks.
///
/// ```
/// use presence_core::model::ip::is_loopback;
/// assert!(is_loopback("::ffff:7f00:1") && is_loopback("[0:0:0:0:0:0:0:1]"));
/// assert!(!is_loopback("192.0.2.1") && !is_loopback("localhost"));
/// ```
#[must_use]
pub fn is_loopback(address: &str) -> bool {
    parse(address).is_some_and(|ip| ip.is_loopback())
}

/// The usual spelling of an address: mapped IPv6 as dotted IPv4. `None` if it is not an address.
#[must_use]
pub fn normalise(address: &str) -> Option<String> {
    parse(address).map(|ip| ip.to_string())
}

fn parse(address: &str) -> Option<IpAddr> {
    let bare = crate::model::text::trim(address);
    let bare = bare
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(bare);
    let bare = bare.split_once('%').map_or(bare, |(ip, _zone)| ip);
    let ip: IpAddr = bare.parse().ok()?;
    Some(ip.to_canonical())
}
