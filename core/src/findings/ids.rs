//! Findings about ids.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::fold::{skeleton, without_blanks};
use super::{Confidence, Facts, Finding, FindingKind, quoted, quoted_list};
use crate::key::PresenceKey;

/// Ids that are the same to a person.
pub(super) fn spelling(rows: &[Facts<'_>]) -> Vec<Finding> {
    let mut groups: BTreeMap<String, Vec<(&str, usize)>> = BTreeMap::new();
    for row in rows {
        let id = row.entry.str("instanceId").filter(|_| row.instance.is_some());
        if let Some(id) = id {
            groups.entry(skeleton(id)).or_default().push((id, row.index));
        }
    }
    let found = groups.into_iter().filter_map(|(skeleton, group)| {
        let ids: BTreeSet<&str> = group.iter().map(|&(id, _)| id).collect();
        if skeleton.is_empty() || ids.len() < 2 {
            return None;
        }
        let evidence = format!(
            "instanceId {} differ by {} only.",
            quoted_list(ids.iter().copied()),
            difference(&ids)
        );
        Some(Finding {
            kind: FindingKind::IdSpelling,
            rows: group.iter().map(|&(_, index)| index).collect(),
            confidence: Confidence::High,
            evidence: vec![evidence],
        })
    });
    found.collect()
}

/// In what ids with one skeleton differ.
fn difference(ids: &BTreeSet<&str>) -> &'static str {
    let is_one = |form: fn(&str) -> String| ids.iter().map(|id| form(id)).collect::<BTreeSet<_>>().len() == 1;
    if is_one(without_blanks) {
        "blanks"
    } else if is_one(str::to_lowercase) {
        "case"
    } else if is_one(|id| without_blanks(&id.to_lowercase())) {
        "case and blanks"
    } else {
        "their Unicode form"
    }
}

/// Handshakes without any id: the trail of one client, or its beacons under the id it has.
pub(super) fn no_instance_id(rows: &[Facts<'_>]) -> Vec<Finding> {
    let is_bare = |row: &Facts<'_>| row.is_from_handshake && row.instance.is_none() && row.device.is_none();
    let mut groups: BTreeMap<_, Vec<&Facts<'_>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| is_bare(row) && row.host.is_some()) {
        let platform = row.entry.key("platform");
        let key = (&row.host, &row.version, platform, row.program());
        groups.entry(key).or_default().push(row);
    }
    let mut orphans: BTreeMap<_, Vec<&Facts<'_>>> = BTreeMap::new();
    for beacon in orphaned_beacons(rows) {
        orphans
            .entry((&beacon.host, &beacon.version))
            .or_default()
            .push(beacon);
    }
    let mut found = Vec::new();
    for group in groups.into_values() {
        let Some(first) = group.first() else { continue };
        let host = quoted(first.entry.str("host").unwrap_or(""));
        let mut beacons = orphans.remove(&(&first.host, &first.version)).unwrap_or_default();
        beacons.retain(|beacon| is_like(first, beacon));
        let mut finding = Finding {
            kind: FindingKind::NoInstanceId,
            rows: group.iter().chain(&beacons).map(|row| row.index).collect(),
            confidence: Confidence::Medium,
            evidence: Vec::new(),
        };
        if group.len() > 1 {
            let live = group.iter().filter(|row| !row.is_disconnect).count();
            finding.evidence.push(format!(
                "{} connections of host {host} look alike and have no instanceId and no deviceId; {live} of them \
                 live.",
                group.len()
            ));
            if live <= 1 {
                finding.confidence = Confidence::High;
            }
        }
        if !beacons.is_empty() {
            let ids = beacons.iter().filter_map(|beacon| beacon.entry.str("instanceId"));
            finding.evidence.push(format!(
                "Beacons of the same host and version carry instanceId {}, which no handshake has.",
                quoted_list(ids)
            ));
        }
        found.push(finding);
    }
    found
}

/// Clients whose handshake is filed under one id and whose beacons are under another.
pub(super) fn beacon_differs(rows: &[Facts<'_>]) -> Vec<Finding> {
    let beaconed: BTreeSet<&PresenceKey> = rows
        .iter()
        .filter(|row| !row.is_from_handshake)
        .filter_map(|row| row.instance.as_ref())
        .collect();
    // Handshakes whose id no beacon carries, by device and by host and version.
    let mut by_device: BTreeMap<&PresenceKey, Vec<&Facts<'_>>> = BTreeMap::new();
    let mut by_host: BTreeMap<&PresenceKey, Vec<&Facts<'_>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.is_from_handshake) {
        let has_id = row.instance.is_some() || row.device.is_some();
        if !has_id
            || row
                .instance
                .as_ref()
                .is_some_and(|instance| beaconed.contains(instance))
        {
            continue;
        }
        if let Some(device) = &row.device {
            by_device.entry(device).or_default().push(row);
        }
        if let Some(host) = &row.host {
            by_host.entry(host).or_default().push(row);
        }
    }
    let mut found = Vec::new();
    for beacon in orphaned_beacons(rows) {
        let same_device = beacon.device.as_ref().and_then(|device| by_device.remove(device));
        let (matches, confidence, why) = match same_device {
            Some(matches) => (matches, Confidence::High, "deviceId"),
            None => {
                let Some(same_host) = beacon.host.as_ref().and_then(|host| by_host.get_mut(host)) else {
                    continue;
                };
                let (like, rest): (Vec<_>, Vec<_>) = core::mem::take(same_host)
                    .into_iter()
                    .partition(|row| is_like(row, beacon));
                *same_host = rest;
                (like, Confidence::Medium, "host and version")
            }
        };
        let Some(first) = matches.first() else { continue };
        let own = first
            .entry
            .str("instanceId")
            .or_else(|| first.entry.str("deviceId"))
            .unwrap_or("");
        let evidence = format!(
            "The handshake is filed under {}, a beacon of the same {why} under {}.",
            quoted(own),
            quoted(beacon.entry.str("instanceId").unwrap_or(""))
        );
        found.push(Finding {
            kind: FindingKind::BeaconIdDiffers,
            rows: matches
                .iter()
                .map(|row| row.index)
                .chain([beacon.index])
                .collect(),
            confidence,
            evidence: vec![evidence],
        });
    }
    found
}

/// Rows of beacons alone, with an instance that no handshake has.
fn orphaned_beacons<'r, 'a>(rows: &'r [Facts<'a>]) -> impl Iterator<Item = &'r Facts<'a>> {
    let connected: BTreeSet<&PresenceKey> = rows
        .iter()
        .filter(|row| row.is_from_handshake)
        .filter_map(|row| row.instance.as_ref())
        .collect();
    rows.iter()
        .filter(|row| !row.is_from_handshake)
        .filter(move |row| {
            row.instance
                .as_ref()
                .is_some_and(|instance| !connected.contains(instance))
        })
}

/// Same host and version, and no different ip or device.
fn is_like(a: &Facts<'_>, b: &Facts<'_>) -> bool {
    let differ = |a: &Option<PresenceKey>, b: &Option<PresenceKey>| a.is_some() && b.is_some() && a != b;
    a.host.is_some()
        && a.host == b.host
        && a.version.is_some()
        && a.version == b.version
        && !differ(&a.ip, &b.ip)
        && !differ(&a.device, &b.device)
}
