//! Which connection wrote which member last: what a close that is not the last takes along (SPEC 1.4).

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;

use crate::entry::PresenceEntry;
use crate::protocol::{ClientInfo, Role};

/// A member that handshakes write. Ids are not among them: they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Host,
    Ip,
    Version,
    Platform,
    DeviceFamily,
    ModelIdentifier,
    Mode,
    Reason,
    ClientId,
    TimeZone,
    Text,
}

impl Field {
    const ALL: [Self; 11] = [
        Self::Host,
        Self::Ip,
        Self::Version,
        Self::Platform,
        Self::DeviceFamily,
        Self::ModelIdentifier,
        Self::Mode,
        Self::Reason,
        Self::ClientId,
        Self::TimeZone,
        Self::Text,
    ];

    /// Its place in the entry.
    fn of(self, entry: &mut PresenceEntry) -> &mut Option<Box<str>> {
        match self {
            Self::Host => &mut entry.host,
            Self::Ip => &mut entry.ip,
            Self::Version => &mut entry.version,
            Self::Platform => &mut entry.platform,
            Self::DeviceFamily => &mut entry.device_family,
            Self::ModelIdentifier => &mut entry.model_identifier,
            Self::Mode => &mut entry.mode,
            Self::Reason => &mut entry.reason,
            Self::ClientId => &mut entry.client_id,
            Self::TimeZone => &mut entry.time_zone,
            Self::Text => &mut entry.text,
        }
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(u16);

impl Fields {
    /// The set with `field` too, if `is_in`.
    pub(super) fn with(self, field: Field, is_in: bool) -> Self {
        Self(self.0 | (u16::from(is_in) << field as u16))
    }

    fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u16) != 0
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(move |&field| self.has(field))
    }
}

/// What the handshake of a live connection says of the row's members.
#[derive(Clone, Debug)]
pub(super) struct Said {
    client: Arc<ClientInfo>,
    role: Role,
    ip: Option<Box<str>>,
    /// The fields it has a value for.
    fields: Fields,
}

impl Said {
    /// `ip` is the address to show, if there is one.
    pub(super) fn new(client: &Arc<ClientInfo>, role: Role, ip: Option<&str>) -> Self {
        let mut said = Self {
            client: Arc::clone(client),
            role,
            ip: ip.map(Into::into),
            fields: Fields::default(),
        };
        for field in Field::ALL {
            said.fields = said.fields.with(field, said.value(field).is_some());
        }
        said
    }

    fn value(&self, field: Field) -> Option<&str> {
        let client = &*self.client;
        match field {
            Field::Host => client.display_name.as_deref(),
            Field::Ip => self.ip.as_deref(),
            Field::Version => Some(&client.version),
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
            // Made of host and mode, only while the row has none: see `stand_in`.
            Field::Text => None,
        }
    }
}

/// The last writer of each field, as far as it is a live connection.
#[derive(Debug, Default)]
pub(super) struct Writers {
    /// The fields that a connection wrote last.
    fields: Fields,
    /// Serials of these connections, by field. Rows without a connection have none.
    conns: Option<Box<[u64; Field::ALL.len()]>>,
}

impl Writers {
    /// A beacon wrote these fields.
    pub(super) fn forget(&mut self, fields: Fields) {
        self.fields = self.fields.without(fields);
    }

    /// No connection is left whose close could take a member.
    pub(super) fn forget_all(&mut self) {
        *self = Self::default();
    }

    fn set(&mut self, field: Field, conn: u64) {
        self.fields = self.fields.with(field, true);
        self.conns.get_or_insert_default()[field as usize] = conn;
    }

    /// The fields that `conn` wrote last.
    fn of(&self, conn: u64) -> Fields {
        let Some(conns) = &self.conns else {
            return Fields::default();
        };
        self.fields
            .iter()
            .filter(|&field| conns[field as usize] == conn)
            .fold(Fields::default(), |fields, field| fields.with(field, true))
    }

    /// Writes what the handshake of `conn` says.
    pub(super) fn write(&mut self, entry: &mut PresenceEntry, said: &Said, conn: u64) {
        self.take_over(entry, said, conn, said.fields);
        self.stand_in(entry, said, conn);
    }

    /// Takes what `gone` wrote last out of the entry; `remaining` are the other live connections, newest
    /// first. Says whether the entry changed.
    pub(super) fn withdraw<'a>(
        &mut self,
        entry: &mut PresenceEntry,
        gone: u64,
        remaining: impl Iterator<Item = (u64, &'a Said)>,
    ) -> bool {
        let mut left = self.of(gone);
        if left.is_empty() {
            return false;
        }
        let taken = left;
        let before: Box<[_]> = taken.iter().map(|field| field.of(entry).take()).collect();
        let mut newest = None;
        for (conn, said) in remaining {
            newest.get_or_insert((conn, said));
            let found = left.and(said.fields);
            if !found.is_empty() {
                self.take_over(entry, said, conn, found);
                left = left.without(found);
            }
            // A text is made, not found.
            if left.without(Fields::default().with(Field::Text, true)).is_empty() {
                break;
            }
        }
        self.forget(left);
        if let Some((conn, said)) = newest {
            self.stand_in(entry, said, conn);
        }
        taken
            .iter()
            .zip(&before)
            .any(|(field, before)| field.of(entry) != before)
    }

    fn take_over(&mut self, entry: &mut PresenceEntry, said: &Said, conn: u64, fields: Fields) {
        for field in fields.iter() {
            super::overlay(field.of(entry), said.value(field));
            self.set(field, conn);
        }
    }

    /// Gives the entry a host and a text while it has none.
    fn stand_in(&mut self, entry: &mut PresenceEntry, said: &Said, conn: u64) {
        let client = &said.client;
        let host = entry.host.get_or_insert_with(|| {
            self.set(Field::Host, conn);
            client.id.clone()
        });
        if entry.text.is_none() {
            entry.text = Some(format!("Node: {host} · mode {}", client.mode).into());
            self.set(Field::Text, conn);
        }
    }
}
