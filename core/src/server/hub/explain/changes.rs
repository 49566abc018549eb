//! Changes of rows between two moments, with their causes, for replays, which take them after each input.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::{ConnId, Hub};
use super::sentences::{cut, join_text, leave_text, row_event};
use crate::model::key::SELF_WIRE_KEY;
use crate::model::raw_entry::RawEntry;
use crate::model::time::Now;
use crate::wire::presence::Delta;

/// Members that change together with others or with time.
const MOMENTS: [&str; 3] = ["ts", "lastActivityAt", "onlineSince"];
/// A member that is counted from the moment of another one, so that it changes with time too.
const INPUT: (&str, &str) = ("lastInputSeconds", "lastActivityAt");

/// The input of the hub.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause<'a> {
    Join(ConnId),
    /// A call of this method.
    Call(ConnId, &'a str),
    /// Anything else.
    Other,
}

/// A change of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happened {
    pub(crate) key: String,
    pub(crate) what: &'static str,
    /// A sentence.
    pub(crate) text: String,
}

/// The state at the last call.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    rows: BTreeMap<String, RawEntry>,
    events: u64,
    ended: u64,
}

impl Hub {
    /// Returns the current state.
    pub(crate) fn seen(&mut self, now: Now) -> Seen {
        self.roster.track_changes(true, now);
        // Earlier events do not belong to the changes.
        self.roster.encode_delta(0, now);
        let rows = self.roster.entries(usize::MAX, now);
        Seen {
            rows: rows.into_iter().map(|(key, entry, _)| (key, entry)).collect(),
            events: self.roster.history().noted(),
            ended: self.journal.noted(),
        }
    }

    /// The changes since the last call, in order. It has only those that the hub still remembers, which are all of
    /// them if it is called after each input.
    pub(crate) fn happened(&mut self, seen: &mut Seen, cause: Cause<'_>, now: Now) -> Vec<Happened> {
        let mut happened = Vec::new();
        let mut note = |key: String, what, text| happened.push(Happened { key, what, text });
        if let Cause::Join(conn) = cause
            && let Some(member) = self.members.get(conn.slot)
            && member.is_tracked
        {
            let session = self.live_session(member);
            note(session.key.to_wire(), "joined", join_text(&session));
        }
        let silence_ms = self.ping_interval_ms() * 2;
        let ended = self.journal.noted() - seen.ended;
        let mut left: Vec<_> = self.journal.ended().rev().take(ended as usize).collect();
        left.reverse();
        for ended in left.into_iter().filter(|ended| ended.is_tracked) {
            let session = super::sessions::Session::of_ended(ended, silence_ms);
            let text = leave_text(&session, ended.left_ms, ended.cause);
            note(ended.key.to_wire(), "left", text);
        }
        let history = self.roster.history();
        let events = history.noted() - seen.events;
        let mut newest: Vec<_> = history.events().rev().take(events as usize).collect();
        newest.reverse();
        for event in newest {
            let (what, text) = row_event(event, None);
            let key = event.key.to_wire();
            if let Some(row) = event
                .was
                .as_ref()
                .and_then(|was| seen.rows.remove(&was.to_wire()))
            {
                seen.rows.insert(key.clone(), row);
            }
            note(key, what, text);
        }
        (seen.events, seen.ended) = (history.noted(), self.journal.noted());
        let by = self.words(cause);
        if self.roster.is_beyond_deltas() {
            let is_there = |key: &String| key == SELF_WIRE_KEY || self.roster.find_wire(key).is_some();
            seen.rows.retain(|key, _| is_there(key));
        }
        let Some(delta) = Delta::read(&self.roster.encode_delta(0, now)) else {
            return happened;
        };
        for key in delta.removals {
            seen.rows.remove(&*key);
        }
        for (key, entry) in delta.upserts {
            let text = match seen.rows.get(&*key) {
                None if matches!(cause, Cause::Join(_)) => None,
                None => Some(("added", format!("{by} made the row."))),
                Some(was) => differences(was, &entry).map(|text| ("changed", format!("{by} {text}."))),
            };
            if let Some((what, text)) = text {
                happened.push(Happened {
                    key: key.to_string(),
                    what,
                    text,
                });
            }
            seen.rows.insert(key.into(), entry);
        }
        happened
    }

    /// The cause of changes by an input, as text.
    fn words(&self, cause: Cause<'_>) -> String {
        let of = |conn: ConnId| {
            let member = self.members.get(conn.slot);
            member.map_or_else(String::new, |member| self.live_session(member).words())
        };
        match cause {
            Cause::Join(conn) => format!("The handshake of the {}", of(conn)),
            Cause::Call(conn, "system-event") => format!("A beacon of the {}", of(conn)),
            Cause::Call(conn, _) => format!("A node event of the {}", of(conn)),
            Cause::Other => "The gateway".to_string(),
        }
    }
}

/// The changed members, as text.
fn differences(was: &RawEntry, is: &RawEntry) -> Option<String> {
    let is_other_input = was.get(INPUT.1) != is.get(INPUT.1);
    let is_shown = |name: &str| !MOMENTS.contains(&name) && (name != INPUT.0 || is_other_input);
    let mut texts = Vec::new();
    for (name, value) in is.members().filter(|(name, _)| is_shown(name)) {
        match was.get(name) {
            Some(before) if before == value => {}
            Some(before) => texts.push(format!(
                "changed {name} from {} to {}",
                shown(before),
                shown(value)
            )),
            None => texts.push(format!("set {name} to {}", shown(value))),
        }
    }
    for (name, before) in was.members().filter(|(name, _)| is_shown(name)) {
        if is.get(name).is_none() {
            texts.push(format!("removed {name}, which was {}", shown(before)));
        }
    }
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// A JSON value, cut to a readable length.
fn shown(value: &str) -> String {
    let short = cut(value);
    let dots = if short.len() < value.len() { "..." } else { "" };
    format!("{short}{dots}")
}
