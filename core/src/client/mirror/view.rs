//! Rows for display.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Mirror, Row};
use crate::model::json::array_text;
use crate::model::raw_entry::RawEntry;
use crate::model::status::{Status, age_text, reason_label};

/// A row at one time, with all values that consumers display (SPEC 1.7).
#[derive(Clone, Debug)]
pub struct RowView<'a> {
    /// [`Row::key`].
    pub key: &'a str,
    /// [`Row::entry`].
    pub entry: &'a RawEntry,
    /// [`Row::status`].
    pub status: Status,
    /// Whether it is the gateway's own row.
    pub is_self: bool,
    /// Its age, in ms.
    pub age_ms: u64,
    /// Its age in words.
    pub age_text: Cow<'static, str>,
    /// The label of its reason, if it has one.
    pub reason_label: Option<&'a str>,
    /// The time since the last user input, in ms, if known.
    pub last_input_ms: Option<u64>,
    /// The gateway's rows that it is merged from.
    pub raw: Vec<&'a RawEntry>,
}

impl Mirror {
    /// Returns the view of a row at `now_ms`.
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
            last_input_ms: row.last_input_at_ms.map(|at_ms| now_ms.saturating_sub(at_ms)),
            raw: row.raw().collect(),
        }
    }

    /// Returns the views of all rows at `now_ms`, in list order.
    #[must_use]
    pub fn views(&self, now_ms: u64) -> Vec<RowView<'_>> {
        let rows = self.rows().into_iter();
        rows.map(|row| self.view(row, now_ms)).collect()
    }

    /// Returns [`findings`](Self::findings) as JSON text, each with the keys of the instances of its rows;
    /// two rows of one instance repeat its key.
    #[must_use]
    pub fn findings_json(&self) -> String {
        let raws = self.raws();
        array_text(&mut self.findings().iter().map(|finding| {
            let keys = finding.rows.iter().filter_map(|&row| raws.get(row));
            finding.to_json(&mut keys.map(|raw| &*raw.group), true)
        }))
    }

    /// Returns [`raw_list`](Self::raw_list) as JSON text.
    #[must_use]
    pub fn raw_list_json(&self) -> String {
        array_text(&mut self.raw_list().map(ToString::to_string))
    }
}
