//! The live connections of a row.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::stamps::{Origin, Stamp, Stated};
use super::writers::{Fields, Said};
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
    /// When it wrote the row, on the age clock.
    pub(crate) written_ms: u64,
}

impl Live {
    /// What stays known of it after its close; `fields` are those that it wrote last.
    pub(crate) fn stamp(&self, fields: Fields) -> Stamp {
        let has_instance = self.said.client().instance_id.is_some();
        let stated = Stated::from(fields)
            .with(Stated::INSTANCE_ID, has_instance)
            .with(Stated::ROLES, true)
            .with(Stated::SCOPES, true);
        Stamp {
            conn: self.conn,
            at_ms: self.written_ms,
            origin: Origin::Handshake,
            stated,
        }
    }
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
