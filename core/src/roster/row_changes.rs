//! Takes the changes of rows for a history and for webhooks: see [`RowChanges`].

use alloc::vec::Vec;

use super::change_log::{FOLLOWERS, Follower, RowChanges, RowEvent, RowState, Stay, StayEnd};
use super::row::Row;
use super::{Roster, RowId};
use crate::model::key::RowKey;
use crate::model::status::has_left;
use crate::model::time::Now;

impl Roster {
    /// Starts keeping changes for [`take_row_changes`](Self::take_row_changes).
    pub(crate) fn start_following(&mut self, follower: Follower) {
        self.log.followers.start(follower);
    }

    /// Whether changes are kept.
    #[cfg(feature = "history")]
    pub(crate) fn is_following(&self, follower: Follower) -> bool {
        self.log.followers.of(follower).is_some()
    }

    /// Whether [`take_row_changes`](Self::take_row_changes) would return any changes.
    pub(crate) fn has_row_changes(&self, follower: Follower) -> bool {
        let changes = self.log.followers.of(follower);
        changes.is_some_and(|changes| !changes.is_empty())
    }

    /// The changes since this follower's last call. The first call returns all rows.
    pub(crate) fn take_row_changes(&mut self, follower: Follower, now: Now) -> RowChanges {
        let Some(changes) = self.log.followers.of_mut(follower) else {
            return RowChanges::default();
        };
        let (mut changes, changed) = changes.take();
        let ids: Vec<RowId> = if changes.is_whole {
            changes.rows.push(self.own_state(now));
            self.store.ids().collect()
        } else {
            changed.into_iter().collect()
        };
        let states = ids.into_iter().map(|id| self.state(id));
        changes.rows.extend(states);
        changes
    }

    fn own_state(&mut self, now: Now) -> RowState {
        let (began_ms, clock) = (self.began_ms, self.clock);
        RowState {
            key: RowKey::SelfRow.to_wire(),
            entry: self.encode_self(now).get().into(),
            stay: Some(Stay {
                id: began_ms,
                since_ms: clock.wall_ms(began_ms),
            }),
            has_left: false,
            seen_ms: clock.wall_ms(now.age_ms),
        }
    }

    fn state(&mut self, id: RowId) -> RowState {
        let entry = self.row_text(id).into();
        let row = &self.store[id];
        RowState {
            key: row.key.to_wire(),
            entry,
            stay: self.stay(row),
            has_left: row.live.is_empty() && has_left([row.fields.reason.as_deref()]),
            seen_ms: self.clock.wall_ms(row.proof_ms),
        }
    }

    fn stay(&self, row: &Row) -> Option<Stay> {
        row.online_since_ms().map(|since_ms| self.stay_of(since_ms))
    }

    fn stay_of(&self, since_ms: u64) -> Stay {
        Stay {
            id: since_ms,
            since_ms: self.clock.wall_ms(since_ms),
        }
    }

    /// Notes the close of the row's last connection; `proof` as in [`disconnect`](Self::disconnect).
    pub(super) fn note_close(&mut self, id: RowId, proof: bool) {
        self.note_end(id, if proof { StayEnd::Closed } else { StayEnd::Silent });
    }

    /// Notes that a device takes the row over: its connections are about to leave it.
    pub(super) fn note_takeover(&mut self, id: RowId) {
        if !self.store[id].live.is_empty() {
            self.note_end(id, StayEnd::Replaced);
        }
    }

    /// Notes the end of the stay of a row that remains.
    fn note_end(&mut self, id: RowId, why: StayEnd) {
        if !self.log.followers.are_kept() {
            return;
        }
        let row = &self.store[id];
        let event = RowEvent::Ended {
            key: row.key.to_wire(),
            stay: Some(self.stay_of(row.last_online_since_ms())),
            seen_ms: self.clock.wall_ms(row.proof_ms),
            at_ms: self.clock.wall_ms(self.settled_ms),
            why,
            entry: None,
        };
        self.log.followers.note(&event);
    }

    /// Notes a row that is about to be removed.
    pub(super) fn note_removal(&mut self, id: RowId, why: StayEnd) {
        for follower in FOLLOWERS {
            let changes = self.log.followers.of_mut(follower);
            let Some(was_changed) = changes.map(|changes| changes.remove(id)) else {
                continue;
            };
            let entry = was_changed.then(|| self.row_text(id).into());
            let row = &self.store[id];
            let event = RowEvent::Ended {
                key: row.key.to_wire(),
                stay: self.stay(row),
                seen_ms: self.clock.wall_ms(row.proof_ms),
                at_ms: self.clock.wall_ms(self.settled_ms),
                why,
                entry,
            };
            if let Some(changes) = self.log.followers.of_mut(follower) {
                changes.note(event);
            }
        }
    }

    /// Notes another key of a row.
    pub(super) fn note_rename(&mut self, from: &RowKey, to: &RowKey) {
        if self.log.followers.are_kept() {
            self.log.followers.note(&RowEvent::Renamed {
                from: from.to_wire(),
                to: to.to_wire(),
            });
        }
    }
}
