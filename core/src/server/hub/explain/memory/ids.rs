//! Ids that are missing, that are placeholders, or that differ between a client's handshake and its beacons.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::{Memory, Places, finding, groups};
use crate::findings::{Confidence, Finding, FindingKind, quoted};
use crate::model::key::PresenceKey;

/// Connections whose handshake or beacon had a placeholder as an id.
pub(super) fn placeholders(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    for group in groups(memory.recent(), |session| {
        Some((session.trace.placeholder?, &*session.client.id))
    }) {
        let word = group[0].trace.placeholder.unwrap_or_default();
        let evidence = format!(
            "{} of the {} sent the id {}, which counts as absent.",
            connections(group.len()),
            group[0].words(),
            quoted(word)
        );
        let rows = places.of_all(group);
        found.push(finding(
            FindingKind::PlaceholderId,
            Confidence::High,
            rows,
            vec![evidence],
        ));
    }
}

/// Handshakes with neither an `instanceId` nor a device key.
pub(super) fn without_id(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    let others = reported_rows(memory, places);
    for group in groups(memory.recent(), |session| {
        let client = session.client;
        let has_id = client.instance_id.is_some() || session.device_id.is_some();
        let is_wanted = session.is_tracked && !has_id && session.trace.placeholder.is_none();
        let name = client.display_name.as_deref();
        is_wanted.then_some((
            &*client.id,
            name,
            &*client.version,
            &*client.mode,
            session.role.as_str(),
        ))
    }) {
        let live = group.iter().filter(|session| session.left.is_none()).count();
        let evidence = format!(
            "{} of the {} had neither an instanceId nor a device key; {live} of them live.",
            connections(group.len()),
            group[0].words(),
        );
        let mut rows = places.of_all(group.iter().copied());
        // The rows that their beacons made count too.
        let of_group = group.iter().filter_map(|session| others.get(&session.serial));
        rows.extend(of_group.flatten());
        rows.sort_unstable();
        rows.dedup();
        found.push(finding(
            FindingKind::NoInstanceId,
            Confidence::High,
            rows,
            vec![evidence],
        ));
    }
}

/// Connections whose beacons write another row than their handshake.
pub(super) fn beacons_differ(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    let others = reported_rows(memory, places);
    for session in memory.recent().filter(|session| session.is_tracked) {
        // A connection with several such rows reports about other instances.
        let Some([other]) = others.get(&session.serial).map(Vec::as_slice) else {
            continue;
        };
        let has_id = session.client.instance_id.is_some() || session.device_id.is_some();
        let Some(own) = places.of_session(session).filter(|own| own != other && has_id) else {
            continue;
        };
        let (own_row, other_row) = (&memory.list[own], &memory.list[*other]);
        let same = |name: &str| {
            let own = own_row.entry.key(name);
            own.is_some() && own == other_row.entry.key(name)
        };
        let host = session
            .client
            .display_name
            .as_deref()
            .and_then(PresenceKey::of_name);
        let has_host = host.is_some() && host == other_row.entry.key("host");
        let confidence = if same("deviceId") || has_host {
            Confidence::High
        } else if host.is_none() && same("version") && (same("ip") || same("modelIdentifier")) {
            Confidence::Medium
        } else {
            continue;
        };
        let evidence = format!(
            "One connection of the {} wrote the row {} with its handshake and the row {} with its beacons.",
            session.words(),
            quoted(own_row.shown()),
            quoted(other_row.shown())
        );
        let rows = vec![own.min(*other), own.max(*other)];
        found.push(finding(
            FindingKind::BeaconIdDiffers,
            confidence,
            rows,
            vec![evidence],
        ));
    }
}

/// By connection: the rows without a live connection that its beacons wrote last, as places in the list.
fn reported_rows(memory: &Memory<'_>, places: &Places<'_>) -> BTreeMap<u64, Vec<usize>> {
    let mut rows: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for reported in memory.roster.reported().filter(|reported| !reported.is_live) {
        if let Some(place) = places.of_row(reported.row) {
            rows.entry(reported.conn).or_default().push(place);
        }
    }
    rows
}

fn connections(count: usize) -> alloc::string::String {
    match count {
        1 => "A connection".into(),
        count => format!("{count} connections"),
    }
}
