//! Presence keys, which determine the instance of a write (SPEC 1.2).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;

use crate::model::lower::lower;
use crate::model::placeholder::Kind;
use crate::model::text::{prefix_units, trim};

/// UTF-16 units of a beacon's text that are its key if it has no id, host or ip.
pub const TEXT_KEY_UNITS: usize = 64;

/// A normalised key: trimmed as ECMAScript trims and Unicode-lower-cased, never empty.
///
/// ```
/// use presence_core::PresenceKey;
/// let key = PresenceKey::parse("  INST-a ").unwrap();
/// assert_eq!(key.as_str(), "inst-a");
/// assert_eq!(PresenceKey::parse(" \u{feff}\n"), None);
/// assert_eq!(PresenceKey::parse("undefined"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "recording", serde(try_from = "Box<str>"))]
pub struct PresenceKey(Box<str>);

/// Checkpoints of recordings hold keys as they are; other texts are refused.
#[cfg(feature = "recording")]
impl TryFrom<Box<str>> for PresenceKey {
    type Error = &'static str;

    fn try_from(text: Box<str>) -> Result<Self, Self::Error> {
        Self::of_name(&text)
            .filter(|key| *key.0 == *text)
            .ok_or("expected a normalised key")
    }
}

impl PresenceKey {
    /// The key of an id; `None` for a blank one and for a placeholder ([`Kind::Id`]), which identify nothing.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::of_name(raw).filter(|_| !Kind::Id.is_placeholder(raw))
    }

    /// The normalised text of another value; `None` if it is blank.
    #[must_use]
    pub fn of_name(raw: &str) -> Option<Self> {
        let trimmed = trim(raw);
        if trimmed.is_empty() {
            return None;
        }
        Some(Self(lower(trimmed).into_boxed_str()))
    }

    /// The key of a beacon without ids: the first [`TEXT_KEY_UNITS`] UTF-16 units of
    /// the trimmed text, never half a surrogate pair.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        Self::of_name(prefix_units(trim(text), TEXT_KEY_UNITS))
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key on the wire of a gateway's own row (SPEC 2.1). No other row can have it: presence keys are lower-case, and the
/// keys of connections and of rows of other gateways start with their kind.
pub(crate) const SELF_WIRE_KEY: &str = "SELF";

/// The key of a row. Clients can address [`RowKey::Named`] keys only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "recording", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "recording", serde(rename_all = "camelCase"))]
pub enum RowKey {
    /// The gateway's own row: private, never touched, evicted or replaced by a client.
    SelfRow,
    /// A key from an id, a host, an ip or a text.
    Named(PresenceKey),
    /// A row whose connection gave no id at all, keyed by the connection's id.
    Connection(Box<str>),
}

impl RowKey {
    /// The key on the wire (SPEC 2.1). The upper-case forms cannot equal a normalised key.
    #[must_use]
    pub fn to_wire(&self) -> String {
        match self {
            Self::SelfRow => SELF_WIRE_KEY.to_owned(),
            Self::Named(key) => key.as_str().to_owned(),
            Self::Connection(id) => ["CONN:", id].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_keys_of_private_rows_cannot_be_client_keys() {
        for wire in [
            RowKey::SelfRow.to_wire(),
            RowKey::Connection("c1".into()).to_wire(),
        ] {
            assert_ne!(PresenceKey::parse(&wire).unwrap().as_str(), wire);
        }
    }
}
