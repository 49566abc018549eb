//! Data that the rows of a user share (SPEC 1.4, "Users").

use alloc::boxed::Box;

use super::Row;

/// The times that all rows of a user show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    /// The earliest start of a stay among them, on the age clock.
    pub(crate) online_since_ms: Option<u64>,
    /// The latest input among them, on the age clock.
    pub(crate) last_input_at: Option<i64>,
    /// The revision of the roster at the last change.
    pub(crate) revision: u64,
}

/// The contribution of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) user: Box<str>,
    pub(crate) online_since_ms: Option<u64>,
    pub(crate) last_input_at: Option<i64>,
}

impl Part {
    /// The current contribution of the row; `None` if it has no user.
    pub(crate) fn of(row: &Row) -> Option<Box<Self>> {
        let user = row.fields.user_id.clone()?;
        Some(Box::new(Self {
            user,
            online_since_ms: row.online_since_ms(),
            last_input_at: row.last_input_at,
        }))
    }
}
