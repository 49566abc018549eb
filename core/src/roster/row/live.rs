//! The live connections of a row.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::writers::Said;
use crate::model::Role;

/// A live connection of a row, in connect order.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// The connection's serial.
    pub(crate) conn: u64,
    /// The caller's number for the connection.
    pub(crate) seat: u32,
    /// The connection's id on the wire.
    pub(crate) conn_id: Box<str>,
    pub(crate) role: Role,
    pub(crate) scopes: Arc<[Box<str>]>,
    pub(crate) said: Said,
}

/// What taking a connection off a row did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detached {
    /// Nothing that can be seen.
    Nothing,
    /// A member of the row changed.
    Visibly,
    /// It was the last one.
    Last,
}
