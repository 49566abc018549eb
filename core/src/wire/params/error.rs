//! Why parameters are refused.

use alloc::boxed::Box;
use core::fmt;

/// Why parameters are refused. The message names the member and never repeats its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamsError {
    /// The member: `/client/id`, or empty for the root.
    at: Box<str>,
    rule: Rule,
}

impl ParamsError {
    pub(in crate::wire) fn new(at: impl Into<Box<str>>, rule: Rule) -> Self {
        let at = at.into();
        Self { at, rule }
    }

    /// Whether the text of a beacon is blank.
    pub(in crate::wire) fn is_text_required(&self) -> bool {
        self.rule == Rule::TextRequired
    }

    /// The same refusal with other words for the right type; other refusals are unchanged.
    pub(in crate::wire) fn with_expected(self, wanted: &'static str) -> Self {
        match self.rule {
            Rule::Type(_) => Self::new(self.at, Rule::Type(wanted)),
            _ => self,
        }
    }
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "at {}: ", self.at)?;
        }
        self.rule.fmt(f)
    }
}

impl core::error::Error for ParamsError {}

/// A violated rule, in the words of OpenClaw's validators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::wire) enum Rule {
    /// The required JSON type ("string", "object", "integer", ...).
    #[error("must be {0}")]
    Type(&'static str),
    #[error("must have required property '{0}'")]
    Missing(&'static str),
    /// The least length, in UTF-16 units.
    #[error("must NOT have fewer than {0} characters")]
    TooShort(usize),
    /// The greatest length, in UTF-16 units.
    #[error("must NOT have more than {0} characters")]
    TooLong(usize),
    /// The greatest length, in bytes of JSON between the quotes.
    #[error("must NOT have more than {0} bytes encoded")]
    TooLarge(usize),
    #[error("must NOT have more than {0} items")]
    TooManyItems(usize),
    #[error("must NOT have more than {0} properties")]
    TooManyMembers(usize),
    /// The parameters hold too many values in all.
    #[error("must NOT have more than {0} values")]
    TooManyValues(usize),
    #[error("must be >= {0}")]
    TooSmall(u64),
    #[error("must be <= {0}")]
    TooGreat(u64),
    #[error("must be equal to constant")]
    NotConstant,
    /// A closed object has an unknown member.
    #[error("unexpected property '{0}'")]
    Unexpected(Box<str>),
    /// The text of a beacon is blank.
    #[error("text required")]
    TextRequired,
}
