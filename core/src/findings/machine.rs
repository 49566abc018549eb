//! Findings about machines and their old connections.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::{Confidence, Facts, Finding, FindingKind, quoted, quoted_list};

/// `disconnect` rows beside a live one of the same instance, or of the same program on one device.
pub(super) fn stale_disconnect(rows: &[Facts<'_>]) -> Vec<Finding> {
    let mut groups: BTreeMap<_, Vec<&Facts<'_>>> = BTreeMap::new();
    for row in rows {
        let key = match (&row.instance, &row.device) {
            (Some(instance), _) => (Some(instance), None, (None, None)),
            (None, Some(device)) => (None, Some(device), row.program()),
            (None, None) => continue,
        };
        groups.entry(key).or_default().push(row);
    }
    let found = groups.into_iter().filter_map(|((instance, ..), group)| {
        let gone = group.iter().filter(|row| row.is_disconnect).count();
        if gone == 0 || gone == group.len() {
            return None;
        }
        let (name, confidence) = match instance {
            Some(_) => ("instanceId", Confidence::High),
            None => ("deviceId", Confidence::Medium),
        };
        let id = group.first().and_then(|row| row.entry.str(name)).unwrap_or("");
        let evidence = format!(
            "{} rows share {name} {}; {gone} of them say disconnect.",
            group.len(),
            quoted(id)
        );
        Some(Finding {
            kind: FindingKind::StaleDisconnect,
            rows: group.iter().map(|row| row.index).collect(),
            confidence,
            evidence: vec![evidence],
        })
    });
    found.collect()
}

/// Different ids with one host, ip and version.
pub(super) fn same_machine(rows: &[Facts<'_>]) -> Vec<Finding> {
    let mut groups: BTreeMap<_, Vec<&Facts<'_>>> = BTreeMap::new();
    for row in rows {
        if let (Some(host), Some(ip), Some(version)) = (&row.host, &row.ip, &row.version) {
            groups.entry((host, ip, version)).or_default().push(row);
        }
    }
    let found = groups.into_values().filter_map(|group| {
        let ids: BTreeSet<_> = group
            .iter()
            .filter_map(|row| row.instance.as_ref().or(row.device.as_ref()))
            .collect();
        if ids.len() < 2 {
            return None;
        }
        let programs: BTreeSet<_> = group.iter().map(|row| row.program()).collect();
        let live = group.iter().filter(|row| !row.is_disconnect).count();
        // One program, of which only one connection lives, was started again with a new id.
        let is_trail = programs.len() == 1 && live <= 1;
        let first = group.first()?;
        let evidence = format!(
            "Host {}, ip {} and version {} appear under the ids {}; {live} of {} rows live.",
            quoted(first.entry.str("host").unwrap_or("")),
            quoted(first.entry.str("ip").unwrap_or("")),
            quoted(first.entry.str("version").unwrap_or("")),
            quoted_list(ids.iter().map(|id| id.as_str())),
            group.len()
        );
        Some(Finding {
            kind: FindingKind::SameMachine,
            rows: group.iter().map(|row| row.index).collect(),
            confidence: if is_trail {
                Confidence::Medium
            } else {
                Confidence::Low
            },
            evidence: vec![evidence],
        })
    });
    found.collect()
}
