//! The values of a beacon about a row, without placeholders (SPEC 1.4).

use alloc::boxed::Box;

use crate::model::beacon::Beacon;
use crate::model::entry::PresenceEntry;
use crate::model::json::{MAX_ESCAPE, escaped_len};
use crate::model::key::{PresenceKey, RowKey};
use crate::model::placeholder::Kind;
use crate::roster::row::{Field, Fields, Origin, Row, Stamp, Stated, overlay, overlay_id};
use crate::roster::size::{self, NAMES};

/// A beacon's values: the parameter, else the value in the text.
#[derive(Debug)]
pub struct Report<'a> {
    beacon: &'a Beacon,
    /// The serial of the connection that sent it; 0 if it is unknown.
    conn: u64,
    instance_id: Option<&'a str>,
    device_id: Option<&'a str>,
    instance: Option<PresenceKey>,
    device: Option<PresenceKey>,
    host: Option<&'a str>,
    ip: Option<&'a str>,
    version: Option<&'a str>,
    mode: Option<&'a str>,
    reason: Option<&'a str>,
    /// Seconds since the last input.
    pub(super) last_input_seconds: Option<u64>,
}

impl<'a> From<&'a Beacon> for Report<'a> {
    fn from(beacon: &'a Beacon) -> Self {
        let instance_id = Kind::Id.present(beacon.instance_id.as_deref());
        let device_id = Kind::Id.present(beacon.device_id.as_deref());
        let mut report = Self {
            beacon,
            conn: 0,
            instance_id,
            device_id,
            instance: instance_id.and_then(PresenceKey::of_name),
            device: device_id.and_then(PresenceKey::of_name),
            host: Kind::Host.present(beacon.host.as_deref()),
            ip: Kind::Ip.present(beacon.ip.as_deref()),
            version: Kind::Version.present(beacon.version.as_deref()),
            mode: beacon.mode.as_deref(),
            reason: beacon.reason.as_deref(),
            last_input_seconds: beacon.last_input_seconds,
        };
        report.complete();
        report
    }
}

impl<'a> Report<'a> {
    /// The same, sent by the connection with this serial ([`ConnectWrite::conn`](super::ConnectWrite::conn)).
    #[must_use]
    pub fn of_conn(self, conn: u64) -> Self {
        Self { conn, ..self }
    }

    /// The serial of the connection that sent it; 0 if it is unknown.
    #[cfg(feature = "server")]
    pub(crate) fn conn(&self) -> u64 {
        self.conn
    }

    /// The host that it states.
    #[cfg(feature = "server")]
    pub(crate) fn host(&self) -> Option<&'a str> {
        self.host
    }

    /// Takes values from the text that are not in the parameters. Most beacons have all of them there.
    fn complete(&mut self) {
        let texts = [self.host, self.ip, self.version, self.mode, self.reason];
        if texts.iter().all(Option::is_some) && self.last_input_seconds.is_some() {
            return;
        }
        let Some(said) = self.beacon.parsed() else { return };
        self.host = self.host.or_else(|| Kind::Host.present(Some(said.host)));
        self.ip = self.ip.or_else(|| Kind::Ip.present(Some(said.ip)));
        self.version = self.version.or_else(|| Kind::Version.present(Some(said.version)));
        self.mode = self.mode.or(Some(said.mode));
        self.reason = self.reason.or(Some(said.reason));
        self.last_input_seconds = self.last_input_seconds.or(Some(said.last_input_seconds));
    }

    /// Whether it has ids, all of which are placeholders; then it is about its connection's own row (SPEC 1.4).
    pub(super) fn has_placeholder_ids(&self) -> bool {
        let ids = [
            (&self.beacon.instance_id, self.instance_id),
            (&self.beacon.device_id, self.device_id),
        ];
        ids.iter().any(|(said, _)| said.is_some()) && ids.iter().all(|(_, id)| id.is_none())
    }

    /// The key of its `instanceId`.
    pub(super) fn instance(&self) -> Option<&PresenceKey> {
        self.instance.as_ref()
    }

    /// The key of its `deviceId`.
    pub(super) fn device(&self) -> Option<&PresenceKey> {
        self.device.as_ref()
    }

    /// The same with other ids.
    pub(super) fn with_ids(self, instance_id: Option<&'a str>, device_id: Option<&'a str>) -> Self {
        Self {
            instance_id,
            device_id,
            instance: instance_id.and_then(PresenceKey::of_name),
            device: device_id.and_then(PresenceKey::of_name),
            ..self
        }
    }

    /// The same without a `deviceId`.
    pub(super) fn without_device(self) -> Self {
        Self {
            device_id: None,
            device: None,
            ..self
        }
    }

    /// How long the row stays after it, if that is shorter than the roster's TTL.
    pub(super) fn ttl_ms(&self) -> Option<u64> {
        self.beacon.ttl_ms
    }

    /// Whether it removes the last input.
    pub(super) fn clears_last_input(&self) -> bool {
        self.beacon.clear_last_input
    }

    pub(super) fn roles(&self) -> &[Box<str>] {
        &self.beacon.roles
    }

    pub(super) fn scopes(&self) -> &[Box<str>] {
        &self.beacon.scopes
    }

    /// The key of a new row, if no row matches its ids (SPEC 1.2).
    pub(super) fn key(&self) -> RowKey {
        let ids = self.instance.as_ref().or(self.device.as_ref());
        let key = ids.cloned().or_else(|| {
            let said = self.beacon.parsed();
            let said = said.as_ref();
            let name = |kind: Kind, text| kind.present(text).and_then(PresenceKey::of_name);
            name(Kind::Host, said.map(|said| said.host))
                .or_else(|| name(Kind::Ip, said.map(|said| said.ip)))
                .or_else(|| PresenceKey::of_text(&self.beacon.text))
        });
        // A beacon's text is not blank, so there is always a key.
        key.map_or_else(|| RowKey::Connection("".into()), RowKey::Named)
    }

    /// The texts that it writes, ids aside.
    fn texts(&self) -> [(Field, Option<&'a str>); 9] {
        let beacon = self.beacon;
        [
            (Field::Host, self.host),
            (Field::Ip, self.ip),
            (Field::Version, self.version),
            (Field::Mode, self.mode),
            (Field::Reason, self.reason),
            (Field::Platform, beacon.platform.as_deref()),
            (Field::DeviceFamily, beacon.device_family.as_deref()),
            (Field::ModelIdentifier, beacon.model_identifier.as_deref()),
            (Field::Text, Some(&*beacon.text)),
        ]
    }

    /// Writes the members other than roles and scopes, and their writers; returns whether a text of the row changed.
    pub(super) fn write(&self, row: &mut Row, at_ms: u64) -> bool {
        let texts = self.texts().into_iter();
        let said = texts.fold(Fields::default(), |fields, (field, text)| {
            fields.with(field, text.is_some())
        });
        row.writers.remove(said);
        row.stamps.write(Stamp {
            conn: self.conn,
            at_ms,
            origin: Origin::Beacon,
            stated: Stated::from(said)
                .with(Stated::INSTANCE_ID, self.instance_id.is_some())
                .with(Stated::DEVICE_ID, self.device_id.is_some())
                .with(Stated::LAST_INPUT, self.last_input_seconds.is_some())
                .with(Stated::ROLES, !self.beacon.roles.is_empty())
                .with(Stated::SCOPES, !self.beacon.scopes.is_empty()),
        });
        self.merge_into(&mut row.fields)
    }

    /// Writes the members other than roles and scopes, and returns whether a text changed. A blank id is ignored
    /// beside one that is not blank.
    fn merge_into(&self, entry: &mut PresenceEntry) -> bool {
        let mut is_changed = overlay_id(&mut entry.instance_id, self.instance_id)
            | overlay_id(&mut entry.device_id, self.device_id);
        for (field, text) in self.texts() {
            is_changed |= overlay(field.of(entry), text);
        }
        is_changed
    }

    // ---- bytes --------------------------------------------------------------------------------

    /// The most bytes by which a row can grow, from lengths only.
    pub(super) fn max_growth(&self) -> usize {
        let beacon = self.beacon;
        let ids = [self.instance_id, self.device_id];
        let texts = self.texts().into_iter().map(|(_, text)| text).chain(ids);
        let texts: usize = texts.map(|text| text.map_or(0, str::len)).sum();
        let items: usize = [&beacon.roles, &beacon.scopes]
            .into_iter()
            .flatten()
            .map(|item| item.len() + 1)
            .sum();
        NAMES + MAX_ESCAPE * (texts + items)
    }

    /// The size of a row after the members are written, with unchanged roles and scopes.
    pub(super) fn size_after(&self, mut entry: PresenceEntry) -> usize {
        self.merge_into(&mut entry);
        size::of_entry(&entry)
    }

    /// The name of the parameter that takes the most bytes.
    pub(super) fn longest(&self) -> &'static str {
        self.beacon
            .texts()
            .rev()
            .max_by_key(|(_, text)| escaped_len(text))
            .map_or("text", |(name, _)| name)
    }
}
