//! Findings about ids.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::fold::{skeleton, without_blanks};
use super::{Confidence, Facts, Finding, FindingKind, agree, alike, finding, quoted, quoted_list};
use crate::model::lower::lower;
use crate::model::placeholder::Kind;

/// Finds placeholder ids: all clients that send one share its row.
pub(super) fn placeholder(rows: &[Facts<'_>], found: &mut Vec<Finding>) {
    for name in ["instanceId", "deviceId"] {
        let of = |row: &Facts<'_>| {
            let key = row.entry.key(name)?;
            Kind::Id.is_placeholder(key.as_str()).then(|| key.as_str().into())
        };
        for group in alike(rows, &of) {
            let evidence = format!(
                "{name} {} means that there is no id, and clients that send it share one row.",
                value(group[0], name)
            );
            found.push(finding(
                FindingKind::PlaceholderId,
                Confidence::High,
                &group,
                evidence,
            ));
        }
    }
}

/// Finds ids that look equal to a person.
pub(super) fn spelling(rows: &[Facts<'_>], found: &mut Vec<Finding>) {
    let of = |row: &Facts<'_>| {
        row.instance
            .as_ref()
            .and_then(|_| row.entry.str("instanceId"))
            .map(skeleton)
    };
    for group in alike(rows, &of) {
        if !agree(&group, &|row| Some(id(row).into())) {
            let ids = quoted_list(&mut group.iter().map(|row| id(row)));
            let evidence = format!("instanceId {ids} differ by {} only.", difference(&group));
            found.push(finding(
                FindingKind::IdSpelling,
                Confidence::High,
                &group,
                evidence,
            ));
        }
    }
}

/// Returns in what respect ids with one skeleton differ.
fn difference(group: &[&Facts<'_>]) -> &'static str {
    let is_one = |form: fn(&str) -> String| agree(group, &|row| Some(form(id(row))));
    if is_one(without_blanks) {
        "blanks"
    } else if is_one(lower) {
        "case"
    } else if is_one(|id| without_blanks(&lower(id))) {
        "case and blanks"
    } else {
        "their Unicode form"
    }
}

/// Finds handshakes without any id: repeated ones of one client, or one whose beacons carry an id.
pub(super) fn no_instance_id(rows: &[Facts<'_>], found: &mut Vec<Finding>) {
    let is_bare = |row: &Facts<'_>| row.is_from_handshake && row.instance.is_none() && row.device.is_none();
    const PROGRAM: [&str; 5] = ["host", "version", "platform", "clientId", "mode"];
    for group in alike(rows, &|row| {
        if is_bare(row) {
            row.values(&PROGRAM, 1)
        } else {
            None
        }
    }) {
        if group.len() > 1 {
            let live = group.iter().filter(|row| !row.is_disconnect).count();
            let evidence = format!(
                "{} connections of host {} look alike and have no instanceId and no deviceId; {live} of them live.",
                group.len(),
                value(group[0], "host")
            );
            let confidence = if live <= 1 {
                Confidence::High
            } else {
                Confidence::Medium
            };
            found.push(finding(FindingKind::NoInstanceId, confidence, &group, evidence));
        }
    }
    for group in couples(rows, &is_bare, &["host", "version"]) {
        let evidence = format!(
            "Beacons of host {} carry instanceId {}; the handshake of the same host and version has none.",
            value(group[0], "host"),
            beaconed(&group)
        );
        found.push(finding(
            FindingKind::NoInstanceId,
            Confidence::Medium,
            &group,
            evidence,
        ));
    }
}

/// Finds clients whose handshake is listed under one id and whose beacons are under another.
pub(super) fn beacon_differs(rows: &[Facts<'_>], found: &mut Vec<Finding>) {
    let has_id = |row: &Facts<'_>| row.is_from_handshake && (row.instance.is_some() || row.device.is_some());
    for (names, confidence, why) in [
        (&["deviceId"][..], Confidence::High, "deviceId"),
        (&["host", "version"], Confidence::Medium, "host and version"),
    ] {
        for group in couples(rows, &has_id, names) {
            let evidence = format!(
                "The handshake is filed under {}, a beacon of the same {why} under {}.",
                quoted_list(
                    &mut group
                        .iter()
                        .filter(|row| row.is_from_handshake)
                        .map(|row| id(row))
                ),
                beaconed(&group)
            );
            found.push(finding(
                FindingKind::BeaconIdDiffers,
                confidence,
                &group,
                evidence,
            ));
        }
    }
}

/// Handshakes whose instance no beacon carries, together with beacons whose instance no handshake has,
/// that have these members in common and neither ip nor device against them.
fn couples<'r, 'a>(
    rows: &'r [Facts<'a>],
    is_wanted: &dyn Fn(&Facts<'_>) -> bool,
    names: &[&str],
) -> Vec<Vec<&'r Facts<'a>>> {
    let is_orphan = |row: &Facts<'_>| !row.is_from_handshake && row.instance.is_some();
    let of = |row: &Facts<'_>| {
        let is_single = !row.is_paired && (is_orphan(row) || is_wanted(row));
        if is_single {
            row.values(names, names.len())
        } else {
            None
        }
    };
    let mut couples = Vec::new();
    for group in alike(rows, &of) {
        let handshakes = group.iter().filter(|row| row.is_from_handshake).count();
        let has_one = |name: &str| agree(&group, &|row| row.values(&[name], 1));
        if handshakes > 0 && handshakes < group.len() && has_one("ip") && has_one("deviceId") {
            couples.push(group);
        }
    }
    couples
}

/// Returns the ids of the beacons among the rows.
fn beaconed(group: &[&Facts<'_>]) -> String {
    quoted_list(
        &mut group
            .iter()
            .filter(|row| !row.is_from_handshake)
            .map(|row| id(row)),
    )
}

/// Returns the id of a row, as written.
fn id<'a>(row: &Facts<'a>) -> &'a str {
    row.entry
        .str("instanceId")
        .or_else(|| row.entry.str("deviceId"))
        .unwrap_or("")
}

fn value(row: &Facts<'_>, name: &str) -> String {
    quoted(row.entry.str(name).unwrap_or(""))
}
