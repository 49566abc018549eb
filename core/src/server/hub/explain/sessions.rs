//! The connections that the hub remembers, live or ended, in the order of their joins.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::journal::Ended;
use super::super::member::Member;
use super::super::trace::Trace;
use super::super::{Hub, LeaveCause};
use crate::findings::quoted;
use crate::model::key::RowKey;
use crate::model::{ClientInfo, Role};
use crate::roster::RowId;
use crate::server::AddressMask;

/// Most live connections that are examined.
const MAX_LIVE: usize = 4_096;

/// One connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session<'a> {
    pub(super) serial: u64,
    pub(super) conn_id: &'a str,
    pub(super) client: &'a ClientInfo,
    pub(super) role: Role,
    pub(super) ip: Option<&'a str>,
    /// Distinguishes clients without a name or an id: its address or, where addresses are hidden, its connection id.
    pub(super) place: Option<&'a str>,
    /// The verified device id.
    pub(super) device_id: Option<&'a str>,
    /// The key of its row, or of the row that it would have.
    pub(super) key: &'a RowKey,
    /// Its row, if that is listed.
    pub(super) row: Option<RowId>,
    /// Whether its mode makes a row.
    pub(super) is_tracked: bool,
    /// How far the clock of its proof is ahead, in ms.
    pub(super) skew_ms: Option<i64>,
    pub(super) trace: Trace,
    /// Calls in a row, up to its end, that its role is refused.
    pub(super) refused_calls: u32,
    /// Its last proof of life (join, pong or close), on the age clock.
    pub(super) alive_ms: u64,
    /// When and why it ended.
    pub(super) left: Option<(u64, LeaveCause)>,
}

/// The texts of a session without addresses.
#[derive(Debug)]
pub(super) struct MaskedTexts {
    client: ClientInfo,
    device_id: Option<String>,
}

impl MaskedTexts {
    pub(super) fn of(session: &Session<'_>, mask: &AddressMask) -> Self {
        Self {
            client: mask.client(session.client),
            device_id: session.device_id.map(|id| mask.key(id)),
        }
    }
}

impl<'a> Session<'a> {
    /// `silence_ms` is how long a connection is silent before it is closed for that.
    pub(super) fn of_ended(ended: &'a Ended, silence_ms: u64) -> Self {
        let alive_ms = match ended.cause {
            LeaveCause::Silent => ended.left_ms.saturating_sub(silence_ms),
            LeaveCause::PeerClosed | LeaveCause::WeClosed => ended.left_ms,
        };
        Self {
            serial: ended.serial,
            conn_id: &ended.conn_id,
            client: &ended.client,
            role: ended.role,
            ip: ended.ip.as_deref(),
            place: ended.ip.as_deref(),
            device_id: ended.device_id.as_deref(),
            key: &ended.key,
            row: None,
            is_tracked: ended.is_tracked,
            skew_ms: ended.skew_ms,
            trace: ended.trace,
            refused_calls: ended.refused_calls,
            alive_ms: alive_ms.max(ended.trace.joined_ms),
            left: Some((ended.left_ms, ended.cause)),
        }
    }

    /// The session with these texts, without its address.
    pub(super) fn with<'b>(&self, texts: &'b MaskedTexts) -> Session<'b>
    where
        'a: 'b,
    {
        Session {
            ip: None,
            place: Some(self.conn_id),
            client: &texts.client,
            device_id: texts.device_id.as_deref(),
            ..*self
        }
    }

    /// The client's display name, else its program.
    pub(super) fn name(&self) -> &'a str {
        self.client.display_name.as_deref().unwrap_or(&self.client.id)
    }

    /// A short description of bounded length.
    pub(super) fn words(&self) -> String {
        let client = self.client;
        let program = quoted(&client.id);
        match client.display_name.as_deref() {
            Some(name) => format!("client {program} of {}", quoted(name)),
            None => format!("client {program}"),
        }
    }
}

impl Hub {
    /// The connections that are remembered, in the order of their joins.
    pub(super) fn sessions(&self) -> Vec<Session<'_>> {
        let silence_ms = self.ping_interval_ms() * 2;
        let ended = self.journal.ended();
        let mut sessions: Vec<Session<'_>> =
            ended.map(|ended| Session::of_ended(ended, silence_ms)).collect();
        let live = self.members.iter().take(MAX_LIVE);
        sessions.extend(live.map(|(_, member)| self.live_session(member)));
        sessions.sort_unstable_by_key(|session| session.serial);
        sessions
    }

    /// The texts of all [`sessions`](Self::sessions) without addresses, in their order, if these are to be hidden.
    pub(super) fn masked_texts(&self, hides: bool) -> Option<Vec<MaskedTexts>> {
        let masked = |session: &Session<'_>| MaskedTexts::of(session, self.hidden.mask());
        hides.then(|| self.sessions().iter().map(masked).collect())
    }

    /// The sessions, with these texts if there are any.
    pub(super) fn sessions_with<'a>(&'a self, texts: Option<&'a [MaskedTexts]>) -> Vec<Session<'a>> {
        let sessions = self.sessions();
        match texts {
            None => sessions,
            Some(texts) => {
                let pairs = sessions.iter().zip(texts);
                pairs.map(|(session, texts)| session.with(texts)).collect()
            }
        }
    }

    pub(super) fn live_session<'a>(&'a self, member: &'a Member) -> Session<'a> {
        let handshake = &member.handshake;
        let interval_ms = self.ping_interval_ms();
        // A pong sets the next ping one interval ahead, and a ping the end of its window another one.
        let windows = if member.heartbeat.awaits_pong { 2 } else { 1 };
        let pong_ms = member.heartbeat.due_ms.saturating_sub(interval_ms * windows);
        let row = member.row.filter(|&row| self.roster.contains(row));
        Session {
            serial: member.serial,
            conn_id: &handshake.conn_id,
            client: &handshake.client,
            role: handshake.role,
            ip: handshake.remote_ip.as_deref(),
            place: handshake.remote_ip.as_deref(),
            device_id: handshake.device_id.as_deref(),
            key: row.and_then(|row| self.roster.key(row)).unwrap_or(&member.key),
            row,
            is_tracked: member.is_tracked,
            skew_ms: handshake.clock_skew_ms,
            trace: member.trace,
            refused_calls: member.refused_calls,
            alive_ms: pong_ms.max(member.trace.joined_ms),
            left: None,
        }
    }
}
