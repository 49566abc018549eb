//! The memory of findings and explanations in a checkpoint of a recording.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub(crate) use super::super::journal::RefusedClock;
use super::super::journal::{Ended, Journal};
use super::super::trace::{BeaconRate, Trace};
use super::super::{Hub, LeaveCause};
use crate::model::key::RowKey;
use crate::model::placeholder::Kind;
pub(crate) use crate::roster::saved::RowEvent;
use crate::server::Handshake;

/// The memory besides rows and connections, oldest items first.
#[derive(Clone, Debug, Default)]
pub(crate) struct SavedMemory {
    pub(crate) ended: Vec<SavedEnded>,
    pub(crate) refused: Vec<RefusedClock>,
    pub(crate) events: Vec<RowEvent>,
}

/// The memory of a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SavedTrace {
    beacons: BeaconRate,
    #[serde(skip_serializing_if = "Option::is_none")]
    placeholder: Option<Box<str>>,
    has_refused_beacon: bool,
    has_reported_host: bool,
}

impl SavedTrace {
    pub(super) fn new(trace: &Trace) -> Self {
        Self {
            beacons: trace.beacons,
            placeholder: trace.placeholder.map(Into::into),
            has_refused_beacon: trace.has_refused_beacon,
            has_reported_host: trace.has_reported_host,
        }
    }

    pub(super) fn trace(&self, joined_ms: u64) -> Trace {
        Trace {
            joined_ms,
            beacons: self.beacons,
            placeholder: self
                .placeholder
                .as_deref()
                .and_then(|word| Kind::Id.placeholder(word)),
            has_refused_beacon: self.has_refused_beacon,
            has_reported_host: self.has_reported_host,
        }
    }
}

/// A connection that ended.
#[derive(Clone, Debug)]
pub(crate) struct SavedEnded {
    pub(crate) serial: u64,
    pub(crate) handshake: Handshake,
    pub(crate) key: RowKey,
    pub(crate) is_tracked: bool,
    pub(crate) joined_ms: u64,
    pub(crate) trace: SavedTrace,
    pub(crate) refused_calls: u32,
    pub(crate) left_ms: u64,
    pub(crate) cause: LeaveCause,
}

impl SavedEnded {
    fn new(ended: &Ended) -> Self {
        Self {
            serial: ended.serial,
            handshake: ended.handshake(),
            key: ended.key.clone(),
            is_tracked: ended.is_tracked,
            joined_ms: ended.trace.joined_ms,
            trace: SavedTrace::new(&ended.trace),
            refused_calls: ended.refused_calls,
            left_ms: ended.left_ms,
            cause: ended.cause,
        }
    }

    fn ended(self) -> Ended {
        let handshake = self.handshake;
        Ended {
            serial: self.serial,
            conn_id: handshake.conn_id,
            client: handshake.client,
            role: handshake.role,
            ip: handshake.remote_ip,
            device_id: handshake.device_id,
            key: self.key,
            is_tracked: self.is_tracked,
            skew_ms: handshake.clock_skew_ms,
            trace: self.trace.trace(self.joined_ms),
            refused_calls: self.refused_calls,
            left_ms: self.left_ms,
            cause: self.cause,
        }
    }
}

impl Ended {
    /// The kept parts of its handshake.
    fn handshake(&self) -> Handshake {
        Handshake {
            request_id: "1".into(),
            conn_id: self.conn_id.clone(),
            protocol: 0,
            role: self.role,
            scopes: [].into(),
            client: self.client.clone(),
            device_id: self.device_id.clone(),
            caps: Vec::new(),
            commands: Vec::new(),
            remote_ip: self.ip.clone(),
            user: None,
            may_report_input: false,
            clock_skew_ms: self.skew_ms,
            visitor: None,
        }
    }
}

impl Hub {
    pub(crate) fn saved_memory(&self) -> SavedMemory {
        SavedMemory {
            ended: self.journal.ended().map(SavedEnded::new).collect(),
            refused: self.journal.refused_clocks().cloned().collect(),
            events: self.roster.saved_events(),
        }
    }

    /// Restores the memory of a new hub. Its bounds apply.
    pub(crate) fn restore_memory(&mut self, memory: SavedMemory) {
        self.journal = Journal::default();
        for ended in memory.ended {
            self.journal.note(ended.ended());
        }
        for refused in memory.refused {
            self.journal.note_refused(refused);
        }
        self.roster.resume_events(memory.events);
    }
}
