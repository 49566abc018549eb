//! Joins and leaves, from [`RowChanges`], for webhooks.

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::change_log::{RowChanges, RowEvent, RowState, Stay, StayEnd};
use crate::model::key::RowKey;
use crate::model::time::Now;

/// Most leaves that wait for a reconnect, unless the roster has room for more rows.
pub const MAX_LEAVING: usize = 1_024;

/// Why a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VisitEnd {
    /// The connections or the row ended.
    Row(StayEnd),
    /// The instance stated that it left, in a beacon.
    Stated,
    /// Events were lost, because too many waited.
    Lost,
}

impl VisitEnd {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Row(why) => why.as_str(),
            Self::Stated => "stated",
            Self::Lost => "lost",
        }
    }
}

/// A join or a leave of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The key that the row had at the join.
    pub key: String,
    /// The row's entry as JSON, as in the list.
    pub entry: Box<str>,
    /// When it joined, in ms since the Unix epoch.
    pub joined_ms: u64,
    /// The end; `None` for a join.
    pub left: Option<Left>,
}

/// The end of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// When it ended, in ms since the Unix epoch.
    pub at_ms: u64,
    /// The last proof of life, in ms since the Unix epoch.
    pub seen_ms: u64,
    /// Why.
    pub why: VisitEnd,
}

/// The present instances, and the visits to report: each join once, and after it one leave.
///
/// The gateway's own row is not a visit. An instance that is back within the grace period did not leave.
#[derive(Debug)]
pub struct Visits {
    grace_ms: u64,
    max_leaving: usize,
    here: BTreeMap<String, Here>,
    /// When the leaves are due on the age clock, and their keys in `here`.
    leaving: BTreeSet<(u64, String)>,
    visits: Vec<Visit>,
}

#[derive(Debug)]
struct Here {
    key: String,
    entry: Box<str>,
    joined_ms: u64,
    /// The pending leave, which a return until this moment of the age clock cancels.
    leaving: Option<(u64, Left)>,
}

impl Visits {
    /// Starts without instances. A leave is reported when the instance is not back within `grace_ms`.
    ///
    /// At most `max_entries` leaves wait for that, or [`MAX_LEAVING`] if that is more: all rows of a roster can leave
    /// and come back. Beyond, the oldest one is reported at once.
    #[must_use]
    pub fn new(grace_ms: u64, max_entries: usize) -> Self {
        Self {
            grace_ms,
            max_leaving: max_entries.max(MAX_LEAVING),
            here: BTreeMap::new(),
            leaving: BTreeSet::new(),
            visits: Vec::new(),
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), on the age clock.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.leaving.first().map(|(due_ms, _)| *due_ms)
    }

    /// Returns the leaves whose grace period is over.
    pub fn handle_timeout(&mut self, now: Now) -> Vec<Visit> {
        while let Some(due_ms) = self.poll_timeout()
            && due_ms <= now.age_ms
        {
            self.leave_first();
        }
        core::mem::take(&mut self.visits)
    }

    /// Returns all leaves that wait for a reconnect.
    pub fn end(&mut self) -> Vec<Visit> {
        while !self.leaving.is_empty() {
            self.leave_first();
        }
        core::mem::take(&mut self.visits)
    }

    /// Applies changes. Returns the joins, and the leaves that no grace period delays.
    pub fn apply(&mut self, changes: RowChanges, now: Now) -> Vec<Visit> {
        let mut last: BTreeMap<String, Box<str>> = BTreeMap::new();
        // The end of a row that was added and closed since the last changes has no entry: it is among the rows.
        for row in changes.rows.iter().filter(|row| row.has_left) {
            last.insert(row.key.clone(), row.entry.clone());
        }
        for event in &changes.events {
            if let RowEvent::Ended {
                key,
                entry: Some(entry),
                ..
            } = event
            {
                last.insert(key.clone(), entry.clone());
            }
        }
        for event in changes.events {
            match event {
                RowEvent::Ended {
                    key,
                    stay,
                    seen_ms,
                    at_ms,
                    why,
                    entry,
                } => {
                    let entry = entry.or_else(|| last.get(&key).cloned());
                    let why = VisitEnd::Row(why);
                    self.ended(&key, stay, entry, Left { at_ms, seen_ms, why }, now);
                }
                RowEvent::Renamed { from, to } => self.renamed(&from, to, now),
            }
        }
        if changes.is_whole {
            let listed: BTreeSet<&str> = changes.rows.iter().map(|row| &*row.key).collect();
            let is_gone = |key: &&String| !listed.contains(key.as_str());
            let gone: Vec<String> = self.here.keys().filter(is_gone).cloned().collect();
            for key in gone {
                self.gone(&key, now);
            }
        }
        for row in changes.rows {
            self.is_now(row, changes.is_whole, now);
        }
        self.handle_timeout(now)
    }

    fn ended(&mut self, key: &str, stay: Option<Stay>, entry: Option<Box<str>>, left: Left, now: Now) {
        let is_here = self.here.get(key).is_some_and(|here| here.leaving.is_none());
        // It was added and removed since the last changes. Without its entry it cannot be reported.
        if !is_here && let (Some(stay), Some(entry)) = (stay, &entry) {
            self.join(key, entry.clone(), stay.since_ms);
        }
        self.left(key, entry, left, now);
    }

    /// Handles a row that is gone without an event.
    fn gone(&mut self, key: &str, now: Now) {
        let at_ms = now.wall_ms;
        let left = Left {
            at_ms,
            seen_ms: at_ms,
            why: VisitEnd::Lost,
        };
        self.left(key, None, left, now);
    }

    /// Applies the current state of a row. If events were lost (`is_whole`), a row that left counts as lost, because
    /// the lost events may have included its close.
    fn is_now(&mut self, row: RowState, is_whole: bool, now: Now) {
        if row.key == RowKey::SelfRow.to_wire() {
            return;
        }
        if row.has_left {
            let left = Left {
                at_ms: row.seen_ms,
                seen_ms: row.seen_ms,
                why: if is_whole {
                    VisitEnd::Lost
                } else {
                    VisitEnd::Stated
                },
            };
            return self.left(&row.key, Some(row.entry), left, now);
        }
        let joined_ms = row.stay.map_or(row.seen_ms, |stay| stay.since_ms);
        self.join(&row.key, row.entry, joined_ms);
    }

    /// Handles a present instance: a join if it is new, else the end of its pending leave.
    fn join(&mut self, key: &str, entry: Box<str>, joined_ms: u64) {
        if let Some(here) = self.here.get_mut(key) {
            here.entry = entry;
            if let Some((due_ms, _)) = here.leaving.take() {
                self.leaving.remove(&(due_ms, key.into()));
            }
            return;
        }
        self.visits.push(Visit {
            key: key.into(),
            entry: entry.clone(),
            joined_ms,
            left: None,
        });
        let here = Here {
            key: key.into(),
            entry,
            joined_ms,
            leaving: None,
        };
        self.here.insert(key.into(), here);
    }

    /// Handles the end of a present instance: a leave, unless it returns.
    fn left(&mut self, key: &str, entry: Option<Box<str>>, left: Left, now: Now) {
        let Some(here) = self.here.get_mut(key) else {
            return;
        };
        // A row that was closed ends a second time when it expires.
        if here.leaving.is_some() {
            return;
        }
        if let Some(entry) = entry {
            here.entry = entry;
        }
        let due_ms = now.age_ms.saturating_add(self.grace_ms);
        here.leaving = Some((due_ms, left));
        self.leaving.insert((due_ms, key.into()));
        if self.grace_ms == 0 || self.leaving.len() > self.max_leaving {
            self.leave_first();
        }
    }

    fn leave_first(&mut self) {
        if let Some((_, key)) = self.leaving.pop_first() {
            self.report(&key);
        }
    }

    /// Reports its leave.
    fn report(&mut self, key: &str) {
        if let Some(here) = self.here.remove(key) {
            self.visits.push(Visit {
                key: here.key,
                entry: here.entry,
                joined_ms: here.joined_ms,
                left: here.leaving.map(|(_, left)| left),
            });
        }
    }

    /// Handles another key of the instance: the visit continues.
    fn renamed(&mut self, from: &str, to: String, now: Now) {
        let Some(here) = self.here.remove(from) else {
            return;
        };
        // A row of that key was removed before, and may wait to be reported.
        self.gone(&to, now);
        if let Some((due_ms, _)) = self.here.get(&to).and_then(|other| other.leaving) {
            self.leaving.remove(&(due_ms, to.clone()));
            self.report(&to);
        }
        if let Some((due_ms, _)) = here.leaving {
            self.leaving.remove(&(due_ms, from.into()));
            self.leaving.insert((due_ms, to.clone()));
        }
        self.here.insert(to, here);
    }
}
