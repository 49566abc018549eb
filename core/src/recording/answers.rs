//! Answers of a replay: those of the hub, from its memory at this moment.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Expected, Replay};
use crate::findings::Finding;
use crate::model::RawEntry;

impl Replay {
    /// The findings, in the form of `presence.explain`: JSON text (SPEC 6.1).
    pub fn explain(&mut self) -> String {
        self.hub.explain(false, self.now)
    }

    /// Explains the row with this key, in the form of `presence.explain`; `None` if there is no such row.
    pub fn explain_row(&mut self, key: &str) -> Option<String> {
        self.hub.explain_row(key, None, self.now).ok()
    }

    /// The findings, each with the keys of its rows.
    pub fn found(&mut self) -> Vec<Expected> {
        let expected = |(finding, rows): (Finding, Vec<Box<str>>)| Expected {
            finding: finding.kind.code().into(),
            rows,
            evidence: finding.evidence.into_iter().map(Into::into).collect(),
        };
        let found = self.hub.found_with_keys(self.now);
        found.into_iter().map(expected).collect()
    }

    /// Number of rows, self included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.hub.rows()
    }

    /// The rows with their keys, newest first.
    pub fn entries(&mut self) -> Vec<(Box<str>, RawEntry)> {
        self.hub.own_entries(self.now)
    }
}
