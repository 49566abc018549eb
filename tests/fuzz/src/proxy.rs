//! Headers of a trusted proxy, one value a line; a line that begins with `@` states the user. Compared with a second
//! implementation of the rules (SPEC 4, "Users" and "Addresses").

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use presence_conformance::model::text::{is_loopback, is_placeholder};
use serde_json::{Value, json};

use crate::gateway::{Socket, USER_HEADER};

/// More lines find no more defects.
const MAX_LINES: usize = 6;
const MAX_USER_UNITS: usize = 256;

/// Connects with the headers and looks at the row.
///
/// # Panics
/// When the address or the user of the row breaks the rules.
pub fn run(data: &[u8]) {
    static CONNECTS: AtomicU64 = AtomicU64::new(0);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let is_value =
        |line: &&str| line.len() < 1_000 && !line.chars().any(|c| (c as u32) < 32 || c as u32 == 127);
    let lines: Vec<&str> = text.lines().filter(is_value).take(MAX_LINES).collect();
    let (users, hops): (Vec<&str>, Vec<&str>) = lines.into_iter().partition(|line| line.starts_with('@'));
    let users: Vec<&str> = users.into_iter().map(|user| &user[1..]).collect();
    let mut headers = String::new();
    for hop in &hops {
        headers.push_str(&format!("X-Forwarded-For: {hop}\r\n"));
    }
    for user in &users {
        headers.push_str(&format!("{USER_HEADER}: {user}\r\n"));
    }
    let mut socket = Socket::open(&headers).expect("headers of a proxy are accepted");
    let instance = format!("p{}", CONNECTS.fetch_add(1, Ordering::Relaxed));
    let hello = socket.connect(&json!({
        "minProtocol": 4, "maxProtocol": 4, "scopes": ["operator.read"],
        "client": { "id": "fuzz", "version": "1", "platform": "linux", "mode": "ui", "instanceId": instance },
    }));
    let rows = hello["payload"]["snapshot"]["presence"]
        .as_array()
        .expect("a list");
    let row = rows
        .iter()
        .find(|row| row["instanceId"] == *instance)
        .expect("a row");
    assert_eq!(row["ip"], shown(client(&hops)), "{hops:?}");
    assert_eq!(
        row["user"]["id"],
        user(&users).map_or(Value::Null, Into::into),
        "{users:?}"
    );
}

fn shown(ip: Option<IpAddr>) -> Value {
    let text = ip
        .map(|ip| ip.to_string())
        .filter(|ip| !is_loopback(ip) && !is_placeholder("ip", ip));
    text.map_or(Value::Null, Into::into)
}

/// From the right, the first hop that is not ours; an unreadable hop ends the search.
fn client(values: &[&str]) -> Option<IpAddr> {
    if values.is_empty() {
        return None;
    }
    let joined = values
        .iter()
        .map(|value| value.trim())
        .collect::<Vec<_>>()
        .join(",");
    let mut hops: Vec<&str> = joined.split(',').collect();
    hops.reverse();
    let mut found = None;
    for hop in hops {
        let ip = address(hop)?;
        if is_loopback(&ip.to_string()) {
            continue;
        }
        found = Some(ip);
        if !matches!(ip, IpAddr::V4(ip) if ip.octets()[0] == 10) {
            break;
        }
    }
    found
}

fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let whole: Option<IpAddr> = hop.parse().ok();
    let with_port = || Some(hop.parse::<SocketAddr>().ok()?.ip());
    let in_brackets = || hop.trim_start_matches('[').trim_end_matches(']').parse().ok();
    whole
        .or_else(with_port)
        .or_else(in_brackets)
        .map(|ip| ip.to_canonical())
}

fn user<'a>(values: &[&'a str]) -> Option<&'a str> {
    let [value] = values else { return None };
    let user = value.trim();
    let is_id =
        !user.is_empty() && user.encode_utf16().count() <= MAX_USER_UNITS && !user.contains(char::is_control);
    is_id.then_some(user)
}
