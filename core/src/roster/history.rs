//! Recent events of rows, for explanations: a ring that is bounded by number and bytes.

use alloc::collections::VecDeque;

use crate::model::key::RowKey;

/// Most events that are kept.
pub(crate) const MAX_ROW_EVENTS: usize = 1_024;
/// Most bytes that their keys take.
pub(crate) const MAX_KEY_BYTES: usize = 128 * 1_024;

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "recording", serde(rename_all = "camelCase"))]
pub(crate) enum RowEventKind {
    /// It was removed.
    Gone(RowRemoval),
    /// Its key is now an `instanceId`.
    Renamed,
    /// A connection left a row that now belongs to a device key; the key is that of the connection's new row.
    MovedApart,
    /// A handshake got a row without its ids, which another device owns.
    Apart,
    /// A beacon of the row's connection was refused.
    Refused(Refusal),
}

/// Why a row was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "recording",
    serde(rename_all = "camelCase", rename_all_fields = "camelCase")
)]
pub(crate) enum RowRemoval {
    /// It was older than the TTL.
    Expired,
    /// There were too many rows.
    Evicted { was_live: bool },
    /// Its reporter had too many rows about others.
    OverQuota,
    /// A later connection of the device replaced it.
    Replaced,
}

/// Why a beacon was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "recording", serde(rename_all = "camelCase"))]
pub(crate) enum Refusal {
    /// It was about a row that another device owns.
    Owned,
    /// It was about another row, which its sender may not write.
    Scope,
    /// It had the gateway's own `instanceId`.
    SelfInstance,
    /// There was no room for its row.
    Full,
    /// Its row or the list would have been too long.
    TooLarge,
}

/// An event of a row.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "recording",
    derive(PartialEq, serde::Serialize, serde::Deserialize)
)]
pub(crate) struct RowEvent {
    /// On the age clock.
    #[cfg_attr(feature = "recording", serde(rename = "at"))]
    pub(crate) at_ms: u64,
    pub(crate) key: RowKey,
    /// The key before, of [`RowEventKind::Renamed`].
    #[cfg_attr(
        feature = "recording",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub(crate) was: Option<RowKey>,
    pub(crate) what: RowEventKind,
    /// The serial of the connection whose write was the cause; 0 if none was, or it is unknown.
    pub(crate) cause: u64,
}

impl RowEvent {
    fn bytes(&self) -> usize {
        [Some(&self.key), self.was.as_ref()]
            .into_iter()
            .flatten()
            .map(bytes)
            .sum()
    }
}

/// Bytes of a key on the heap.
pub(crate) fn bytes(key: &RowKey) -> usize {
    match key {
        RowKey::SelfRow => 0,
        RowKey::Named(key) => key.as_str().len(),
        RowKey::Connection(id) => id.len(),
    }
}

/// The last events, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    events: VecDeque<RowEvent>,
    key_bytes: usize,
    /// The number of events so far.
    noted: u64,
}

impl History {
    pub(super) fn note(&mut self, event: RowEvent) {
        self.key_bytes += event.bytes();
        self.noted += 1;
        self.events.push_back(event);
        while (self.events.len() > MAX_ROW_EVENTS || self.key_bytes > MAX_KEY_BYTES)
            && let Some(oldest) = self.events.pop_front()
        {
            self.key_bytes -= oldest.bytes();
        }
    }

    /// The number of events so far.
    #[cfg(feature = "recording")]
    pub(crate) fn noted(&self) -> u64 {
        self.noted
    }

    pub(crate) fn events(&self) -> impl DoubleEndedIterator<Item = &RowEvent> {
        self.events.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at_ms: u64, key: &str) -> RowEvent {
        RowEvent {
            at_ms,
            key: RowKey::Connection(key.into()),
            was: None,
            what: RowEventKind::Gone(RowRemoval::Expired),
            cause: 0,
        }
    }

    #[test]
    fn the_history_is_bounded_by_number_and_bytes() {
        let mut history = History::default();
        for at_ms in 0..3_000 {
            history.note(event(at_ms, "key"));
        }
        assert_eq!(history.events().count(), MAX_ROW_EVENTS);
        assert_eq!(history.events().next_back().map(|event| event.at_ms), Some(2_999));
        let long = "x".repeat(3_000);
        for at_ms in 3_000..4_000 {
            history.note(event(at_ms, &long));
        }
        assert_eq!(history.events().count(), MAX_KEY_BYTES / 3_000);
        assert_eq!(history.key_bytes, MAX_KEY_BYTES / 3_000 * 3_000);
    }
}
