//! Derives sessions from changes of rows. Pure: it reads no clock and no file.

use std::collections::{BTreeMap, BTreeSet};

use presence_core::model::entry::TIME_MEMBERS;
use presence_core::roster::{RowChanges, RowEvent, RowState, Stay, StayEnd};
use serde_json::{Map, Value};

use super::op::{Op, Session};

/// A silence of a client without a connection that is longer than this, in ms, is kept: it was Idle then.
pub(super) const SILENCE_MS: u64 = 120_000;
/// Shortest interval at which the last proof of life of an open session is written, in ms.
const SEEN_STEP_MS: u64 = 15_000;
/// Interval at which the proofs of life of sessions with a connection are written, in ms.
pub(super) const ALIVE_MS: u64 = 30_000;

/// Reasons without an event: a beacon stated that the client left, or the gateway stopped.
pub(super) const STATED: &str = "stated";
pub(super) const STOPPED: &str = "stopped";
/// The session ended while the history fell behind: its exact end and the reason are unknown.
pub(super) const LOST: &str = "lost";

/// The open sessions.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    open: BTreeMap<String, Open>,
    /// The last written facts of listed rows.
    facts: BTreeMap<String, String>,
    /// When the proofs of life of sessions with a connection were last written.
    alive_ms: u64,
}

/// An open session.
#[derive(Clone, Copy, Debug)]
struct Open {
    from_ms: u64,
    /// The stay of the row, while it has connections.
    stay: Option<u64>,
    seen_ms: u64,
    /// The last written proof of life.
    written_ms: u64,
}

impl Tracker {
    /// Applies changes. `now_ms` is the wall clock.
    pub(super) fn apply(&mut self, changes: RowChanges, now_ms: u64) -> Vec<Op> {
        let mut ops = Vec::new();
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
                    let is_gone = !matches!(why, StayEnd::Closed | StayEnd::Silent);
                    if let Some(entry) = entry {
                        self.note_facts(&key, &entry, &mut ops);
                    }
                    self.ended(&key, stay, seen_ms, at_ms, why.as_str(), &mut ops);
                    if is_gone {
                        self.facts.remove(&key);
                    }
                }
                RowEvent::Renamed { from, to } => self.renamed(&from, to, &mut ops),
                _ => {}
            }
        }
        if changes.is_whole {
            let listed: BTreeSet<&str> = changes.rows.iter().map(|row| &*row.key).collect();
            let is_listed = |key: &String| listed.contains(&**key);
            let gone: Vec<String> = self.open.keys().filter(|key| !is_listed(key)).cloned().collect();
            for key in gone {
                self.close_lost(&key, &mut ops);
            }
            self.facts.retain(|key, _| is_listed(key));
        }
        for row in changes.rows {
            self.is_now(&row, changes.is_whole, now_ms, &mut ops);
        }
        if now_ms.saturating_sub(self.alive_ms) >= ALIVE_MS || now_ms < self.alive_ms {
            self.alive(now_ms, &mut ops);
        }
        ops
    }

    /// Ends all sessions, because the gateway stops.
    pub(super) fn end(&mut self, now_ms: u64) -> Vec<Op> {
        let mut ops = Vec::new();
        for key in self.open.keys().cloned().collect::<Vec<_>>() {
            let seen_ms = match self.open.get(&key) {
                Some(open) if open.stay.is_none() => open.seen_ms,
                _ => now_ms,
            };
            self.ended(&key, None, seen_ms, now_ms, STOPPED, &mut ops);
        }
        ops
    }

    /// All writes for an empty history: the open sessions with their facts.
    pub(super) fn whole(&self) -> Vec<Op> {
        let facts = self.facts.iter().map(|(key, facts)| Op::Facts {
            key: key.clone(),
            facts: facts.clone(),
        });
        let open = self.open.iter().map(|(key, open)| open.op(key));
        facts.chain(open).collect()
    }

    fn ended(
        &mut self,
        key: &str,
        stay: Option<Stay>,
        seen_ms: u64,
        at_ms: u64,
        why: &'static str,
        ops: &mut Vec<Op>,
    ) {
        let open = match (self.open.remove(key), stay) {
            (Some(mut open), _) => {
                if open.stay.is_none() {
                    open.seen(key, seen_ms, ops);
                }
                open
            }
            // The row was added and removed since the last changes.
            (None, Some(stay)) => {
                let open = Open::new(stay.since_ms, Some(stay.id), seen_ms);
                ops.push(open.op(key));
                open
            }
            (None, None) => return,
        };
        // A step of the wall clock may lie between.
        let to_ms = at_ms.max(open.from_ms);
        ops.push(Op::Close {
            session: Session::new(key, open.from_ms),
            to_ms,
            seen_ms: seen_ms.clamp(open.from_ms, to_ms),
            why,
        });
    }

    /// Ends a session whose end is unknown.
    fn close_lost(&mut self, key: &str, ops: &mut Vec<Op>) {
        if let Some(open) = self.open.remove(key) {
            ops.push(Op::Close {
                session: Session::new(key, open.from_ms),
                to_ms: open.seen_ms,
                seen_ms: open.seen_ms,
                why: LOST,
            });
        }
    }

    fn renamed(&mut self, from: &str, to: String, ops: &mut Vec<Op>) {
        self.facts.remove(from);
        let Some(open) = self.open.remove(from) else {
            return;
        };
        self.close_lost(&to, ops);
        ops.push(Op::Rename {
            session: Session::new(from, open.from_ms),
            to: to.clone(),
        });
        self.open.insert(to, open);
    }

    /// Handles the current state of a row. `is_whole`: events may have been lost.
    fn is_now(&mut self, row: &RowState, is_whole: bool, now_ms: u64, ops: &mut Vec<Op>) {
        self.note_facts(&row.key, &row.entry, ops);
        let stay = row.stay.map(|stay| stay.id);
        let open = self.open.get(&row.key);
        // The end of a stay is an event, which closes the session. If the stay changed without it, the event was lost.
        let is_lost = open.is_some_and(|open| open.stay.is_some() && open.stay != stay);
        if is_lost || row.has_left && is_whole {
            self.close_lost(&row.key, ops);
        }
        if row.has_left {
            // No event was lost and none ended the session, so a beacon stated that the client left.
            return self.ended(&row.key, None, row.seen_ms, row.seen_ms, STATED, ops);
        }
        match self.open.get_mut(&row.key) {
            None => {
                let from_ms = row.stay.map_or(row.seen_ms, |stay| stay.since_ms);
                let open = Open::new(from_ms, stay, row.seen_ms);
                ops.push(open.op(&row.key));
                self.open.insert(row.key.clone(), open);
            }
            Some(open) if open.stay.is_none() => {
                open.seen(&row.key, row.seen_ms, ops);
                let becomes_connected = stay.is_some();
                open.stay = stay;
                if becomes_connected || open.seen_ms.abs_diff(open.written_ms) >= SEEN_STEP_MS {
                    open.written_ms = open.seen_ms;
                    ops.push(open.op(&row.key));
                }
            }
            Some(open) => open.seen_ms = open.seen_ms.max(now_ms),
        }
    }

    /// Writes that the sessions with a connection continue.
    fn alive(&mut self, now_ms: u64, ops: &mut Vec<Op>) {
        self.alive_ms = now_ms;
        for open in self.open.values_mut().filter(|open| open.stay.is_some()) {
            open.seen_ms = open.seen_ms.max(now_ms);
        }
        ops.push(Op::Alive { at_ms: now_ms });
    }

    fn note_facts(&mut self, key: &str, entry: &str, ops: &mut Vec<Op>) {
        let facts = facts(entry);
        if self.facts.get(key).is_none_or(|known| *known != facts) {
            ops.push(Op::Facts {
                key: key.to_owned(),
                facts: facts.clone(),
            });
            self.facts.insert(key.to_owned(), facts);
        }
    }
}

impl Open {
    fn new(from_ms: u64, stay: Option<u64>, seen_ms: u64) -> Self {
        let seen_ms = seen_ms.max(from_ms);
        Self {
            from_ms,
            stay,
            seen_ms,
            written_ms: seen_ms,
        }
    }

    fn op(&self, key: &str) -> Op {
        Op::Open {
            session: Session::new(key, self.from_ms),
            seen_ms: self.seen_ms,
            is_connected: self.stay.is_some(),
        }
    }

    /// Handles a proof of life of a session without a connection.
    fn seen(&mut self, key: &str, seen_ms: u64, ops: &mut Vec<Op>) {
        if seen_ms.saturating_sub(self.seen_ms) > SILENCE_MS {
            ops.push(Op::Silence {
                session: Session::new(key, self.from_ms),
                from_ms: self.seen_ms,
                to_ms: seen_ms,
            });
        }
        self.seen_ms = self.seen_ms.max(seen_ms);
    }
}

/// The entry without the members that change with time alone.
fn facts(entry: &str) -> String {
    let mut members: Map<String, Value> = serde_json::from_str(entry).unwrap_or_default();
    members.retain(|name, _| !TIME_MEMBERS.contains(&name.as_str()));
    Value::Object(members).to_string()
}
