//! The live connections of a row.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::writers::Said;
use crate::model::Role;

/// A live connection of a row, in connect order.
#[derive(Clone, Debug)]
pub(in crate::roster) struct Live {
    /// The connection's serial.
    pub(in crate::roster) conn: u64,
    /// The caller's number for the connection.
    pub(in crate::roster) seat: u32,
    /// The connection's id on the wire.
    pub(in crate::roster) conn_id: Box<str>,
    pub(in crate::roster) role: Role,
    pub(in crate::roster) scopes: Arc<[Box<str>]>,
    pub(in crate::roster) said: Said,
}

/// What taking a connection off a row did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::roster) enum Detached {
    /// Nothing that can be seen.
    Nothing,
    /// A member of the row changed.
    Visibly,
    /// It was the last one.
    Last,
}
