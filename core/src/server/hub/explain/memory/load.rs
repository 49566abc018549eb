//! Clocks of clients, evicted rows, and too frequent beacons.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::sentences::span;
use super::{Memory, Places, counted, finding, groups, is_recent};
use crate::findings::{Confidence, Finding, FindingKind, quoted};
use crate::roster::history::{RowEventKind, RowRemoval};

/// A client's clock that is off by more is wrong, in ms.
const CLOCK_OFF_MS: u64 = 30_000;
/// More beacons a minute than this, per row that they are about, are too many: clients send at most one in 5 s.
const BEACONS_A_MINUTE: usize = 20;

/// Clients whose signed time is off.
pub(super) fn clocks(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    let is_off = |skew_ms: i64| skew_ms.unsigned_abs() > CLOCK_OFF_MS;
    // The newest proof counts.
    let newest: BTreeMap<&str, u64> = memory
        .recent()
        .filter_map(|session| Some((session.device_id?, session.serial)))
        .collect();
    for group in groups(memory.recent(), |session| {
        let skew_ms = session.skew_ms.filter(|skew_ms| is_off(*skew_ms))?;
        Some((session.device_id?, skew_ms > 0))
    }) {
        let Some(session) = group.last() else { continue };
        let is_newest = session.device_id.and_then(|device| newest.get(device)) == Some(&session.serial);
        let Some(skew_ms) = session.skew_ms.filter(|_| is_newest) else {
            continue;
        };
        let evidence = format!("The clock of the {} is {}.", session.words(), off(skew_ms));
        let rows = places.of_all(group);
        found.push(finding(
            FindingKind::ClientClock,
            Confidence::High,
            rows,
            vec![evidence],
        ));
    }
}

/// Handshakes that were refused because their signed time is off.
pub(super) fn refused_clocks(memory: &Memory<'_>, found: &mut Vec<Finding>) {
    let mut clients: BTreeMap<(&str, bool), (usize, i64)> = BTreeMap::new();
    for refused in memory.refused {
        if is_recent(refused.at_ms, memory.now_ms) {
            let client = clients
                .entry((&*refused.client_id, refused.skew_ms > 0))
                .or_default();
            *client = (client.0 + 1, refused.skew_ms);
        }
    }
    for ((client_id, _), (count, skew_ms)) in clients {
        let evidence = format!(
            "The gateway refused {} of client {}: its clock is {}.",
            counted(count, "handshake"),
            quoted(client_id),
            off(skew_ms)
        );
        found.push(finding(
            FindingKind::ClientClock,
            Confidence::High,
            Vec::new(),
            vec![evidence],
        ));
    }
}

/// By how much and which way a clock is off.
fn off(skew_ms: i64) -> String {
    let way = if skew_ms > 0 { "ahead of" } else { "behind" };
    format!("{} {way} the gateway's", span(skew_ms.unsigned_abs()))
}

/// Rows that were evicted.
pub(super) fn evictions(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    let (mut rows, mut live) = (0_usize, 0_usize);
    let mut oldest_ms = memory.now_ms;
    let sessions: BTreeMap<u64, _> = memory
        .sessions
        .iter()
        .map(|session| (session.serial, session))
        .collect();
    let mut causes: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
    for event in memory.roster.history().events() {
        let was_live = match event.what {
            RowEventKind::Gone(RowRemoval::Evicted { was_live }) => was_live,
            RowEventKind::Gone(RowRemoval::OverQuota) => false,
            _ => continue,
        };
        if !is_recent(event.at_ms, memory.now_ms) {
            continue;
        }
        rows += 1;
        live += usize::from(was_live);
        oldest_ms = oldest_ms.min(event.at_ms);
        if let Some(session) = sessions.get(&event.cause) {
            causes
                .entry((&*session.client.id, session.name()))
                .or_default()
                .push(*session);
        }
    }
    if rows == 0 {
        return;
    }
    let mut evidence = vec![format!(
        "Removed in the last {}: {}, {live} of them of connected clients.",
        span(memory.now_ms.saturating_sub(oldest_ms).max(1_000)),
        counted(rows, "row"),
    )];
    let most = causes.values().max_by_key(|sessions| sessions.len());
    if let Some(sessions) = most
        && let Some(session) = sessions.first()
    {
        evidence.push(format!(
            "{} of them made room for writes of the {}.",
            sessions.len(),
            session.words()
        ));
    }
    let rows = most.map_or_else(Vec::new, |sessions| places.of_all(sessions.iter().copied()));
    found.push(finding(FindingKind::Evictions, Confidence::High, rows, evidence));
}

/// Connections that send more beacons than their rows need.
pub(super) fn beacons(memory: &Memory<'_>, places: &Places<'_>, found: &mut Vec<Finding>) {
    let mut about: BTreeMap<u64, usize> = BTreeMap::new();
    for reported in memory.roster.reported() {
        *about.entry(reported.conn).or_default() += 1;
    }
    for session in memory.recent() {
        let beacons = session.trace.beacons.in_a_minute(memory.now_ms);
        let rows = about.get(&session.serial).copied().unwrap_or(1);
        if beacons / rows.max(1) <= BEACONS_A_MINUTE {
            continue;
        }
        let evidence: String = format!(
            "A connection of the {} sent {beacons} beacons within a minute, about {}.",
            session.words(),
            counted(rows, "row")
        );
        found.push(finding(
            FindingKind::BeaconsTooOften,
            Confidence::High,
            places.of_all([session]),
            vec![evidence],
        ));
    }
}
