//! JSON as it came: members in the order received, numbers in their own spelling.

mod length;
mod members;
mod parse;
mod row_text;
mod scan;
mod text;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

pub(crate) use self::length::{MAX_ESCAPE, escaped_len};
pub use self::members::Members;
pub use self::parse::NotJson;
pub use self::row_text::Origin;
pub(crate) use self::row_text::RowText;
pub(crate) use self::text::write_canonical_members;
pub use self::text::{ObjectText, array_text, write_string};

use self::text::write_members;
use crate::model::entry::MAX_SAFE_INTEGER;

/// A JSON value whose objects keep the order of their members and whose numbers keep their text, so
/// that what a gateway sends and this client does not know is shown as it was (SPEC 1.1).
///
/// ```
/// use presence_core::model::Json;
/// let json = Json::parse(r#"{"z":1,"a":[true,null,1.50]}"#).unwrap();
/// assert_eq!(json.get("z").and_then(Json::as_u64), Some(1));
/// assert_eq!(json.to_string(), r#"{"z":1,"a":[true,null,1.50]}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written.
    Number(Box<str>),
    /// A string.
    String(Box<str>),
    /// A list.
    Array(Vec<Self>),
    /// An object; of members with one name the last counts. Shared: rows are kept in several places.
    Object(Arc<Members>),
}

impl Json {
    /// Parses JSON text. Half a surrogate pair, which gateways written in JavaScript pass on, becomes
    /// U+FFFD: one odd row must not cost the whole list.
    ///
    /// # Errors
    /// [`NotJson`], also when it is nested deeper than 128 times.
    pub fn parse(text: &str) -> Result<Self, NotJson> {
        parse::parse(text, None)
    }

    /// The same for a frame of a gateway: rows of presence lists in it are kept as the text they are, and read
    /// member by member when somebody asks. They know from where in frame number `frame` they are.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_frame(text: &str, frame: u64) -> Result<Self, NotJson> {
        parse::parse(text, Some(frame))
    }

    /// The member called `name`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => member(members.values(), name),
            _ => None,
        }
    }

    /// The value at the end of a path of members.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |json, name| json.get(name))
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number as an integer in 0..=2^53-1, floored and clamped (SPEC 1.1), if it is one.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(text) => Some(floor(text)),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The items, if it is a list.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The strings of a list; other items are left out.
    pub fn strings(&self) -> impl Iterator<Item = &str> {
        self.as_array()
            .unwrap_or_default()
            .iter()
            .filter_map(Self::as_str)
    }

    /// Appends the text of this value to `out`.
    pub(crate) fn write(&self, out: &mut String) {
        self.write_as(out, false);
    }

    /// Appends this value to `out`; if `is_sorted`, as RFC 8785 says: the one text that stands for it.
    /// Numbers are taken to be in that form already, as everything is that JavaScript or this crate wrote.
    fn write_as(&self, out: &mut String, is_sorted: bool) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(out, text),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_as(out, is_sorted);
                }
                out.push(']');
            }
            Self::Object(members) if is_sorted => write_canonical_members(out, members.values(), &[]),
            Self::Object(members) => members.write(out),
        }
    }
}

/// Of members with one name the last counts, as in JavaScript.
pub(crate) fn member<'a>(members: &'a [(Box<str>, Json)], name: &str) -> Option<&'a Json> {
    members
        .iter()
        .rev()
        .find(|(own, _)| **own == *name)
        .map(|(_, value)| value)
}

/// The integer part of a JSON number, at least 0 and at most 2^53-1.
pub(crate) fn floor(number: &str) -> u64 {
    if number.len() < 16 {
        // As nearly all are; and this many digits are within bounds.
        let digits = number.bytes().try_fold(0u64, |integer, byte| {
            byte.is_ascii_digit()
                .then(|| integer * 10 + u64::from(byte - b'0'))
        });
        if let Some(integer) = digits {
            return integer;
        }
    }
    if number.starts_with('-') {
        return 0;
    }
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // Larger exponents than this overflow or vanish all the same.
    let exponent = match exponent.trim_start_matches('+').parse::<i32>() {
        Ok(exponent) => exponent.clamp(-10_000_000, 10_000_000),
        Err(_) if exponent.starts_with('-') => -10_000_000,
        Err(_) => 10_000_000,
    };
    let count = i32::try_from(whole.len())
        .unwrap_or(i32::MAX)
        .saturating_add(exponent);
    let mut digits = whole.bytes().chain(fraction.bytes());
    let mut integer = 0u64;
    for _ in 0..count {
        let digit = digits.next();
        if digit.is_none() && integer == 0 {
            return 0;
        }
        integer = integer * 10 + u64::from(digit.unwrap_or(b'0') - b'0');
        if integer > MAX_SAFE_INTEGER {
            return MAX_SAFE_INTEGER;
        }
    }
    integer
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(number.to_string().into())
    }
}

#[cfg(test)]
mod tests;
