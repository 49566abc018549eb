//! The members of a row that can be removed, and sets of them.

use alloc::boxed::Box;

use crate::model::entry::PresenceEntry;
use crate::roster::size::{self, member, user};

/// A member that can be removed from an entry: by the close of the connection that wrote it, or if the row has no room
/// for it. Ids stay, and are not among them. The limit is 16, the bits of [`Fields`]. Recordings contain these bits, so
/// a new member goes to the end.
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
    pub(super) fn is_required(self) -> bool {
        matches!(self, Self::Version | Self::Platform | Self::Mode | Self::ClientId)
    }

    /// Its size in an entry, in bytes.
    pub(super) fn bytes(self, value: Option<&str>) -> usize {
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
pub(crate) struct Fields(pub(super) u16);

impl Fields {
    /// The set with `field` too, if `is_in`.
    pub(crate) fn with(self, field: Field, is_in: bool) -> Self {
        Self(self.0 | (u16::from(is_in) << field as u16))
    }

    pub(super) fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u16) != 0
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Field> + Clone {
        Field::ALL.into_iter().filter(move |&field| self.has(field))
    }
}
