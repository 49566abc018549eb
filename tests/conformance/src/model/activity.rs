//! Users and their last input in the model (SPEC 1.4, "Users" and "Changes of activity alone").

use std::collections::BTreeSet;

use presence_core::Now;
use presence_core::model::entry::MAX_SAFE_INTEGER;

use super::Model;
use super::row::{ModelRow, Text};

/// Last inputs that were not broadcast yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Untold {
    rows: BTreeSet<u64>,
    users: BTreeSet<Text>,
    told_at: Option<u64>,
}

impl Model {
    /// A node reported the last input of its row's user. Returns whether there was one; `None` if the row is
    /// gone.
    pub fn report_input(&mut self, id: u64, conn: u64, idle_seconds: Option<u64>, now: Now) -> Option<bool> {
        self.settle(now);
        let at = self.row_by_id(id)?;
        let before = self.rows[at].input_at;
        self.step(Some(id), |model| {
            let row = &mut model.rows[at];
            row.input_at = idle_seconds.map(|seconds| i128::from(now.age_ms) - i128::from(seconds) * 1_000);
            row.input_by = idle_seconds.map(|_| conn);
            model.mark_written(at, now);
            model.mark_alive(at, now);
        });
        if self.rows[at].input_at != before {
            self.untold.rows.insert(id);
        }
        self.publish(now);
        Some(before.is_some())
    }

    /// The last input that this connection reported of the row is over: another one of its node reports now.
    pub fn withdraw_input(&mut self, id: u64, conn: u64, now: Now) {
        self.settle(now);
        let Some(at) = self.row_by_id(id) else { return };
        if self.rows[at].input_by != Some(conn) {
            return;
        }
        self.step(Some(id), |model| {
            model.rows[at].input_at = None;
            model.rows[at].input_by = None;
        });
        self.untold.rows.insert(id);
        self.publish(now);
    }

    /// The rows that share with this one: those of its user, or itself.
    fn sharing<'m>(&'m self, row: &'m ModelRow) -> impl Iterator<Item = &'m ModelRow> {
        self.rows.iter().filter(move |other| {
            let is_sibling = row.fields.user_id.is_some() && other.fields.user_id == row.fields.user_id;
            is_sibling || other.id == row.id
        })
    }

    pub(super) fn shown_input(&self, row: &ModelRow) -> Option<i128> {
        self.sharing(row).filter_map(|row| row.input_at).max()
    }

    pub(super) fn shown_stay(&self, row: &ModelRow) -> Option<u64> {
        let stays = self.sharing(row).filter(|row| !row.live.is_empty());
        stays.map(|row| row.stay_began).min()
    }

    pub(super) fn ts_of(&self, moment: i128) -> u64 {
        let wall = (self.shown_wall(0) + moment).clamp(0, i128::from(MAX_SAFE_INTEGER));
        u64::try_from(wall).unwrap_or(0)
    }

    /// Applies `change`, which writes the row `written` or removes a row. Marks the users of all other rows whose last
    /// input it changed, for the next broadcast.
    pub(super) fn step<T>(&mut self, written: Option<u64>, change: impl FnOnce(&mut Self) -> T) -> T {
        let inputs = |model: &Self| -> Vec<(u64, Option<i128>)> {
            let rows = model.rows.iter();
            rows.map(|row| (row.id, model.shown_input(row))).collect()
        };
        let before = inputs(self);
        let result = change(self);
        let after = inputs(self);
        for row in self.rows.iter().filter(|row| Some(row.id) != written) {
            let of = |list: &[(u64, Option<i128>)]| list.iter().find(|(id, _)| *id == row.id).copied();
            if let (Some(old), Some(new), Some(user)) = (of(&before), of(&after), &row.fields.user_id)
                && old != new
            {
                self.untold.users.insert(user.clone());
            }
        }
        let rows = &self.rows;
        self.untold.rows.retain(|id| rows.iter().any(|row| row.id == *id));
        self.untold
            .users
            .retain(|user| rows.iter().any(|row| row.fields.user_id.as_ref() == Some(user)));
        result
    }

    /// Broadcasts pending last inputs, every 30 s at most.
    pub(super) fn publish(&mut self, now: Now) {
        let may = self.untold.told_at.is_none_or(|at| now.age_ms - at >= 30_000);
        let has_news = !self.untold.rows.is_empty() || !self.untold.users.is_empty();
        if may && has_news {
            self.untold = Untold {
                told_at: Some(now.age_ms),
                ..Untold::default()
            };
            self.version += 1;
        }
    }
}
