//! The rows of one user: they share the start of the stay and the last input (SPEC 1.4, "Users").
//!
//! The contributions of rows are sorted, so that a write costs O(log n) of the user's rows. The rows
//! themselves are updated when they are next encoded.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

use super::RowId;
use crate::roster::row::{Part, Row, Shared};

#[derive(Clone, Debug, Default)]
struct Person {
    shared: Shared,
    rows: BTreeSet<RowId>,
    stays: BTreeSet<(u64, RowId)>,
    inputs: BTreeSet<(i64, RowId)>,
}

/// Changes of a user's other rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Siblings {
    pub(crate) has_new_stay: bool,
    pub(crate) has_new_input: bool,
    /// There are no other rows: the user's last row was removed.
    pub(crate) are_gone: bool,
}

/// All users that rows have.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    by_id: BTreeMap<Box<str>, Person>,
}

impl People {
    /// The data that the rows of the row's user share; `None` if it has no user.
    pub(crate) fn shared(&self, row: &Row) -> Option<Shared> {
        if self.by_id.is_empty() {
            return None;
        }
        let part = row.part.as_ref()?;
        Some(self.by_id.get(&part.user)?.shared)
    }

    /// The user's rows.
    pub(crate) fn rows(&self, user: &str) -> impl Iterator<Item = RowId> {
        self.by_id
            .get(user)
            .into_iter()
            .flat_map(|person| person.rows.iter().copied())
    }

    /// Updates the contribution of a row, or removes it; `revision` is the roster's with that change. Calls
    /// `tell` for each user whose other rows changed, or whose last row was removed.
    pub(crate) fn update(
        &mut self,
        id: RowId,
        row: &mut Row,
        is_gone: bool,
        revision: u64,
        mut tell: impl FnMut(&str, Siblings),
    ) {
        if row.part.is_none() && row.fields.user_id.is_none() {
            return;
        }
        let new = if is_gone { None } else { Part::of(row) };
        if row.part == new {
            return;
        }
        let old = core::mem::replace(&mut row.part, new.clone());
        match (&old, &new) {
            (Some(old), Some(new)) if old.user == new.user => {
                self.change(&new.user, id, Some(old), Some(new), revision, &mut tell);
            }
            _ => {
                if let Some(old) = &old {
                    self.change(&old.user, id, Some(old), None, revision, &mut tell);
                }
                if let Some(new) = &new {
                    self.change(&new.user, id, None, Some(new), revision, &mut tell);
                }
            }
        }
    }

    fn change(
        &mut self,
        user: &str,
        id: RowId,
        old: Option<&Part>,
        new: Option<&Part>,
        revision: u64,
        tell: &mut impl FnMut(&str, Siblings),
    ) {
        if !self.by_id.contains_key(user) {
            self.by_id.insert(user.into(), Person::default());
        }
        let Some(person) = self.by_id.get_mut(user) else {
            return;
        };
        if let Some(old) = old {
            person.rows.remove(&id);
            old.online_since_ms.map(|ms| person.stays.remove(&(ms, id)));
            old.last_input_at.map(|at| person.inputs.remove(&(at, id)));
        }
        let others = person.rows.len();
        if let Some(new) = new {
            person.rows.insert(id);
            person.stays.extend(new.online_since_ms.map(|ms| (ms, id)));
            person.inputs.extend(new.last_input_at.map(|at| (at, id)));
        }
        let before = person.shared;
        person.shared.online_since_ms = person.stays.first().map(|&(ms, _)| ms);
        person.shared.last_input_at = person.inputs.last().map(|&(at, _)| at);
        let siblings = Siblings {
            has_new_stay: person.shared.online_since_ms != before.online_since_ms,
            has_new_input: person.shared.last_input_at != before.last_input_at,
            are_gone: person.rows.is_empty(),
        };
        let is_changed = siblings.has_new_stay || siblings.has_new_input;
        if is_changed {
            person.shared.revision = revision;
        }
        if siblings.are_gone {
            self.by_id.remove(user);
            tell(user, siblings);
        } else if others > 0 && is_changed {
            tell(user, siblings);
        }
    }
}
