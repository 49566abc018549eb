//! Findings in a list of rows: problems, and clients that are listed twice (SPEC 6).
//!
//! Only the rows are examined, as any reader of a gateway receives them. A finding is a suspicion with its
//! evidence; the fix is on the client's side.

mod fold;
mod ids;
mod kind;
mod machine;
mod report;
mod room;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

#[cfg(all(test, feature = "recording"))]
pub(crate) use self::fold::skeleton;
pub use self::kind::{Confidence, FindingKind, Severity};
#[cfg(feature = "server")]
pub(crate) use self::machine::is_one_host;

use crate::model::RawEntry;
use crate::model::key::PresenceKey;
use crate::model::placeholder::Kind;
use crate::model::text::prefix_units;

/// A suspicion about rows of a list, most often that several of them are one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of finding, which has its texts.
    pub kind: FindingKind,
    /// Indexes of the rows in the list, ascending; empty if it is about the list as a whole.
    pub rows: Vec<usize>,
    /// The confidence.
    pub confidence: Confidence,
    /// The evidence in the rows, in sentences.
    pub evidence: Vec<String>,
}

impl Finding {
    /// Returns the severity: that of its kind, or [`Severity::Info`] if a harmless explanation is about as
    /// likely.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.confidence {
            Confidence::Low => Severity::Info,
            Confidence::Medium | Confidence::High => self.kind.severity(),
        }
    }
}

/// Finds rows that are one client, that share a placeholder as id, or that lack an address, and a list that
/// is nearly full: [`FindingKind::OF_LISTS`]. The gateway's own row is never part of a finding; rows that one
/// finding explains are not reported again by a less specific one.
///
/// `max_entries` is the gateway's cap on the number of rows; if `None`, that of OpenClaw.
///
/// ```
/// use presence_core::model::RawEntry;
/// use presence_core::findings::{FindingKind, findings};
/// let list = RawEntry::parse_list(r#"[
///     {"instanceId": "Mac-1", "host": "studio", "reason": "connect", "ts": 2},
///     {"instanceId": "mac -1", "host": "studio", "reason": "periodic", "ts": 1},
///     {"instanceId": "other", "host": "laptop", "reason": "connect", "ts": 0}
/// ]"#).unwrap();
/// let found = findings(&list.iter().collect::<Vec<_>>(), None);
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].kind, FindingKind::IdSpelling);
/// assert_eq!(found[0].rows, [0, 1]);
/// assert_eq!(found[0].evidence, [r#"instanceId "Mac-1" and "mac -1" differ by case and blanks only."#]);
/// ```
#[must_use]
pub fn findings(list: &[&RawEntry], max_entries: Option<usize>) -> Vec<Finding> {
    // A gateway's cap does not count the rows of gateways that it observes.
    let own = list.iter().filter(|entry| entry.get("gateway").is_none());
    findings_of(list, own.count(), max_entries)
}

/// [`findings`] of a list that may contain only the newest rows of a gateway that has `own` rows.
pub(crate) fn findings_of(list: &[&RawEntry], own: usize, max_entries: Option<usize>) -> Vec<Finding> {
    let mut rows: Vec<Facts<'_>> = list
        .iter()
        .enumerate()
        .filter(|(_, entry)| !entry.is_self())
        .map(|(index, entry)| Facts::new(index, entry))
        .collect();
    pair_up(&mut rows);
    let mut found = Vec::new();
    // The more specific findings first.
    ids::placeholder(&rows, &mut found);
    ids::spelling(&rows, &mut found);
    ids::no_instance_id(&rows, &mut found);
    ids::beacon_differs(&rows, &mut found);
    machine::stale_disconnect(&rows, &mut found);
    machine::same_machine(&rows, &mut found);

    let mut is_explained = vec![false; list.len()];
    found.retain(|finding| {
        let is_new = finding.rows.iter().any(|&row| !is_explained[row]);
        for &row in &finding.rows {
            is_explained[row] = true;
        }
        is_new
    });
    // These are not about the identity of rows.
    if let Some(gateway) = list.iter().find(|entry| entry.is_self()) {
        machine::no_address(&rows, gateway, &mut found);
    }
    room::near_cap(own, max_entries, &mut found);
    found
}

/// A row with the values that findings compare.
struct Facts<'a> {
    index: usize,
    entry: &'a RawEntry,
    /// Its `instanceId`, unless that only repeats its `deviceId` or is a placeholder.
    instance: Option<PresenceKey>,
    /// Its `deviceId`, unless that is a placeholder.
    device: Option<PresenceKey>,
    is_disconnect: bool,
    /// Whether a handshake wrote it; otherwise only beacons did.
    is_from_handshake: bool,
    /// Whether both a handshake and beacons carry its instance.
    is_paired: bool,
}

impl<'a> Facts<'a> {
    fn new(index: usize, entry: &'a RawEntry) -> Self {
        let is_id = |key: &PresenceKey| !Kind::Id.is_placeholder(key.as_str());
        let reason = entry.str("reason").unwrap_or("");
        let is_of_connection =
            ["connect", "disconnect", "node-connected", "node-disconnected"].contains(&reason);
        Self {
            index,
            entry,
            instance: entry.instance_key().filter(is_id),
            device: entry.device_key().filter(is_id),
            is_disconnect: entry.is_disconnect(),
            is_from_handshake: is_of_connection
                || entry.get("roles").is_some()
                || entry.get("clientId").is_some(),
            is_paired: false,
        }
    }

    /// The normalised values of these members in one text; `None` if one of the first `required` of
    /// them is missing or blank.
    fn values(&self, names: &[&str], required: usize) -> Option<String> {
        let mut values = String::new();
        for (index, name) in names.iter().enumerate() {
            match self.entry.key(name) {
                Some(value) => values.push_str(value.as_str()),
                None if index < required => return None,
                None => {}
            }
            values.push('\n');
        }
        Some(values)
    }
}

/// Determines which instances are in both a handshake and a beacon.
fn pair_up(rows: &mut [Facts<'_>]) {
    for group in groups(rows, &|row| {
        row.instance.as_ref().map(|instance| instance.as_str().into())
    }) {
        let handshakes = group.iter().filter(|&&at| rows[at].is_from_handshake).count();
        for &at in &group {
            rows[at].is_paired = handshakes > 0 && handshakes < group.len();
        }
    }
}

/// Returns the groups of rows with equal keys, without rows that have no key. Groups and their rows are in
/// list order.
fn alike<'r, 'a>(
    rows: &'r [Facts<'a>],
    key: &dyn Fn(&Facts<'_>) -> Option<String>,
) -> Vec<Vec<&'r Facts<'a>>> {
    let rows_of = |group: Vec<usize>| group.iter().map(|&at| &rows[at]).collect();
    groups(rows, key).into_iter().map(rows_of).collect()
}

/// Returns [`alike`], as positions in `rows`.
fn groups(rows: &[Facts<'_>], key: &dyn Fn(&Facts<'_>) -> Option<String>) -> Vec<Vec<usize>> {
    let mut numbers: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let Some(key) = key(row) else { continue };
        let number = *numbers.entry(key.into()).or_insert(groups.len());
        match groups.get_mut(number) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups
}

/// Returns whether the rows have at most one distinct key.
fn agree(rows: &[&Facts<'_>], key: &dyn Fn(&Facts<'_>) -> Option<String>) -> bool {
    let mut keys = rows.iter().filter_map(|row| key(row));
    let first = keys.next();
    keys.all(|key| first.as_ref() == Some(&key))
}

/// Creates a finding about these rows.
fn finding(kind: FindingKind, confidence: Confidence, rows: &[&Facts<'_>], evidence: String) -> Finding {
    Finding {
        kind,
        rows: rows.iter().map(|row| row.index).collect(),
        confidence,
        evidence: vec![evidence],
    }
}

/// Returns a value from a row in quotes, truncated to a readable length.
pub(crate) fn quoted(text: &str) -> String {
    const MAX_UNITS: usize = 64;
    let cut = prefix_units(text, MAX_UNITS);
    // Not inside an address: masking does not recognise a part of one.
    #[cfg(feature = "server")]
    let cut = text
        .get(..crate::model::addresses_in_text::cut_before_address(text, cut.len()))
        .unwrap_or(cut);
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("\"{cut}{dots}\"")
}

/// Returns the first few distinct items, in quotes.
pub(crate) fn quoted_list(items: &mut dyn Iterator<Item = &str>) -> String {
    const MAX_ITEMS: usize = 4;
    let mut seen: Vec<&str> = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
        if seen.len() > MAX_ITEMS {
            break;
        }
    }
    let mut list = String::new();
    for (index, item) in seen.iter().take(MAX_ITEMS).enumerate() {
        let is_last = index + 1 == seen.len();
        list.push_str(if index == 0 {
            ""
        } else if is_last {
            " and "
        } else {
            ", "
        });
        list.push_str(&quoted(item));
    }
    if seen.len() > MAX_ITEMS {
        list.push_str(" and more");
    }
    list
}

#[cfg(test)]
mod tests;
