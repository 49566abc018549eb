//! The rows of one user: they share the start of the stay and the last input (SPEC 1.4, "Users").
//!
//! What a row adds to it is kept in order, so that a write costs O(log n) of the user's rows. The rows
//! themselves learn of a change when they are next encoded.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};

use super::row::Row;

/// What all rows of a user show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shared {
    /// The earliest start of a stay among them, on the age clock.
    pub(super) online_since_ms: Option<u64>,
    /// The latest input among them, on the age clock.
    pub(super) last_input_at: Option<i64>,
    /// Another number after every change; never 0, and never used for two users.
    pub(super) revision: u64,
}

/// What one row adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    user: Box<str>,
    online_since_ms: Option<u64>,
    last_input_at: Option<i64>,
}

impl Part {
    fn of(row: &Row) -> Option<Box<Self>> {
        let user = row.fields.user_id.clone()?;
        Some(Box::new(Self {
            user,
            online_since_ms: row.online_since_ms(),
            last_input_at: row.last_input_at,
        }))
    }
}

#[derive(Debug, Default)]
struct Person {
    shared: Shared,
    rows: BTreeSet<u32>,
    stays: BTreeSet<(u64, u32)>,
    inputs: BTreeSet<(i64, u32)>,
}

/// What other rows of a user show differently now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Siblings {
    pub(super) has_new_stay: bool,
    pub(super) has_new_input: bool,
    /// There are none: the user's last row went.
    pub(super) are_gone: bool,
}

/// All users that rows have.
#[derive(Debug, Default)]
pub(super) struct People {
    by_id: BTreeMap<Box<str>, Person>,
    revisions: u64,
}

impl People {
    /// What the rows of the row's user share; `None` if it has no user.
    pub(super) fn shared(&self, row: &Row) -> Option<Shared> {
        if self.by_id.is_empty() {
            return None;
        }
        let part = row.part.as_ref()?;
        Some(self.by_id.get(&part.user)?.shared)
    }

    /// The slots of the user's rows.
    pub(super) fn rows(&self, user: &str) -> impl Iterator<Item = u32> {
        self.by_id
            .get(user)
            .into_iter()
            .flat_map(|person| person.rows.iter().copied())
    }

    /// Takes in what the row adds now, or that it is gone. Calls `tell` for each user whose other rows show
    /// something else, or whose last row went.
    pub(super) fn update(
        &mut self,
        slot: u32,
        row: &mut Row,
        is_gone: bool,
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
                self.change(&new.user, slot, Some(old), Some(new), &mut tell);
            }
            _ => {
                if let Some(old) = &old {
                    self.change(&old.user, slot, Some(old), None, &mut tell);
                }
                if let Some(new) = &new {
                    self.change(&new.user, slot, None, Some(new), &mut tell);
                }
            }
        }
    }

    fn change(
        &mut self,
        user: &str,
        slot: u32,
        old: Option<&Part>,
        new: Option<&Part>,
        tell: &mut impl FnMut(&str, Siblings),
    ) {
        if !self.by_id.contains_key(user) {
            self.by_id.insert(user.into(), Person::default());
        }
        let Some(person) = self.by_id.get_mut(user) else {
            return;
        };
        if let Some(old) = old {
            person.rows.remove(&slot);
            old.online_since_ms.map(|ms| person.stays.remove(&(ms, slot)));
            old.last_input_at.map(|at| person.inputs.remove(&(at, slot)));
        }
        let others = person.rows.len();
        if let Some(new) = new {
            person.rows.insert(slot);
            person.stays.extend(new.online_since_ms.map(|ms| (ms, slot)));
            person.inputs.extend(new.last_input_at.map(|at| (at, slot)));
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
        if is_changed || before.revision == 0 {
            self.revisions += 1;
            person.shared.revision = self.revisions;
        }
        if siblings.are_gone {
            self.by_id.remove(user);
            tell(user, siblings);
        } else if others > 0 && is_changed {
            tell(user, siblings);
        }
    }
}
