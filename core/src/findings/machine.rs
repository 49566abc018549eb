//! Findings about machines and their old connections.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::fold::skeleton;
use super::{Confidence, Facts, Finding, FindingKind, agree, alike, finding, quoted, quoted_list};
use crate::model::RawEntry;
#[cfg(feature = "server")]
use crate::model::addresses_in_text::hide_addresses;
use crate::model::placeholder::Kind;

/// Finds `disconnect` rows beside a live one of the same instance, or of the same program on one device.
pub(super) fn stale_disconnect(rows: &[Facts<'_>], found: &mut Vec<Finding>) {
    let of = |row: &Facts<'_>| match (&row.instance, &row.device) {
        (Some(instance), _) => Some(instance.as_str().into()),
        (None, Some(_)) => row.values(&["deviceId", "clientId", "mode"], 1),
        (None, None) => None,
    };
    for group in alike(rows, &of) {
        let gone = group.iter().filter(|row| row.is_disconnect).count();
        if gone == 0 || gone == group.len() {
            continue;
        }
        let (name, confidence) = match group[0].instance {
            Some(_) => ("instanceId", Confidence::High),
            None => ("deviceId", Confidence::Medium),
        };
        let id = quoted(group[0].entry.str(name).unwrap_or(""));
        let evidence = format!(
            "{} rows share {name} {id}; {gone} of them say disconnect.",
            group.len()
        );
        found.push(finding(
            FindingKind::StaleDisconnect,
            confidence,
            &group,
            evidence,
        ));
    }
}

/// Finds different ids with one host, ip and version.
pub(super) fn same_machine(rows: &[Facts<'_>], found: &mut Vec<Finding>) {
    for group in alike(rows, &|row| row.values(&["host", "ip", "version"], 3)) {
        let id = |row: &Facts<'_>| {
            row.instance
                .as_ref()
                .or(row.device.as_ref())
                .map(|id| String::from(id.as_str()))
        };
        if agree(&group, &id) {
            continue;
        }
        let is_one_program = agree(&group, &|row| row.values(&["clientId", "mode"], 0));
        let live = group.iter().filter(|row| !row.is_disconnect).count();
        // One program, of which only one connection lives, was started again with a new id.
        let confidence = if is_one_program && live <= 1 {
            Confidence::Medium
        } else {
            Confidence::Low
        };
        let value = |name: &str| quoted(group[0].entry.str(name).unwrap_or(""));
        let ids = group
            .iter()
            .filter_map(|row| row.instance.as_ref().or(row.device.as_ref()));
        let evidence = format!(
            "Host {}, ip {} and version {} appear under the ids {}; {live} of {} rows live.",
            value("host"),
            value("ip"),
            value("version"),
            quoted_list(&mut ids.map(|id| id.as_str())),
            group.len()
        );
        found.push(finding(FindingKind::SameMachine, confidence, &group, evidence));
    }
}

/// Finds connected apps and nodes without an ip that are on another machine than the gateway, such as behind
/// a tunnel. Programs with another name than their machine's, such as tabs, are omitted.
pub(super) fn no_address(rows: &[Facts<'_>], gateway: &RawEntry, found: &mut Vec<Finding>) {
    let Some(home) = gateway.str("host").map(machine_name) else {
        return;
    };
    let is_without = |row: &Facts<'_>| {
        let entry = row.entry;
        let is_machine = entry.str("mode") == Some("node") || entry.key("modelIdentifier").is_some();
        row.is_from_handshake
            && !row.is_disconnect
            && is_machine
            && entry.get("gateway").is_none()
            && entry
                .key("ip")
                .is_none_or(|ip| Kind::Ip.is_placeholder(ip.as_str()))
            && entry.str("host").is_some_and(|host| machine_name(host) != home)
    };
    // One group of all.
    for group in alike(rows, &|row| is_without(row).then(String::new)) {
        let evidence = format!(
            "Not on the gateway's host and without ip, as behind a tunnel or a proxy: {}.",
            quoted_list(&mut group.iter().filter_map(|row| row.entry.str("host")))
        );
        found.push(finding(
            FindingKind::NoAddress,
            Confidence::Medium,
            &group,
            evidence,
        ));
    }
}

/// Whether both are names of one machine as far as findings can tell, also with and without its domain. Addresses in
/// them do not count: otherwise a reader from whom addresses are hidden could confirm a guess by sending beacons with it.
#[cfg(feature = "server")]
pub(crate) fn is_one_host(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let [a, b] = [a, b].map(hide_addresses);
    let bare = |host: &str| machine_name(host.split('.').next().unwrap_or(host));
    machine_name(&a) == machine_name(&b) || (a.contains('.') != b.contains('.') && bare(&a) == bare(&b))
}

/// Returns a machine's name without marks, blanks and case: macOS displays `Jo’s Mac` and uses
/// `Jos-Mac.local` on the network.
fn machine_name(host: &str) -> String {
    let mut name = skeleton(host);
    if let Some(bare) = name.strip_suffix(".local") {
        name.truncate(bare.len());
    }
    let is_mark = |c: &char| c.is_ascii_punctuation() || matches!(c, '\u{2010}'..='\u{2027}');
    name.retain(|c| !is_mark(&c));
    name
}
