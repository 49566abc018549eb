//! Why one client is seen twice: findings on any list of rows (SPEC 6).
//!
//! The rows alone are looked at, as any reader of a gateway has them. A finding is a suspicion with
//! its evidence; what to do about it is on the client's side.

mod fold;
mod ids;
mod machine;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::client::{Json, RawEntry};
use crate::key::{PresenceKey, prefix_units};

/// What kind of duplicate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// Ids that differ by case, blanks or Unicode form only.
    IdSpelling,
    /// A handshake came without an `instanceId`, so its row is keyed by the connection or the device.
    NoInstanceId,
    /// A client's beacons carry another id than its handshake.
    BeaconIdDiffers,
    /// A `disconnect` row is left beside a live one of the same client.
    StaleDisconnect,
    /// The same host, ip and version under two ids.
    SameMachine,
}

impl FindingKind {
    /// The stable code, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::IdSpelling => "ID_SPELLING",
            Self::NoInstanceId => "NO_INSTANCE_ID",
            Self::BeaconIdDiffers => "BEACON_ID_DIFFERS",
            Self::StaleDisconnect => "STALE_DISCONNECT",
            Self::SameMachine => "SAME_MACHINE",
        }
    }

    /// What was found, in one sentence.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::IdSpelling => "One id is written in more than one way.",
            Self::NoInstanceId => "A client connects without an instanceId.",
            Self::BeaconIdDiffers => "A client's beacons carry another id than its handshake.",
            Self::StaleDisconnect => "A closed connection is listed beside a live one of the same client.",
            Self::SameMachine => "One machine appears under more than one id.",
        }
    }

    /// What to change in the client.
    #[must_use]
    pub fn fix(self) -> &'static str {
        match self {
            Self::IdSpelling => {
                "Make the id once, store it, and send exactly the stored text everywhere: in client.instanceId \
                 and in every beacon."
            }
            Self::NoInstanceId => {
                "Send a stable client.instanceId in the handshake, the same after every restart and reload, and \
                 the same in every beacon."
            }
            Self::BeaconIdDiffers => {
                "Send one instanceId in both the handshake (client.instanceId) and every beacon; a client with a \
                 device key also sends its deviceId in every beacon."
            }
            Self::StaleDisconnect => {
                "Show one row per instance, as this package's roster does. The old row goes by itself after \
                 the gateway's TTL."
            }
            Self::SameMachine => {
                "Keep the instanceId in storage that survives restarts and reloads, instead of making a new one \
                 each time. Two programs or tabs on one machine are rightly two rows."
            }
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// There is a harmless explanation that is about as likely.
    Low,
    /// Likely.
    Medium,
    /// The rows leave no other explanation.
    High,
}

impl Confidence {
    /// `low`, `medium` or `high`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// A suspicion that several rows are one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of duplicate it is; has the words for it.
    pub kind: FindingKind,
    /// Indexes of the rows in the list, ascending.
    pub rows: Vec<usize>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What in the rows says so, in sentences.
    pub evidence: Vec<String>,
}

impl Finding {
    /// As JSON: `{code, title, rows, confidence, evidence, fix}`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::object([
            ("code", self.kind.code().into()),
            ("title", self.kind.title().into()),
            (
                "rows",
                self.rows.iter().map(|&row| Json::from(row as u64)).collect(),
            ),
            ("confidence", self.confidence.as_str().into()),
            (
                "evidence",
                self.evidence
                    .iter()
                    .map(|text| Json::from(text.as_str()))
                    .collect(),
            ),
            ("fix", self.kind.fix().into()),
        ])
    }
}

/// Looks for rows that are one client. The gateway's own row is never part of a finding; rows that one
/// finding explains are not reported again by a vaguer one.
///
/// ```
/// use presence_core::client::RawEntry;
/// use presence_core::findings::{FindingKind, findings};
/// let list = RawEntry::parse_list(r#"[
///     {"instanceId": "Mac-1", "host": "studio", "reason": "connect", "ts": 2},
///     {"instanceId": "mac -1", "host": "studio", "reason": "periodic", "ts": 1},
///     {"instanceId": "other", "host": "laptop", "reason": "connect", "ts": 0}
/// ]"#).unwrap();
/// let found = findings(&list.iter().collect::<Vec<_>>());
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].kind, FindingKind::IdSpelling);
/// assert_eq!(found[0].rows, [0, 1]);
/// assert_eq!(found[0].evidence, [r#"instanceId "Mac-1" and "mac -1" differ by case and blanks only."#]);
/// ```
#[must_use]
pub fn findings(list: &[&RawEntry]) -> Vec<Finding> {
    let rows: Vec<Facts<'_>> = list
        .iter()
        .enumerate()
        .filter(|(_, entry)| !entry.is_self())
        .map(|(index, entry)| Facts::new(index, entry))
        .collect();
    // The more exact first.
    let candidates = ids::spelling(&rows)
        .into_iter()
        .chain(ids::no_instance_id(&rows))
        .chain(ids::beacon_differs(&rows))
        .chain(machine::stale_disconnect(&rows))
        .chain(machine::same_machine(&rows));
    let mut found: Vec<Finding> = Vec::new();
    let mut explained: BTreeSet<usize> = BTreeSet::new();
    for mut finding in candidates {
        finding.rows.sort_unstable();
        finding.rows.dedup();
        if finding.rows.len() > 1 && !finding.rows.iter().all(|row| explained.contains(row)) {
            explained.extend(&finding.rows);
            found.push(finding);
        }
    }
    found
}

/// What a finding asks of a row.
struct Facts<'a> {
    index: usize,
    entry: &'a RawEntry,
    /// Its `instanceId`, unless that only repeats its `deviceId`.
    instance: Option<PresenceKey>,
    device: Option<PresenceKey>,
    host: Option<PresenceKey>,
    ip: Option<PresenceKey>,
    version: Option<PresenceKey>,
    is_disconnect: bool,
    /// Whether a handshake wrote it; else beacons alone did.
    is_from_handshake: bool,
}

impl<'a> Facts<'a> {
    fn new(index: usize, entry: &'a RawEntry) -> Self {
        let reason = entry.str("reason").unwrap_or("");
        let is_connection_reason =
            ["connect", "disconnect", "node-connected", "node-disconnected"].contains(&reason);
        Self {
            index,
            entry,
            instance: entry.instance_key(),
            device: entry.device_key(),
            host: entry.key("host"),
            ip: entry.key("ip"),
            version: entry.key("version"),
            is_disconnect: entry.is_disconnect(),
            is_from_handshake: is_connection_reason
                || entry.get("roles").is_some()
                || entry.get("clientId").is_some(),
        }
    }

    /// Which program it is, as far as the row says.
    fn program(&self) -> (Option<PresenceKey>, Option<PresenceKey>) {
        (self.entry.key("clientId"), self.entry.key("mode"))
    }
}

/// A value from a row in quotes, cut to a readable length.
fn quoted(text: &str) -> String {
    const MAX_UNITS: usize = 64;
    let cut = prefix_units(text, MAX_UNITS);
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("\"{cut}{dots}\"")
}

/// The first few of many, in quotes.
fn quoted_list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    const MAX_ITEMS: usize = 4;
    let mut texts: Vec<String> = items.take(MAX_ITEMS + 1).map(quoted).collect();
    if texts.len() > MAX_ITEMS {
        texts.truncate(MAX_ITEMS);
        return format!("{} and more", texts.join(", "));
    }
    match texts.pop() {
        Some(last) if texts.is_empty() => last,
        Some(last) => format!("{} and {last}", texts.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
