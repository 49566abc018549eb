//! Findings that need more than the list: connections with their times and addresses, and events of rows.

mod ids;
mod life;
mod load;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::journal::RefusedClock;
use super::super::view::Listed;
use super::sessions::Session;
use crate::findings::{Confidence, Finding, FindingKind};
use crate::roster::{Roster, RowId};

/// A connection that ended longer ago than this, in ms, does not count.
const RECENT_MS: u64 = 600_000;
/// Most sentences of evidence of a finding.
const MAX_SENTENCES: usize = 4;

/// Most connections that are compared in pairs.
const MAX_COMPARED: usize = 16;

/// The data that findings examine.
pub(super) struct Memory<'a> {
    pub(super) list: &'a [Listed],
    pub(super) roster: &'a Roster,
    /// In the order of their joins.
    pub(super) sessions: &'a [Session<'a>],
    /// Handshakes that were refused for a clock, oldest first.
    pub(super) refused: &'a [RefusedClock],
    /// On the age clock.
    pub(super) now_ms: u64,
}

impl<'a> Memory<'a> {
    /// All findings, those about ids first, more specific ones before others.
    pub(super) fn findings(&self, places: &Places<'a>) -> Vec<Finding> {
        let mut found = Vec::new();
        ids::placeholders(self, places, &mut found);
        ids::without_id(self, places, &mut found);
        ids::beacons_differ(self, places, &mut found);
        life::two_places(self, places, &mut found);
        life::two_sockets(self, places, &mut found);
        life::new_ids(self, places, &mut found);
        life::flapping(self, places, &mut found);
        load::clocks(self, places, &mut found);
        load::refused_clocks(self, &mut found);
        load::evictions(self, places, &mut found);
        load::beacons(self, places, &mut found);
        found
    }

    /// The places of the rows in the list, and their connections.
    pub(super) fn places(&self) -> Places<'a> {
        Places::of(self.list, self.sessions)
    }

    /// Connections that are live or ended recently.
    fn recent(&self) -> impl Iterator<Item = &'a Session<'a>> {
        let now_ms = self.now_ms;
        self.sessions
            .iter()
            .filter(move |session| session.left.is_none_or(|(at_ms, _)| is_recent(at_ms, now_ms)))
    }

    fn live(&self) -> impl Iterator<Item = &'a Session<'a>> {
        self.sessions.iter().filter(|session| session.left.is_none())
    }

    /// The live connection with this serial.
    fn live_with(&self, serial: u64) -> Option<&'a Session<'a>> {
        let at = self
            .sessions
            .binary_search_by_key(&serial, |session| session.serial)
            .ok()?;
        self.sessions.get(at).filter(|session| session.left.is_none())
    }
}

fn is_recent(at_ms: u64, now_ms: u64) -> bool {
    at_ms.saturating_add(RECENT_MS) >= now_ms
}

/// Whether both connections were alive after the later one joined; a dead one may stay open for a while.
fn overlap(a: &Session<'_>, b: &Session<'_>) -> bool {
    let joined_ms = a.trace.joined_ms.max(b.trace.joined_ms);
    a.alive_ms > joined_ms && b.alive_ms > joined_ms
}

/// The places of rows in the list, and their connections.
pub(super) struct Places<'a> {
    by_id: BTreeMap<RowId, usize>,
    by_key: BTreeMap<&'a str, usize>,
    /// By place, in the order of their joins.
    sessions: BTreeMap<usize, Vec<&'a Session<'a>>>,
}

impl<'a> Places<'a> {
    fn of(list: &'a [Listed], sessions: &'a [Session<'a>]) -> Self {
        let rows = || list.iter().enumerate();
        let mut places = Self {
            by_id: rows().filter_map(|(at, row)| Some((row.id?, at))).collect(),
            by_key: rows().map(|(at, row)| (&*row.key, at)).collect(),
            sessions: BTreeMap::new(),
        };
        for session in sessions {
            if let Some(place) = places.of_session(session) {
                places.sessions.entry(place).or_default().push(session);
            }
        }
        places
    }

    /// Whether clients with these rows were connected at one time, so that they are different clients.
    pub(super) fn were_together(&self, rows: &[usize]) -> bool {
        let newest = |row: &usize| {
            self.sessions
                .get(row)
                .and_then(|sessions| sessions.last().copied())
        };
        let newest: Vec<&Session<'a>> = rows.iter().filter_map(newest).take(MAX_COMPARED).collect();
        newest
            .iter()
            .enumerate()
            .any(|(at, a)| newest[at + 1..].iter().any(|b| overlap(a, b)))
    }

    fn of_row(&self, row: RowId) -> Option<usize> {
        self.by_id.get(&row).copied()
    }

    /// The row of a connection, or the one that it left.
    fn of_session(&self, session: &Session<'_>) -> Option<usize> {
        match session.row {
            Some(row) => self.of_row(row),
            None => self.by_key.get(&*session.key.to_wire()).copied(),
        }
    }

    /// The rows of connections, each once, in list order.
    fn of_all<'s>(&self, sessions: impl IntoIterator<Item = &'s Session<'s>>) -> Vec<usize> {
        let mut rows: Vec<usize> = sessions
            .into_iter()
            .filter_map(|session| self.of_session(session))
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

/// Groups of sessions with equal keys, in the order of the first session of each group.
fn groups<'a, K: Ord>(
    sessions: impl Iterator<Item = &'a Session<'a>>,
    key: impl Fn(&Session<'a>) -> Option<K>,
) -> Vec<Vec<&'a Session<'a>>> {
    let mut numbers: BTreeMap<K, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&Session<'_>>> = Vec::new();
    for session in sessions {
        let Some(key) = key(session) else { continue };
        let number = *numbers.entry(key).or_insert(groups.len());
        match groups.get_mut(number) {
            Some(group) => group.push(session),
            None => groups.push(vec![session]),
        }
    }
    groups
}

/// Formats a count: "1 row", "2 rows".
fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn finding(
    kind: FindingKind,
    confidence: Confidence,
    rows: Vec<usize>,
    mut evidence: Vec<String>,
) -> Finding {
    evidence.truncate(MAX_SENTENCES);
    Finding {
        kind,
        rows,
        confidence,
        evidence,
    }
}
