//! Why parameters are refused.

use alloc::boxed::Box;
use core::fmt;

/// Where in the parameters: `/client/id`, or empty for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At(pub(super) Box<str>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, "at {}: ", self.0)
        }
    }
}

/// Why parameters are refused. The message names the member and never repeats its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// A member has the wrong JSON type.
    #[error("{at}must be {wanted}")]
    Type {
        /// The member.
        at: At,
        /// The right type ("string", "object", "integer", ...).
        wanted: &'static str,
    },
    /// A required member is absent.
    #[error("{at}must have required property '{name}'")]
    Missing {
        /// The object that lacks it.
        at: At,
        /// The member's name.
        name: &'static str,
    },
    /// A string is too short.
    #[error("{at}must NOT have fewer than {min} characters")]
    TooShort {
        /// The member.
        at: At,
        /// The least length, in UTF-16 units.
        min: usize,
    },
    /// A string is too long.
    #[error("{at}must NOT have more than {max} characters")]
    TooLong {
        /// The member.
        at: At,
        /// The greatest length, in UTF-16 units.
        max: usize,
    },
    /// A string takes too many bytes as JSON.
    #[error("{at}must NOT have more than {max} bytes encoded")]
    TooLarge {
        /// The member.
        at: At,
        /// The greatest length, in bytes of JSON between the quotes.
        max: usize,
    },
    /// An array has too many items.
    #[error("{at}must NOT have more than {max} items")]
    TooMany {
        /// The member.
        at: At,
        /// The greatest number of items.
        max: usize,
    },
    /// An object has too many members.
    #[error("{at}must NOT have more than {max} properties")]
    TooManyMembers {
        /// The object.
        at: At,
        /// The greatest number of members.
        max: usize,
    },
    /// The parameters hold too many values in all.
    #[error("must NOT have more than {max} values")]
    TooManyValues {
        /// The greatest number of values.
        max: usize,
    },
    /// A number is too small.
    #[error("{at}must be >= {min}")]
    TooSmall {
        /// The member.
        at: At,
        /// The least value.
        min: u64,
    },
    /// A member must hold one fixed value and holds another.
    #[error("{at}must be equal to constant")]
    NotConstant {
        /// The member.
        at: At,
    },
    /// A closed object has a member that does not belong there.
    #[error("at root: unexpected property '{name}'")]
    Unexpected {
        /// The member's name, cut to 64 bytes.
        name: Box<str>,
    },
    /// The text of a beacon is blank.
    #[error("text required")]
    TextRequired,
}

impl ParamsError {
    /// The `text` of a beacon takes more than `max` bytes as JSON.
    pub(in crate::wire) fn text_too_large(max: usize) -> Self {
        let at = At("/text".into());
        Self::TooLarge { at, max }
    }

    /// The same refusal with other words for the right type; other refusals are unchanged.
    #[must_use]
    pub fn wanting(self, wanted: &'static str) -> Self {
        match self {
            Self::Type { at, .. } => Self::Type { at, wanted },
            other => other,
        }
    }
}
