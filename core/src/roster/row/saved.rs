//! A row in a checkpoint of a recording.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Class, Live, Place, Row};
use crate::model::entry::PresenceEntry;
use crate::model::key::{PresenceKey, RowKey};
use crate::roster::row::{Device, Origin, Stamp, Stated, TurnState, Writers};

/// The state of a row that its further course depends on. Connections are named by their serials, and moments are on
/// the age clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavedRow {
    key: RowKey,
    number: u64,
    fields: PresenceEntry,
    written: u64,
    proof: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) own_ttl: Option<u64>,
    goes: Goes,
    was_connected: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_by: Option<u64>,
    online_since: u64,
    /// The live connections, in connect order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) live: Vec<SavedLive>,
    writers: Writers,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stamps: Vec<SavedStamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turns: Option<Box<TurnState>>,
    sets: super::sets::Sets,
    /// The `deviceId` of the index, and whether it was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<(Box<str>, bool)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<u64>,
}

/// How a row expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Goes {
    Ageing,
    Silent,
    Spared,
}

/// A live connection of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedLive {
    pub(crate) conn: u64,
    /// The fields that its handshake states and the row had room for, as bits.
    pub(crate) fields: u16,
    pub(crate) written: u64,
}

/// A write of a beacon, or of a connection that is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SavedStamp {
    conn: u64,
    at: u64,
    is_beacon: bool,
    stated: u32,
}

impl Row {
    pub(crate) fn saved(&self) -> Option<SavedRow> {
        if self.key == RowKey::SelfRow {
            return None;
        }
        let stamp = |stamp: &Stamp| SavedStamp {
            conn: stamp.conn,
            at: stamp.at_ms,
            is_beacon: stamp.origin == Origin::Beacon,
            stated: stamp.stated.bits(),
        };
        let live = |live: &Live| SavedLive {
            conn: live.conn,
            fields: live.handshake.fields(),
            written: live.written_ms,
        };
        let device = |device: &Device| (device.key.as_str().into(), device.is_proven);
        Some(SavedRow {
            key: self.key.clone(),
            number: self.number,
            fields: self.fields.clone(),
            written: self.written_ms,
            proof: self.proof_ms,
            own_ttl: self.own_ttl_ms,
            goes: match self.place {
                Place::Ageing(_) => Goes::Ageing,
                Place::Silent => Goes::Silent,
                Place::Spared(_) => Goes::Spared,
            },
            was_connected: self.was_connected,
            input_at: self.last_input_at,
            input_by: self.input_conn,
            online_since: self.online_since_ms,
            live: self.live.iter().map(live).collect(),
            writers: self.writers.clone(),
            stamps: self.stamps.iter().map(stamp).collect(),
            turns: self.turns.clone(),
            sets: self.sets.saved(),
            device: self.device.as_ref().map(device),
            holder: self.holder,
        })
    }
}

impl SavedRow {
    /// The row with these connections, its device, and whether it ages, closed silently or is spared. `None`
    /// if the state is impossible.
    pub(in crate::roster) fn row(self, live: Vec<Live>) -> Option<(Row, Option<Device>, Option<Place>)> {
        let normal = |text: &str| PresenceKey::of_name(text).filter(|key| key.as_str() == text);
        let is_in_order = live.is_sorted_by(|a, b| a.conn < b.conn);
        if self.key == RowKey::SelfRow || !is_in_order || (!live.is_empty() && !self.was_connected) {
            return None;
        }
        let device = match self.device {
            Some((id, is_proven)) => Some(Device {
                key: normal(&id)?,
                is_proven,
            }),
            None => None,
        };
        let mut row = Row::new(self.key, self.number, self.written);
        row.proof_ms = self.proof;
        row.was_connected = self.was_connected;
        row.last_input_at = self.input_at;
        row.input_conn = self.input_by;
        row.online_since_ms = self.online_since;
        row.writers = self.writers;
        for stamp in self.stamps {
            row.stamps.write(Stamp {
                conn: stamp.conn,
                at_ms: stamp.at,
                origin: if stamp.is_beacon {
                    Origin::Beacon
                } else {
                    Origin::Handshake
                },
                stated: Stated::of_bits(stamp.stated),
            });
        }
        row.turns = self.turns;
        row.fields = self.fields;
        row.sets = self.sets.restored(&live)?;
        row.live = live;
        let place = match (self.goes, row.class()) {
            (Goes::Ageing, _) => None,
            (Goes::Silent, Class::Closed) => Some(Place::Silent),
            (Goes::Spared, class) if class.is_live() => Some(Place::Spared(class)),
            _ => return None,
        };
        Some((row, device, place))
    }
}
