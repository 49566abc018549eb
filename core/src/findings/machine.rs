//! Findings about machines and their old connections.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Confidence, Facts, Finding, FindingKind, agree, alike, finding, quoted, quoted_list};

/// `disconnect` rows beside a live one of the same instance, or of the same program on one device.
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

/// Different ids with one host, ip and version.
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
