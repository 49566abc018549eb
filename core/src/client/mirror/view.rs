//! Rows for display.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Mirror, Row};
use crate::model::json::{ObjectText, array_text};
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

    /// Returns [`views`](Self::views) as JSON text: a list of [`RowView::to_json`].
    #[must_use]
    pub fn views_json(&self, now_ms: u64) -> String {
        let rows = self.views(now_ms);
        // An estimate that avoids most reallocations.
        let mut text = String::with_capacity(64 + rows.len() * 640);
        text.push('[');
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text = row.write(text);
        }
        text.push(']');
        text
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

impl RowView<'_> {
    /// Returns the view as JSON text: `{key, status, isSelf, ageMs, ageText, reasonLabel?, lastInputMs?,
    /// entry, raw?}`; without `raw`, `entry` is the only row that it was merged from.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.write(String::new())
    }

    /// Appends the view to `text` and returns it.
    fn write(&self, text: String) -> String {
        let status = match self.status {
            Status::Active => "active",
            Status::Idle => "idle",
            Status::Stale => "stale",
            Status::Left => "left",
        };
        let mut json = ObjectText::after(text);
        json.text("key", self.key);
        json.text("status", status);
        json.raw("isSelf", if self.is_self { "true" } else { "false" });
        json.number("ageMs", self.age_ms);
        json.text("ageText", &self.age_text);
        if let Some(label) = self.reason_label {
            json.text("reasonLabel", label);
        }
        if let Some(ms) = self.last_input_ms {
            json.number("lastInputMs", ms);
        }
        json.raw("entry", self.entry.as_str());
        if !matches!(&*self.raw, [only] if *only == self.entry) {
            json.raw("raw", &array_text(&mut self.raw.iter().map(ToString::to_string)));
        }
        json.end()
    }
}
