//! The members of a row that a handshake states.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::field::{Field, Fields};
use crate::model::entry::PresenceEntry;
use crate::model::json::MAX_ESCAPE;
use crate::model::key::PresenceKey;
use crate::model::placeholder::Kind;
use crate::model::{ClientInfo, Role};
use crate::roster::size::{self, NAMES};

/// The row's members that the handshake of a live connection states.
#[derive(Clone, Debug)]
pub(crate) struct HandshakeFields {
    pub(super) client: Arc<ClientInfo>,
    role: Role,
    ip: Option<Box<str>>,
    user: Option<Box<str>>,
    /// The fields with a value.
    pub(super) fields: Fields,
}

impl HandshakeFields {
    /// `ip` is the address to show, `user` the id of the user, if there is one.
    pub(crate) fn new(client: &Arc<ClientInfo>, role: Role, ip: Option<&str>, user: Option<&str>) -> Self {
        let mut handshake = Self {
            client: Arc::clone(client),
            role,
            ip: ip.map(Into::into),
            user: user.map(Into::into),
            fields: Fields::default(),
        };
        for field in Field::ALL {
            handshake.fields = handshake.fields.with(field, handshake.value(field).is_some());
        }
        handshake
    }

    /// The fields it states, as bits.
    #[cfg(feature = "recording")]
    pub(crate) fn fields(&self) -> u16 {
        self.fields.0
    }

    /// Drops the fields that are not among these bits.
    #[cfg(feature = "recording")]
    pub(crate) fn limited_to(mut self, bits: u16) -> Self {
        self.fields = self.fields.and(Fields(bits));
        self
    }

    /// The client.
    pub(crate) fn client(&self) -> &ClientInfo {
        &self.client
    }

    /// Whether it states the user of the connection.
    pub(crate) fn has_user(&self) -> bool {
        self.fields.has(Field::User)
    }

    /// Whether both name hosts that differ.
    pub(crate) fn has_other_host(&self, other: &Self) -> bool {
        match (self.value(Field::Host), other.value(Field::Host)) {
            (Some(host), Some(other)) => {
                host != other && PresenceKey::of_name(host) != PresenceKey::of_name(other)
            }
            _ => false,
        }
    }

    pub(super) fn value(&self, field: Field) -> Option<&str> {
        let client = &*self.client;
        match field {
            Field::Host => Kind::Host.present(client.display_name.as_deref()),
            Field::Ip => Kind::Ip.present(self.ip.as_deref()),
            Field::Version => Kind::Version.present(Some(&client.version)),
            Field::Platform => Some(&client.platform),
            Field::DeviceFamily => client.device_family.as_deref(),
            Field::ModelIdentifier => client.model_identifier.as_deref(),
            Field::Mode => Some(&client.mode),
            Field::Reason => Some(match self.role {
                Role::Operator => "connect",
                Role::Node => "node-connected",
            }),
            Field::ClientId => Some(&client.id),
            Field::TimeZone => client.time_zone.as_deref(),
            Field::User => self.user.as_deref(),
            // The text is made of host and mode, only while the row has none: see `fill_defaults`.
            Field::Text => None,
        }
    }

    /// Leaves out members until the row has at most `max_bytes`: the longest optional ones first, then the longest
    /// required ones (SPEC 1.5). Members that do not make the row longer stay.
    pub(crate) fn fit(&mut self, entry: &mut PresenceEntry, max_bytes: usize) {
        let texts = self.fields.iter().map(|field| (field, self.value(field)));
        let lengths: usize = texts.clone().map(|(_, text)| text.map_or(0, str::len)).sum();
        if size::has_room(entry, MAX_ESCAPE * lengths + NAMES, max_bytes) {
            return;
        }
        let mut size = size::without_sets(entry);
        let mut candidates: Vec<_> = texts
            .map(|(field, text)| (!field.is_required(), field.bytes(text), field))
            .collect();
        // Required members get room first, and short ones before long ones.
        candidates.sort_by_key(|&(is_optional, bytes, _)| (is_optional, bytes));
        for (_, bytes, field) in candidates {
            let after = size - field.bytes(field.of(entry).as_deref()) + bytes;
            if after > max_bytes.max(size) {
                self.fields = self.fields.without(Fields::default().with(field, true));
            } else {
                size = after;
            }
        }
    }
}
