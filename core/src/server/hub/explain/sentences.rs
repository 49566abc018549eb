//! Sentences about events of a row, durations, and texts of clients cut to a readable length.

use alloc::format;
use alloc::string::String;

use super::super::LeaveCause;
use super::sessions::Session;
use crate::findings::quoted;
use crate::model::addresses_in_text::cut_before_address;
use crate::model::key::RowKey;
use crate::roster::history::{Refusal, RowEvent, RowEventKind, RowRemoval};
use crate::server::AddressMask;

/// The sentence about a connect.
pub(super) fn join_text(session: &Session<'_>) -> String {
    let from = session
        .ip
        .map_or_else(String::new, |ip| format!(" from {}", cut(ip)));
    format!(
        "The {} connected{from} as {}.",
        session.words(),
        session.role.as_str()
    )
}

/// The sentence about the end of a connection.
pub(super) fn leave_text(session: &Session<'_>, left_ms: u64, cause: LeaveCause) -> String {
    let after = span(left_ms.saturating_sub(session.trace.joined_ms));
    format!(
        "The {} left after {after}: {}.",
        session.words(),
        cause_words(cause)
    )
}

/// The kind of an event, and a sentence. With `mask`, a former key is a pseudonym: the row no longer shows what it was
/// made of.
pub(super) fn row_event(event: &RowEvent, mask: Option<&AddressMask>) -> (&'static str, String) {
    let was = || {
        let was = event.was.as_ref().map(RowKey::to_wire).unwrap_or_default();
        quoted(&mask.map_or_else(|| was.clone(), |mask| mask.pseudonym(&was)))
    };
    match event.what {
        RowEventKind::Gone(RowRemoval::Expired) => {
            ("expired", "The row was older than the TTL and went.".into())
        }
        RowEventKind::Gone(RowRemoval::Evicted { was_live: true }) => (
            "evicted",
            "The row went although its client is connected, because the list was full.".into(),
        ),
        RowEventKind::Gone(RowRemoval::Evicted { was_live: false }) => {
            ("evicted", "The row went, because the list was full.".into())
        }
        RowEventKind::Gone(RowRemoval::OverQuota) => (
            "evicted",
            "The row went, because its reporter had too many rows about others.".into(),
        ),
        RowEventKind::Gone(RowRemoval::Replaced) => (
            "replaced",
            "The row went: the same device connected again under another id.".into(),
        ),
        RowEventKind::Renamed => (
            "renamed",
            format!(
                "A write with an instanceId took the row over; its key was {}.",
                was()
            ),
        ),
        RowEventKind::MovedApart => (
            "moved",
            "The connection left the row of its id, because a device key came to own that.".into(),
        ),
        RowEventKind::Apart => (
            "moved",
            "The connection got a row of its own, because another device owns the row of its id.".into(),
        ),
        RowEventKind::Refused(why) => ("refused", refusal(why).into()),
    }
}

fn refusal(why: Refusal) -> &'static str {
    match why {
        Refusal::Owned => {
            "A beacon of its connection was refused: it was about a row that another device owns."
        }
        Refusal::Scope => {
            "A beacon of its connection was refused: it was about another row, without operator.write."
        }
        Refusal::SelfInstance => {
            "A beacon of its connection was refused: it had the gateway's own instanceId."
        }
        Refusal::Full => "A beacon of its connection was refused: the list was full of connected clients.",
        Refusal::TooLarge => {
            "A beacon of its connection was refused: its row or the list would have been too long."
        }
    }
}

fn cause_words(cause: LeaveCause) -> &'static str {
    match cause {
        LeaveCause::PeerClosed => "the client or the network closed the connection",
        LeaveCause::Silent => "the gateway closed it for silence",
        LeaveCause::WeClosed => "the gateway closed it",
    }
}

/// A client's text, cut to a readable length, but not inside an address: a part of an address would not be hidden.
pub(super) fn cut(text: &str) -> &str {
    let cut = crate::model::text::prefix_units(text, 64);
    text.get(..cut_before_address(text, cut.len())).unwrap_or(cut)
}

/// Formats a duration.
pub(super) fn span(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..120_000 => format!("{} s", ms / 1_000),
        120_000..7_200_000 => format!("{} min", ms / 60_000),
        7_200_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} days", ms / 86_400_000),
    }
}
