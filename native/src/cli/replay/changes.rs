//! Changes with their causes.

use presence_core::Now;
use presence_core::recording::Replay;
use serde::Serialize;

use super::seconds;
use crate::cli::printable;
use crate::cli::screen::wrapped;

/// A change of a row.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    /// In ms after the start of the recording.
    at: u64,
    /// On the wall clock.
    wall: u64,
    /// The key of the row.
    row: Box<str>,
    what: &'static str,
    text: Box<str>,
    #[serde(skip)]
    after: String,
}

/// The changes since a moment, oldest first.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) list: Vec<Change>,
    /// The number of older changes that are left out.
    pub(super) left_out: u64,
    since: String,
}

impl Changes {
    pub(super) fn taken(replay: &mut Replay, since: Now, start: Now) -> Self {
        let (changes, left_out) = replay.take_changes();
        let changes = changes
            .into_iter()
            .filter(|change| change.now.age_ms >= since.age_ms);
        Self {
            list: changes
                .map(|change| Change {
                    at: change.now.age_ms.saturating_sub(start.age_ms),
                    wall: change.now.wall_ms,
                    row: change.key,
                    what: change.what,
                    text: change.text,
                    after: seconds(change.now, start),
                })
                .collect(),
            left_out,
            since: seconds(since, start),
        }
    }

    /// Their lines, and a blank one.
    pub(super) fn lines(&self, columns: usize) -> Vec<String> {
        let mut lines = vec![format!("CHANGES since {}", self.since)];
        if self.left_out > 0 {
            lines.push(format!("{} older ones are left out.", self.left_out));
        }
        for Change {
            row,
            what,
            text,
            after,
            ..
        } in &self.list
        {
            let text = format!("{after}  {}  {what}: {}", printable(row), printable(text));
            lines.extend(wrapped(&text, "  ", columns));
        }
        if self.list.is_empty() {
            lines.push("none".to_owned());
        }
        lines.push(String::new());
        lines
    }
}
