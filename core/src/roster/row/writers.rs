//! The connection that wrote each member last: a close that is not the last removes its members (SPEC 1.4).

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::merge::overlay;
use crate::model::entry::{MAX_TEXT_BYTES, PresenceEntry};
use crate::model::json::{MAX_ESCAPE, escaped_len};
use crate::model::key::PresenceKey;
use crate::model::placeholder::Kind;
use crate::model::{ClientInfo, Role};
use crate::roster::size::{self, NAMES, member, user};

/// A member that can be removed from an entry: by the close of the connection that wrote it, or if the row has no
/// room for it. Ids stay, and are not among them. The limit is 16, the bits of [`Fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
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
    User,
}

impl Field {
    pub(crate) const ALL: [Self; 12] = [
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
        Self::User,
    ];

    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Ip => "ip",
            Self::Version => "version",
            Self::Platform => "platform",
            Self::DeviceFamily => "deviceFamily",
            Self::ModelIdentifier => "modelIdentifier",
            Self::Mode => "mode",
            Self::Reason => "reason",
            Self::ClientId => "clientId",
            Self::TimeZone => "timeZone",
            Self::Text => "text",
            Self::User => "user",
        }
    }

    /// Whether every handshake has it.
    fn is_required(self) -> bool {
        matches!(self, Self::Version | Self::Platform | Self::Mode | Self::ClientId)
    }

    /// Its size in an entry, in bytes.
    fn bytes(self, value: Option<&str>) -> usize {
        match (self, value) {
            (Self::Reason, reason) => size::reason(reason),
            (_, None) => 0,
            (Self::User, Some(id)) => user(id),
            (_, Some(value)) => member(self.name(), value),
        }
    }

    /// Its place in the entry.
    pub(crate) fn of(self, entry: &mut PresenceEntry) -> &mut Option<Box<str>> {
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
            Self::User => &mut entry.user_id,
        }
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Fields(u16);

impl Fields {
    /// The set with `field` too, if `is_in`.
    pub(crate) fn with(self, field: Field, is_in: bool) -> Self {
        Self(self.0 | (u16::from(is_in) << field as u16))
    }

    fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u16) != 0
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
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

    fn iter(self) -> impl Iterator<Item = Field> + Clone {
        Field::ALL.into_iter().filter(move |&field| self.has(field))
    }
}

/// The row's members that the handshake of a live connection states.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    client: Arc<ClientInfo>,
    role: Role,
    ip: Option<Box<str>>,
    user: Option<Box<str>>,
    /// The fields with a value.
    fields: Fields,
}

impl Said {
    /// `ip` is the address to show, `user` the id of the user, if there is one.
    pub(crate) fn new(client: &Arc<ClientInfo>, role: Role, ip: Option<&str>, user: Option<&str>) -> Self {
        let mut said = Self {
            client: Arc::clone(client),
            role,
            ip: ip.map(Into::into),
            user: user.map(Into::into),
            fields: Fields::default(),
        };
        for field in Field::ALL {
            said.fields = said.fields.with(field, said.value(field).is_some());
        }
        said
    }

    /// The fields it states, as bits.
    #[cfg(feature = "recording")]
    pub(crate) fn fields(&self) -> u16 {
        self.fields.0
    }

    /// The same without the fields that are not among these bits.
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

    fn value(&self, field: Field) -> Option<&str> {
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
            // The text is made of host and mode, only while the row has none: see `stand_in`.
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

/// The last writer of each field, if it is a live connection.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Writers {
    /// The fields that a connection wrote last.
    fields: Fields,
    /// Serials of these connections, by field. Rows without a connection have none.
    conns: Option<Box<[u64; Field::ALL.len()]>>,
}

impl Writers {
    /// Removes the writers of fields that a beacon wrote.
    pub(crate) fn forget(&mut self, fields: Fields) {
        self.fields = self.fields.without(fields);
    }

    /// Removes all writers: no connection is left whose close could remove a member.
    pub(crate) fn forget_all(&mut self) {
        *self = Self::default();
    }

    /// The live connection that wrote the field last.
    pub(crate) fn writer(&self, field: Field) -> Option<u64> {
        let conns = self.conns.as_ref().filter(|_| self.fields.has(field))?;
        Some(conns[field as usize])
    }

    fn set(&mut self, field: Field, conn: u64) {
        self.fields = self.fields.with(field, true);
        self.conns.get_or_insert_default()[field as usize] = conn;
    }

    /// The fields that `conn` wrote last.
    pub(crate) fn of(&self, conn: u64) -> Fields {
        let Some(conns) = &self.conns else {
            return Fields::default();
        };
        self.fields
            .iter()
            .filter(|&field| conns[field as usize] == conn)
            .fold(Fields::default(), |fields, field| fields.with(field, true))
    }

    /// Writes the members of the handshake of `conn`.
    pub(crate) fn write(&mut self, entry: &mut PresenceEntry, said: &Said, conn: u64, max_bytes: usize) {
        self.take_over(entry, said, conn, said.fields);
        self.stand_in(entry, said, conn, max_bytes);
    }

    /// Removes members other than ids from the entry until it has at most `max_bytes`: first a text that was made
    /// of other members, then the longest.
    pub(crate) fn shed(&mut self, entry: &mut PresenceEntry, max_bytes: usize) {
        while !size::has_room(entry, 0, max_bytes) {
            let made = Some(Field::Text).filter(|&text| self.fields.has(text));
            let longest = Field::ALL
                .into_iter()
                .filter(|&field| field != Field::Reason)
                .filter_map(|field| Some((escaped_len(field.of(entry).as_deref()?), field)))
                .max_by_key(|&(length, _)| length)
                .map(|(_, field)| field);
            let Some(field) = made.or(longest) else { return };
            *field.of(entry) = None;
            self.forget(Fields::default().with(field, true));
        }
    }

    /// Removes members that connections wrote last from the entry.
    pub(crate) fn withdraw_all(&mut self, entry: &mut PresenceEntry) {
        for field in self.fields.iter() {
            *field.of(entry) = None;
        }
        self.forget_all();
    }

    /// Removes members that `gone` wrote last from the entry; `remaining` are the other live connections, newest
    /// first. Returns whether the entry changed.
    pub(crate) fn withdraw<'a>(
        &mut self,
        entry: &mut PresenceEntry,
        gone: u64,
        remaining: impl Iterator<Item = (u64, &'a Said)>,
        max_bytes: usize,
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
            // `stand_in` makes the text, so no connection has to state it.
            if left.without(Fields::default().with(Field::Text, true)).is_empty() {
                break;
            }
        }
        self.forget(left);
        if let Some((conn, said)) = newest {
            self.stand_in(entry, said, conn, max_bytes);
        }
        self.shed(entry, max_bytes);
        taken
            .iter()
            .zip(&before)
            .any(|(field, before)| field.of(entry) != before)
    }

    fn take_over(&mut self, entry: &mut PresenceEntry, said: &Said, conn: u64, fields: Fields) {
        for field in fields.iter() {
            overlay(field.of(entry), said.value(field));
            self.set(field, conn);
        }
    }

    /// Gives the entry a host and a text while it has none, as far as there is room.
    fn stand_in(&mut self, entry: &mut PresenceEntry, said: &Said, conn: u64, max_bytes: usize) {
        if entry.host.is_some() && entry.text.is_some() {
            return;
        }
        let client = &said.client;
        if entry.host.is_none()
            && let Some(id) = Kind::Host.present(Some(&client.id))
            && size::has_room(entry, member("host", id), max_bytes)
        {
            entry.host = Some(id.into());
            self.set(Field::Host, conn);
        }
        if let (Some(host), None) = (&entry.host, &entry.text) {
            let text = format!("Node: {host} · mode {}", client.mode);
            if escaped_len(&text) <= MAX_TEXT_BYTES && size::has_room(entry, member("text", &text), max_bytes)
            {
                entry.text = Some(text.into());
                self.set(Field::Text, conn);
            }
        }
    }
}
