//! The live connections of a row.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::field::Fields;
use super::handshake_fields::HandshakeFields;
use super::stamps::{Origin, Stamp, Stated};
use crate::model::Role;
use crate::model::entry::PresenceEntry;

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
    pub(crate) handshake: HandshakeFields,
    /// When it wrote the row, on the age clock.
    pub(crate) written_ms: u64,
}

impl Live {
    /// Whether the row's `instanceId` has the spelling of its handshake.
    pub(crate) fn has_instance_id_of(&self, shown: &PresenceEntry) -> bool {
        let id = &self.handshake.client().instance_id;
        id.is_some() && *id == shown.instance_id
    }

    /// Its stamp after the last close; `fields` are those that it wrote last.
    pub(crate) fn stamp(&self, fields: Fields, shown: &PresenceEntry) -> Stamp {
        self.stamped(
            Stated::from(fields)
                .with(Stated::INSTANCE_ID, self.has_instance_id_of(shown))
                .with(Stated::ROLES, true)
                .with(Stated::SCOPES, true),
        )
    }

    /// Its stamp after a close that is not the last, if no other live connection stated the id.
    pub(crate) fn stamp_of_id(&self) -> Stamp {
        self.stamped(Stated::INSTANCE_ID)
    }

    fn stamped(&self, stated: Stated) -> Stamp {
        Stamp {
            conn: self.conn,
            at_ms: self.written_ms,
            origin: Origin::Handshake,
            stated,
        }
    }
}

/// The effect of removing a connection from a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detached {
    /// No visible change.
    Nothing,
    /// A member of the row changed.
    Visibly,
    /// It was the last connection.
    Last,
}
