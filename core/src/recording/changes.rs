//! What changed in a replay, and why.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::{Input, Replay};
use crate::model::time::Now;
use crate::server::ConnId;
use crate::server::hub::{Cause, Seen};

/// Most changes that are kept: the newest.
pub const MAX_CHANGES: usize = 10_000;

/// Something that happened to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When it happened.
    pub now: Now,
    /// The key of the row on the wire.
    pub key: Box<str>,
    /// One of the words of `events` in PROTOCOL.md 6.1, or `added` or `changed`.
    pub what: &'static str,
    /// What happened and why, in a sentence.
    pub text: Box<str>,
}

/// What changed since changes are noted.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    seen: Seen,
    changes: VecDeque<Change>,
    /// Older changes that were given up for newer ones.
    left_out: u64,
}

impl Replay {
    /// Notes from now on what changes.
    pub fn note_changes(&mut self) {
        self.watch = Some(Box::new(Watch {
            seen: self.hub.seen(self.now),
            changes: VecDeque::new(),
            left_out: 0,
        }));
    }

    /// Takes what changed, oldest first, and the number of those left out before: at most [`MAX_CHANGES`] are kept.
    pub fn take_changes(&mut self) -> (Vec<Change>, u64) {
        match &mut self.watch {
            Some(watch) => (
                core::mem::take(&mut watch.changes).into(),
                core::mem::take(&mut watch.left_out),
            ),
            None => (Vec::new(), 0),
        }
    }

    /// Looks for changes by this input; `conn` is its connection, and `None` is the passage of time.
    pub(super) fn look(&mut self, input: Option<&Input>, conn: Option<ConnId>) {
        let Some(watch) = &mut self.watch else { return };
        let cause = match (input, conn) {
            (Some(Input::Join(..)), Some(conn)) => Cause::Join(conn),
            (Some(Input::Call(_, method, _)), Some(conn)) => Cause::Call(conn, method),
            _ => Cause::Other,
        };
        for happened in self.hub.happened(&mut watch.seen, cause, self.now) {
            if watch.changes.len() >= MAX_CHANGES {
                watch.changes.pop_front();
                watch.left_out += 1;
            }
            watch.changes.push_back(Change {
                now: self.now,
                key: happened.key.into(),
                what: happened.what,
                text: happened.text.into(),
            });
        }
    }
}
