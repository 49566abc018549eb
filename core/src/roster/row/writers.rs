//! The connection that wrote each member last: a close that is not the last removes its members (SPEC 1.4).

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::format;

use super::field::{Field, Fields};
use super::handshake_fields::HandshakeFields;
use super::merge::overlay;
use crate::model::entry::{MAX_TEXT_BYTES, PresenceEntry};
use crate::model::json::escaped_len;
use crate::model::placeholder::Kind;
use crate::roster::size::{self, member};

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
    pub(crate) fn remove(&mut self, fields: Fields) {
        self.fields = self.fields.without(fields);
    }

    /// Removes all writers: no connection is left whose close could remove a member.
    pub(crate) fn clear(&mut self) {
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
    pub(crate) fn write(
        &mut self,
        entry: &mut PresenceEntry,
        handshake: &HandshakeFields,
        conn: u64,
        max_bytes: usize,
    ) {
        self.take_over(entry, handshake, conn, handshake.fields);
        self.fill_defaults(entry, handshake, conn, max_bytes);
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
            self.remove(Fields::default().with(field, true));
        }
    }

    /// Removes members that connections wrote last from the entry.
    pub(crate) fn withdraw_all(&mut self, entry: &mut PresenceEntry) {
        for field in self.fields.iter() {
            *field.of(entry) = None;
        }
        self.clear();
    }

    /// Removes members that `gone` wrote last from the entry; `remaining` are the other live connections, newest
    /// first. Returns whether the entry changed.
    pub(crate) fn withdraw<'a>(
        &mut self,
        entry: &mut PresenceEntry,
        gone: u64,
        remaining: impl Iterator<Item = (u64, &'a HandshakeFields)>,
        max_bytes: usize,
    ) -> bool {
        let mut left = self.of(gone);
        if left.is_empty() {
            return false;
        }
        let taken = left;
        let before: Box<[_]> = taken.iter().map(|field| field.of(entry).take()).collect();
        let mut newest = None;
        for (conn, handshake) in remaining {
            newest.get_or_insert((conn, handshake));
            let found = left.and(handshake.fields);
            if !found.is_empty() {
                self.take_over(entry, handshake, conn, found);
                left = left.without(found);
            }
            // `fill_defaults` makes the text, so no connection has to state it.
            if left.without(Fields::default().with(Field::Text, true)).is_empty() {
                break;
            }
        }
        self.remove(left);
        if let Some((conn, handshake)) = newest {
            self.fill_defaults(entry, handshake, conn, max_bytes);
        }
        self.shed(entry, max_bytes);
        taken
            .iter()
            .zip(&before)
            .any(|(field, before)| field.of(entry) != before)
    }

    fn take_over(
        &mut self,
        entry: &mut PresenceEntry,
        handshake: &HandshakeFields,
        conn: u64,
        fields: Fields,
    ) {
        for field in fields.iter() {
            overlay(field.of(entry), handshake.value(field));
            self.set(field, conn);
        }
    }

    /// Gives the entry a host and a text while it has none, as far as there is room.
    fn fill_defaults(
        &mut self,
        entry: &mut PresenceEntry,
        handshake: &HandshakeFields,
        conn: u64,
        max_bytes: usize,
    ) {
        if entry.host.is_some() && entry.text.is_some() {
            return;
        }
        let client = &handshake.client;
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
