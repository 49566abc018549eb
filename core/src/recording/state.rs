//! Checkpoints: the state of the replayed hub, so that a replay can begin with it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::input::{cause_of, word_of};
use super::{Joined, StepError};
use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::key::RowKey;
use crate::model::time::Now;
use crate::server::{
    ConnId, Hub, HubConfig, RefusedClock, RowEvent, SavedEnded, SavedHub, SavedMember, SavedMemory,
    SavedRoster, SavedRow, SavedTrace,
};

/// A part of a checkpoint, in a line of its own: first the start, then the connections, the rows, and the memory of
/// findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(Part);

impl State {
    /// The number of lines that follow in the checkpoint, if this is its first line.
    pub(super) fn lines_after(&self) -> Option<usize> {
        match &self.0 {
            Part::Start(start) => start
                .connections
                .checked_add(start.rows)?
                .checked_add(start.memory),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Part {
    Start(Box<Start>),
    Connection(Box<Connection>),
    Row(Box<SavedRow>),
    Ended(Box<Ended>),
    Refused(Box<RefusedClock>),
    Event(Box<RowEvent>),
}

/// State outside connections and rows, and the numbers of connections, rows and remembered items that follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    connections: usize,
    rows: usize,
    #[serde(default)]
    memory: usize,
    /// Inputs so far.
    inputs: u64,
    /// Inputs so far that were not recorded.
    missing: u64,
    began: u64,
    rows_made: u64,
    spared_until: u64,
    clock_offset: i64,
    next_serial: u64,
    is_shut_down: bool,
}

/// A connection. Moments are on the age clock, in ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    /// Its serial in the recording.
    serial: u64,
    /// Its serial in the replay.
    own_serial: u64,
    joined: Joined,
    since: u64,
    heartbeat_due: u64,
    awaits_pong: bool,
    refused_calls: u32,
    #[serde(default)]
    trace: SavedTrace,
    /// When it reported its last input, and the age of the input at that time, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activity: Option<(u64, u64)>,
}

/// A connection that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ended {
    own_serial: u64,
    joined: Joined,
    key: RowKey,
    is_tracked: bool,
    since: u64,
    trace: SavedTrace,
    refused_calls: u32,
    left: u64,
    cause: Box<str>,
}

impl Ended {
    fn new(saved: &SavedEnded) -> Self {
        Self {
            own_serial: saved.serial,
            joined: Joined::new(&saved.handshake),
            key: saved.key.clone(),
            is_tracked: saved.is_tracked,
            since: saved.joined_ms,
            trace: saved.trace.clone(),
            refused_calls: saved.refused_calls,
            left: saved.left_ms,
            cause: word_of(saved.cause).into(),
        }
    }

    fn saved(self) -> SavedEnded {
        SavedEnded {
            serial: self.own_serial,
            handshake: self.joined.handshake(),
            key: self.key,
            is_tracked: self.is_tracked,
            joined_ms: self.since,
            trace: self.trace,
            refused_calls: self.refused_calls,
            left_ms: self.left,
            cause: cause_of(&self.cause),
        }
    }
}

/// A hub with its connections by their serials in the recording.
pub(super) struct Restored {
    pub(super) hub: Hub,
    pub(super) conns: BTreeMap<u64, ConnId>,
    pub(super) inputs: u64,
    pub(super) missing: u64,
}

/// The parts of a hub's state.
pub(super) fn parts(hub: &Hub, conns: &BTreeMap<u64, ConnId>, inputs: u64, missing: u64) -> Vec<State> {
    let serials: BTreeMap<u64, u64> = conns
        .iter()
        .map(|(&serial, conn)| (conn.serial, serial))
        .collect();
    let connection = |member: SavedMember| {
        Some(Part::Connection(Box::new(Connection {
            serial: *serials.get(&member.serial)?,
            own_serial: member.serial,
            joined: Joined::new(&member.handshake),
            since: member.joined_ms,
            heartbeat_due: member.due_ms,
            awaits_pong: member.awaits_pong,
            refused_calls: member.refused_calls,
            trace: member.trace,
            activity: member.activity,
        })))
    };
    let connections: Vec<Part> = hub.saved_members().into_iter().filter_map(connection).collect();
    let rows = hub.saved_rows();
    let memory = remembered(hub.saved_memory());
    let saved = hub.saved();
    let start = Part::Start(Box::new(Start {
        connections: connections.len(),
        rows: rows.len(),
        memory: memory.len(),
        inputs,
        missing,
        began: saved.roster.began_ms,
        rows_made: saved.roster.rows_made,
        spared_until: saved.roster.spared_until_ms,
        clock_offset: saved.roster.offset_ms,
        next_serial: saved.next_serial,
        is_shut_down: saved.is_shut_down,
    }));
    let rows = rows.into_iter().map(|row| Part::Row(Box::new(row)));
    core::iter::once(start)
        .chain(connections)
        .chain(rows)
        .chain(memory)
        .map(State)
        .collect()
}

fn remembered(memory: SavedMemory) -> Vec<Part> {
    let ended = memory
        .ended
        .iter()
        .map(|ended| Part::Ended(Box::new(Ended::new(ended))));
    let refused = memory
        .refused
        .into_iter()
        .map(|refused| Part::Refused(Box::new(refused)));
    let events = memory
        .events
        .into_iter()
        .map(|event| Part::Event(Box::new(event)));
    ended.chain(refused).chain(events).collect()
}

/// The parts that were read so far.
#[derive(Clone, Debug)]
pub(super) struct Loading {
    start: Box<Start>,
    connections: Vec<Connection>,
    rows: Vec<SavedRow>,
    memory: SavedMemory,
}

impl Loading {
    /// Begins with the first part.
    ///
    /// # Errors
    /// The error in it.
    pub(super) fn begin(state: &State) -> Result<Self, &'static str> {
        let Part::Start(start) = &state.0 else {
            return Err("a first line");
        };
        // Counters must not be at their maximum.
        let counts = [start.inputs, start.missing, start.rows_made, start.next_serial];
        if counts.into_iter().any(|count| count > MAX_SAFE_INTEGER) {
            return Err("a number");
        }
        Ok(Self {
            start: start.clone(),
            connections: Vec::new(),
            rows: Vec::new(),
            memory: SavedMemory::default(),
        })
    }

    /// Takes the next part.
    ///
    /// # Errors
    /// The error in it.
    pub(super) fn take(&mut self, state: &State) -> Result<(), StepError> {
        match &state.0 {
            Part::Start(_) => return Err(StepError::State("a second start")),
            Part::Connection(connection) => self.connections.push((**connection).clone()),
            Part::Row(row) => self.rows.push((**row).clone()),
            Part::Ended(ended) => self.memory.ended.push((**ended).clone().saved()),
            Part::Refused(refused) => self.memory.refused.push((**refused).clone()),
            Part::Event(event) => self.memory.events.push((**event).clone()),
        }
        let has_connections = self.connections.len() == self.start.connections;
        let has_rows = self.rows.len() == self.start.rows;
        if self.connections.len() > self.start.connections || (!self.rows.is_empty() && !has_connections) {
            Err(StepError::Count("connections"))
        } else if self.rows.len() > self.start.rows
            || (self.remembered() > 0 && !(has_connections && has_rows))
        {
            Err(StepError::Count("rows"))
        } else {
            Ok(())
        }
    }

    /// Whether it is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.connections.len() == self.start.connections
            && self.rows.len() == self.start.rows
            && self.remembered() >= self.start.memory
    }

    fn remembered(&self) -> usize {
        self.memory.ended.len() + self.memory.refused.len() + self.memory.events.len()
    }

    /// The hub with this state.
    ///
    /// # Errors
    /// The name of the impossible part.
    pub(super) fn restored(self, config: HubConfig, now: Now) -> Result<Restored, &'static str> {
        let start = self.start;
        let saved = SavedHub {
            roster: SavedRoster {
                began_ms: start.began,
                rows_made: start.rows_made,
                spared_until_ms: start.spared_until,
                offset_ms: start.clock_offset,
            },
            next_serial: start.next_serial,
            is_shut_down: start.is_shut_down,
        };
        let mut serials: Vec<(u64, u64)> = self
            .connections
            .iter()
            .map(|connection| (connection.own_serial, connection.serial))
            .collect();
        serials.sort_unstable();
        let member = |connection: Connection| SavedMember {
            serial: connection.own_serial,
            handshake: connection.joined.handshake(),
            joined_ms: connection.since,
            due_ms: connection.heartbeat_due,
            awaits_pong: connection.awaits_pong,
            refused_calls: connection.refused_calls,
            trace: connection.trace,
            activity: connection.activity,
        };
        let members = self.connections.into_iter().map(member).collect();
        let (mut hub, conns) = Hub::restored(config, saved, members, self.rows, now)?;
        hub.restore_memory(self.memory);
        let count = conns.len();
        let conns: BTreeMap<u64, ConnId> = serials
            .into_iter()
            .zip(conns)
            .map(|((_, serial), conn)| (serial, conn))
            .collect();
        if conns.len() < count {
            return Err("a connection");
        }
        Ok(Restored {
            hub,
            conns,
            inputs: start.inputs,
            missing: start.missing,
        })
    }
}

#[cfg(test)]
mod tests;
