//! The changes in a replay, with their causes.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem::take;

use super::Input;
use crate::model::time::Now;
use crate::server::hub::{Cause, Seen};
use crate::server::{ConnId, Hub};

/// Most changes that are kept: the newest.
pub const MAX_CHANGES: usize = 10_000;

/// A change of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When it happened.
    pub now: Now,
    /// The key of the row on the wire.
    pub key: Box<str>,
    /// One of the words of `events` in PROTOCOL.md 6.1, or `added` or `changed`.
    pub what: &'static str,
    /// The change and its cause, in a sentence.
    pub text: Box<str>,
}

/// The changes since they are tracked, or since they were last taken: the newest [`MAX_CHANGES`].
#[derive(Clone, Debug)]
pub(super) struct Watch {
    seen: Seen,
    changes: VecDeque<Change>,
    /// Older changes that were dropped for newer ones.
    left_out: u64,
}

impl Watch {
    pub(super) fn new(hub: &mut Hub, now: Now) -> Self {
        Self {
            seen: hub.seen(now),
            changes: VecDeque::new(),
            left_out: 0,
        }
    }

    /// Takes the changes, oldest first, and the number of older ones that were dropped.
    pub(super) fn take(&mut self) -> (Vec<Change>, u64) {
        (take(&mut self.changes).into(), take(&mut self.left_out))
    }

    /// Looks for changes by this input; `conn` is its connection, and `None` is the passage of time.
    pub(super) fn look(&mut self, hub: &mut Hub, input: Option<&Input>, conn: Option<ConnId>, now: Now) {
        let cause = match (input, conn) {
            (Some(Input::Join(..)), Some(conn)) => Cause::Join(conn),
            (Some(Input::Call(_, method, _)), Some(conn)) => Cause::Call(conn, method),
            _ => Cause::Other,
        };
        for happened in hub.happened(&mut self.seen, cause, now) {
            if self.changes.len() >= MAX_CHANGES {
                self.changes.pop_front();
                self.left_out += 1;
            }
            self.changes.push_back(Change {
                now,
                key: happened.key.into(),
                what: happened.what,
                text: happened.text.into(),
            });
        }
    }
}
