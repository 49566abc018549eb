//! The display of a row: status, age text, labels (PROTOCOL.md 1.7, reference 5.1).
//!
//! All consumers use these functions, so their displays agree.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::setting::{InvalidSetting, within};

/// The status of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its last sign of life is recent.
    Active,
    /// Its last sign of life is some minutes old.
    Idle,
    /// Probably gone.
    Stale,
    /// Its connection was closed. Does not follow from an age: see [`Thresholds::display_status`].
    Left,
}

impl Status {
    /// The displayed word.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Idle => "Idle",
            Self::Stale => "Stale",
            Self::Left => "Left",
        }
    }
}

/// Returns whether a row left: whether each of its raw rows' `reasons` is exactly `disconnect`. `None` is a raw row
/// without a reason. A row without raw rows did not leave.
///
/// ```
/// use presence_core::model::status::has_left;
/// assert!(has_left([Some("disconnect"), Some("disconnect")]));
/// assert!(!has_left([Some("disconnect"), None]));
/// ```
#[must_use]
pub fn has_left<'a>(reasons: impl IntoIterator<Item = Option<&'a str>>) -> bool {
    let mut reasons = reasons.into_iter().peekable();
    reasons.peek().is_some() && reasons.all(|reason| reason == Some("disconnect"))
}

/// The ages at which a status ends. The defaults are the mac app's figures.
///
/// ```
/// use presence_core::model::status::{Status, Thresholds};
/// let thresholds = Thresholds::default();
/// assert_eq!(thresholds.status(120_000), Status::Active);
/// assert_eq!(thresholds.status(120_001), Status::Idle);
/// assert_eq!(thresholds.next_change_ms(120_000), Some(120_001));
/// assert_eq!(thresholds.display_status(true, 120_000), Status::Left);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Greatest age that is still Active, in ms.
    pub active_ms: u64,
    /// Greatest age that is still Idle, in ms; at least `active_ms`.
    pub idle_ms: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            active_ms: 120_000,
            idle_ms: 300_000,
        }
    }
}

impl Thresholds {
    /// Checks the bounds: ages of at most [`MAX_SAFE_INTEGER`], and `idle_ms` at least `active_ms`.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the one that is out of bounds.
    pub fn validate(self) -> Result<(), InvalidSetting> {
        within("thresholds.active_ms", self.active_ms, 0..=MAX_SAFE_INTEGER)?;
        within(
            "thresholds.idle_ms",
            self.idle_ms,
            self.active_ms..=MAX_SAFE_INTEGER,
        )
    }

    /// Returns the status that a row is displayed with: Left if it left (see [`has_left`]), else by its age in ms.
    #[must_use]
    pub fn display_status(self, has_left: bool, age_ms: u64) -> Status {
        if has_left {
            Status::Left
        } else {
            self.status(age_ms)
        }
    }

    /// The status of a row of this age in ms; never Left.
    #[must_use]
    pub fn status(self, age_ms: u64) -> Status {
        if age_ms <= self.active_ms {
            Status::Active
        } else if age_ms <= self.idle_ms {
            Status::Idle
        } else {
            Status::Stale
        }
    }

    /// Returns the next age with another status; `None` once Stale.
    #[must_use]
    pub fn next_change_ms(self, age_ms: u64) -> Option<u64> {
        match self.status(age_ms) {
            Status::Active if self.idle_ms > self.active_ms => Some(self.active_ms.saturating_add(1)),
            Status::Active | Status::Idle => Some(self.idle_ms.saturating_add(1)),
            Status::Stale | Status::Left => None,
        }
    }
}

/// Formats an age: "just now", "5m ago", "yesterday".
#[must_use]
pub fn age_text(age_ms: u64) -> Cow<'static, str> {
    let minutes = age_ms / 60_000;
    let hours = minutes / 60;
    let days = hours / 24;
    match (minutes, hours, days) {
        (0, _, _) => Cow::Borrowed("just now"),
        (1, _, _) => Cow::Borrowed("1 minute ago"),
        (_, 0, _) => Cow::Owned(format!("{minutes}m ago")),
        (_, 1, _) => Cow::Borrowed("1 hour ago"),
        (_, _, 0) => Cow::Owned(format!("{hours}h ago")),
        (_, _, 1) => Cow::Borrowed("yesterday"),
        _ => Cow::Owned(format!("{days}d ago")),
    }
}

/// The label of a `reason`; reasons without one are shown as they are.
#[must_use]
pub fn reason_label(reason: &str) -> &str {
    match reason {
        "self" => "Self",
        "connect" => "Connect",
        "disconnect" => "Disconnect",
        "node-connected" => "Node connect",
        "node-disconnected" => "Node disconnect",
        "launch" => "Launch",
        "periodic" => "Heartbeat",
        "instances-refresh" => "Instances",
        "seq gap" => "Resync",
        other => other,
    }
}

/// Formats a `platform`: "macos 26.1.0" becomes "macOS 26.1".
#[must_use]
pub fn platform_label(platform: &str) -> String {
    let trimmed = crate::model::text::trim(platform);
    let (word, rest) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
    let mut label = match word.to_ascii_lowercase().as_str() {
        "macos" => String::from("macOS"),
        "ios" => String::from("iOS"),
        "ipados" => String::from("iPadOS"),
        "tvos" => String::from("tvOS"),
        "watchos" => String::from("watchOS"),
        _ => capitalised(word),
    };
    let version = crate::model::text::trim(rest);
    if !version.is_empty() {
        label.push(' ');
        label.push_str(major_minor(version));
    }
    label
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        // Names of platforms are ASCII; Unicode tables of capitals would be larger than this module.
        Some(first) => core::iter::once(first.to_ascii_uppercase())
            .chain(chars)
            .collect(),
        None => String::new(),
    }
}

/// "26.1.3" becomes "26.1"; a text without a second dot is unchanged.
fn major_minor(version: &str) -> &str {
    match version.match_indices('.').nth(1) {
        Some((at, _)) => version.get(..at).unwrap_or(version),
        None => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_change_exactly_when_announced() {
        let thresholds = Thresholds::default();
        let mut age = 0;
        let mut seen = alloc::vec![thresholds.status(age)];
        while let Some(next) = thresholds.next_change_ms(age) {
            assert_eq!(thresholds.status(next - 1), thresholds.status(age));
            age = next;
            seen.push(thresholds.status(age));
        }
        assert_eq!(seen, [Status::Active, Status::Idle, Status::Stale]);
    }

    #[test]
    fn rows_without_raw_rows_did_not_leave() {
        assert!(!has_left([]));
        assert!(has_left([Some("disconnect")]));
    }
}
