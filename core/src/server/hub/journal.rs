//! The memory of connections for explanations and findings: live ones have a [`Trace`], and the last ended ones are
//! kept, bounded by number and bytes.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::mem::size_of;

use super::LeaveCause;
use super::member::Member;
use super::trace::Trace;
use crate::model::addresses_in_text::hide_addresses;
use crate::model::key::RowKey;
use crate::model::{ClientInfo, Role};

/// Most ended connections that are remembered.
pub(super) const MAX_ENDED: usize = 1_024;
/// Most handshakes that were refused for a clock.
pub(super) const MAX_REFUSED: usize = 64;
/// Most bytes that ended connections take together.
pub(super) const MAX_ENDED_BYTES: usize = 1_024 * 1_024;
/// A connection that ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) serial: u64,
    pub(super) conn_id: Box<str>,
    pub(super) client: Arc<ClientInfo>,
    pub(super) role: Role,
    pub(super) ip: Option<Box<str>>,
    pub(super) device_id: Option<Box<str>>,
    /// The key of its row, or of the row that it would have had.
    pub(super) key: RowKey,
    pub(super) is_tracked: bool,
    pub(super) skew_ms: Option<i64>,
    pub(super) trace: Trace,
    /// Calls in a row, up to its end, that its role is refused.
    pub(super) refused_calls: u32,
    /// On the age clock.
    pub(super) left_ms: u64,
    pub(super) cause: LeaveCause,
}

impl Ended {
    pub(super) fn new(member: &mut Member, key: Option<RowKey>, cause: LeaveCause, left_ms: u64) -> Self {
        let handshake = &mut member.handshake;
        Self {
            serial: member.serial,
            conn_id: core::mem::take(&mut handshake.conn_id),
            client: Arc::clone(&handshake.client),
            role: handshake.role,
            ip: handshake.remote_ip.take(),
            device_id: handshake.device_id.take(),
            key: key.unwrap_or_else(|| member.key.clone()),
            is_tracked: member.is_tracked,
            skew_ms: handshake.clock_skew_ms,
            trace: member.trace,
            refused_calls: member.refused_calls,
            left_ms,
            cause,
        }
    }

    /// Its size in bytes. Shared parts count in full.
    fn bytes(&self) -> usize {
        let own = [Some(&self.conn_id), self.ip.as_ref(), self.device_id.as_ref()];
        let own = own.into_iter().flatten().map(|text| &**text);
        let texts: usize = self.client.texts().chain(own).map(str::len).sum();
        size_of::<Self>() + size_of::<ClientInfo>() + texts + crate::roster::history::bytes(&self.key)
    }
}

/// A handshake that was refused for the client's clock.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "recording",
    derive(PartialEq, serde::Serialize, serde::Deserialize)
)]
#[cfg_attr(feature = "recording", serde(rename_all = "camelCase"))]
pub(crate) struct RefusedClock {
    /// On the age clock.
    #[cfg_attr(feature = "recording", serde(rename = "at"))]
    pub(super) at_ms: u64,
    /// `client.id`, cut.
    pub(super) client_id: Box<str>,
    /// How far the clock is ahead, in ms.
    pub(super) skew_ms: i64,
}

impl RefusedClock {
    /// Hides addresses in its texts.
    pub(super) fn hide_addresses(&mut self) {
        self.client_id = hide_addresses(&self.client_id).into();
    }
}

/// The connections that ended last, and the last handshakes that were refused for a clock, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    ended: VecDeque<Ended>,
    bytes: usize,
    /// The number of ended connections so far.
    noted: u64,
    refused_clocks: VecDeque<RefusedClock>,
}

impl Journal {
    pub(super) fn note(&mut self, ended: Ended) {
        self.bytes += ended.bytes();
        self.noted += 1;
        self.ended.push_back(ended);
        while (self.ended.len() > MAX_ENDED || self.bytes > MAX_ENDED_BYTES)
            && let Some(oldest) = self.ended.pop_front()
        {
            self.bytes -= oldest.bytes();
        }
    }

    pub(super) fn note_refused(&mut self, refused: RefusedClock) {
        if self.refused_clocks.len() >= MAX_REFUSED {
            self.refused_clocks.pop_front();
        }
        self.refused_clocks.push_back(refused);
    }

    pub(super) fn refused_clocks(&self) -> impl Iterator<Item = &RefusedClock> {
        self.refused_clocks.iter()
    }

    /// The number of ended connections so far.
    #[cfg(feature = "recording")]
    pub(super) fn noted(&self) -> u64 {
        self.noted
    }

    pub(super) fn ended(&self) -> impl DoubleEndedIterator<Item = &Ended> {
        self.ended.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ended_connections_are_bounded_by_number_and_bytes() {
        let ended = |name: &str| Ended {
            serial: 1,
            conn_id: "c".into(),
            client: Arc::new(ClientInfo {
                display_name: Some(name.into()),
                ..ClientInfo::default()
            }),
            role: Role::Operator,
            ip: None,
            device_id: None,
            key: RowKey::Connection("c".into()),
            is_tracked: true,
            skew_ms: None,
            trace: Trace::default(),
            refused_calls: 0,
            left_ms: 0,
            cause: LeaveCause::PeerClosed,
        };
        let mut journal = Journal::default();
        for _ in 0..3_000 {
            journal.note(ended("short"));
        }
        assert_eq!(journal.ended().count(), MAX_ENDED);
        for _ in 0..3_000 {
            journal.note(ended(&"x".repeat(10_000)));
        }
        assert!(journal.ended().count() < MAX_ENDED / 8);
        assert!(journal.bytes <= MAX_ENDED_BYTES);
    }

    #[test]
    fn refused_clocks_are_bounded_and_the_latest_stay() {
        let mut journal = Journal::default();
        for at_ms in 0..2 * MAX_REFUSED as u64 {
            journal.note_refused(RefusedClock {
                at_ms,
                client_id: "c".into(),
                skew_ms: 1,
            });
        }
        assert_eq!(journal.refused_clocks().count(), MAX_REFUSED);
        assert_eq!(journal.refused_clocks().next().unwrap().at_ms, MAX_REFUSED as u64);
    }
}
