//! A row as consumers show it.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use super::merge::last_input_at;
use super::{Mirror, Row};
use crate::client::json::Json;
use crate::client::raw::RawEntry;
use crate::status::{Status, age_text, reason_label};

/// One row at one moment, with everything a consumer needs to show it (SPEC 1.7).
#[derive(Clone, Debug)]
pub struct RowView<'a> {
    /// [`Row::key`].
    pub key: &'a str,
    /// [`Row::entry`].
    pub entry: &'a RawEntry,
    /// [`Row::status`].
    pub status: Status,
    /// Whether it is the gateway itself.
    pub is_self: bool,
    /// Its age, in ms.
    pub age_ms: u64,
    /// Its age as people read it.
    pub age_text: Cow<'static, str>,
    /// The label of its reason, if it has one.
    pub reason_label: Option<&'a str>,
    /// Time since the last user input, in ms, where it is known.
    pub last_input_ms: Option<u64>,
    /// The gateway's rows it is merged from.
    pub raw: Vec<&'a RawEntry>,
}

impl Mirror {
    /// A row as it is to be shown at `now_ms`.
    #[must_use]
    pub fn view<'a>(&'a self, row: &'a Row, now_ms: u64) -> RowView<'a> {
        let age_ms = row.age_ms(now_ms);
        RowView {
            key: &row.key,
            entry: &row.entry,
            status: row.status,
            is_self: row.is_self(),
            age_ms,
            age_text: age_text(age_ms),
            reason_label: row.entry.str("reason").map(reason_label),
            last_input_ms: last_input_at(&row.entry).map(|at_ms| now_ms.saturating_sub(at_ms)),
            raw: self.raw(row).collect(),
        }
    }

    /// All rows in list order, as they are to be shown at `now_ms`.
    #[must_use]
    pub fn views(&self, now_ms: u64) -> Vec<RowView<'_>> {
        self.rows()
            .into_iter()
            .map(|row| self.view(row, now_ms))
            .collect()
    }
}

impl RowView<'_> {
    /// The view as JSON: `{key, status, isSelf, ageMs, ageText, reasonLabel?, lastInputMs?, entry, raw}`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let status = match self.status {
            Status::Active => "active",
            Status::Idle => "idle",
            Status::Stale => "stale",
        };
        let mut json = Json::object([
            ("key", self.key.into()),
            ("status", status.into()),
            ("isSelf", self.is_self.into()),
            ("ageMs", self.age_ms.into()),
            ("ageText", Json::String(Box::from(&*self.age_text))),
        ]);
        if let Some(label) = self.reason_label {
            json.push("reasonLabel", label);
        }
        if let Some(ms) = self.last_input_ms {
            json.push("lastInputMs", ms);
        }
        json.push("entry", self.entry.clone());
        json.push(
            "raw",
            self.raw
                .iter()
                .map(|&raw| Json::from(raw.clone()))
                .collect::<Json>(),
        );
        json
    }
}
