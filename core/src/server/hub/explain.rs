//! `presence.explain`: findings, and explanations of rows (SPEC 6.1). Both are computed on request.

#[cfg(feature = "recording")]
pub(crate) mod changes;
mod memory;
mod row;
mod sentences;
mod sessions;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use self::memory::Memory;
use self::sessions::Session;
use super::Hub;
use super::journal::RefusedClock;
use super::view::Listed;
use crate::findings::{Confidence, Finding, FindingKind, findings_of};
use crate::model::json::{ObjectText, array_text};
use crate::model::raw_entry::RawEntry;
use crate::model::time::Now;
use crate::server::AddressMask;
use crate::wire::WireError;

/// Most rows that findings examine: the newest.
const MAX_ROWS: usize = 1_024;
/// Most findings of an answer.
const MAX_FINDINGS: usize = 64;
/// Most bytes of the findings of an answer.
const MAX_FINDINGS_BYTES: usize = 256 * 1_024;
/// Most keys of one finding that an answer states.
const MAX_KEYS: usize = 64;

impl Hub {
    /// The findings, as the answer of `presence.explain` without a row.
    pub(crate) fn explain(&mut self, hides: bool, now: Now) -> String {
        let list = self.examined(hides, now);
        let texts = self.masked_texts(hides);
        let sessions = self.sessions_with(texts.as_deref());
        let found = self.found(&list, &sessions, hides, now);
        let mut json = ObjectText::new();
        json.text("source", "gateway");
        write_findings(&mut json, &list, &found, None);
        let made = FindingKind::all().filter(|&kind| !hides || kind != FindingKind::NoAddress);
        let checks: Vec<String> = made.map(FindingKind::check_id).collect();
        json.texts("checks", &mut checks.iter().map(String::as_str));
        json.end()
    }

    /// The explanation of the row with this key, and the findings about it. `asked` is the requested key if addresses
    /// are hidden from the reader, else `None`.
    ///
    /// # Errors
    /// There is no such row.
    pub(crate) fn explain_row(
        &mut self,
        key: &str,
        asked: Option<&str>,
        now: Now,
    ) -> Result<String, WireError> {
        let (hides, shown) = (
            asked.is_some(),
            asked.filter(|asked| AddressMask::is_pseudonym(asked)),
        );
        let Some(row) = self.explained(key, now) else {
            return Err(unknown_row(shown.unwrap_or(key)));
        };
        let list = self.examined(hides, now);
        let texts = self.masked_texts(hides);
        let sessions = self.sessions_with(texts.as_deref());
        let found = self.found(&list, &sessions, hides, now);
        let (key, explanation) = self.explanation(&row, shown, &sessions, hides, now);
        let mut json = ObjectText::new();
        json.text("source", "gateway");
        json.raw("row", &explanation);
        write_findings(&mut json, &list, &found, Some(&key));
        Ok(json.end())
    }

    /// The rows that findings examine, with `hides` without addresses.
    fn examined(&mut self, hides: bool, now: Now) -> Vec<Listed> {
        let mut list = self.listed(MAX_ROWS, now);
        if hides {
            for row in &mut list {
                let masked = self.hidden.row(row.entry.as_str());
                row.shown = Some(self.hidden.mask().row_key(&row.key, &masked));
                row.entry = RawEntry::read(&masked.text).unwrap_or_default();
            }
        }
        list
    }

    /// The findings: first those from the gateway's memory, then those from the list alone. With `hides` they are made
    /// from rows, connections and refused handshakes without addresses: otherwise a finding could confirm one that a
    /// reader guesses.
    fn found(&self, list: &[Listed], sessions: &[Session<'_>], hides: bool, now: Now) -> Vec<Finding> {
        let mut refused: Vec<_> = self.journal.refused_clocks().cloned().collect();
        if hides {
            refused.iter_mut().for_each(RefusedClock::hide_addresses);
        }
        let entries: Vec<&RawEntry> = list.iter().map(|row| &row.entry).collect();
        let memory = Memory {
            list,
            roster: &self.roster,
            sessions,
            refused: &refused,
            now_ms: now.age_ms,
        };
        let places = memory.places();
        let mut found = memory.findings(&places);
        let about_ids = found.iter().filter(|finding| is_about_ids(finding.kind));
        let explained: BTreeSet<usize> = about_ids
            .flat_map(|finding| finding.rows.iter().copied())
            .collect();
        let of_list = findings_of(&entries, self.roster.len(), Some(self.config.max_entries.max(2)));
        found.extend(of_list.into_iter().filter(|finding| {
            let is_new = finding.rows.iter().any(|row| !explained.contains(row));
            // Two programs on one machine are healthy, and the gateway's memory distinguishes them.
            let is_harmless = finding.kind == FindingKind::SameMachine
                && (finding.confidence == Confidence::Low || places.were_together(&finding.rows));
            (is_new || !is_about_ids(finding.kind)) && !is_harmless
        }));
        // Every masked row lacks an address.
        found.retain(|finding| !hides || finding.kind != FindingKind::NoAddress);
        found
    }

    /// The findings with the keys of their rows.
    #[cfg(feature = "recording")]
    pub(crate) fn found_with_keys(&mut self, now: Now) -> Vec<(Finding, Vec<alloc::boxed::Box<str>>)> {
        let list = self.examined(false, now);
        let found = self.found(&list, &self.sessions(), false, now);
        let keys = |finding: &Finding| keys(&list, finding).map(|row| (*row.key).into()).collect();
        found
            .into_iter()
            .map(|finding| {
                let keys = keys(&finding);
                (finding, keys)
            })
            .collect()
    }
}

/// The error about an unknown row.
pub(super) fn unknown_row(key: &str) -> WireError {
    WireError::invalid_request(format!(
        "invalid presence.explain params: at /row: no row has the key {}",
        crate::findings::quoted(key)
    ))
}

/// Whether it is about the identity of rows, so that no other such finding needs to report them.
fn is_about_ids(kind: FindingKind) -> bool {
    !matches!(
        kind,
        FindingKind::NoAddress
            | FindingKind::NearCap
            | FindingKind::Flapping
            | FindingKind::ClientClock
            | FindingKind::Evictions
            | FindingKind::BeaconsTooOften
    )
}

/// Its rows, each key once.
fn keys<'a>(list: &'a [Listed], finding: &'a Finding) -> impl Iterator<Item = &'a Listed> {
    let mut seen = BTreeSet::new();
    let rows = finding.rows.iter().filter_map(|&row| list.get(row));
    rows.filter(move |row| seen.insert(&*row.key))
}

/// Writes the findings, those about one row if `only` is its key, as far as there is room.
fn write_findings(json: &mut ObjectText, list: &[Listed], found: &[Finding], only: Option<&str>) {
    let mut texts = Vec::new();
    let (mut bytes, mut left_out) = (0, 0);
    for finding in found {
        let rows: Vec<&Listed> = keys(list, finding).collect();
        if only.is_some_and(|only| !rows.iter().any(|row| row.key == only)) {
            continue;
        }
        let text = finding.to_json(&mut rows.iter().map(|row| row.shown()).take(MAX_KEYS), false);
        if texts.len() >= MAX_FINDINGS || bytes + text.len() > MAX_FINDINGS_BYTES {
            left_out += 1;
            continue;
        }
        bytes += text.len();
        texts.push(text);
    }
    json.raw("findings", &array_text(&mut texts.into_iter()));
    if left_out > 0 {
        json.number("findingsLeftOut", left_out);
    }
}
