//! Checking request parameters, with messages that name the bad member by its path.
//!
//! The words are those that OpenClaw's own validators use ("at /client: must have required property
//! 'version'"), because users search for them. Unknown members are ignored; a wrong type is refused,
//! and `null` is a wrong type (SPEC 2, "Frames").
//!
//! Parameters are read from their text, one object at a time. A member keeps the text of its value until it
//! is asked for, so what nobody asks for costs one pass and no memory.

mod text;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Number, Value};

pub(in crate::wire) use text::{ReadError, holdable};

/// Most members of one object that is read.
pub const MAX_MEMBERS: usize = 1_024;
/// Most bytes of a client-chosen member name that an error message repeats.
const MAX_NAME_BYTES: usize = 64;

/// The parameters of a request: JSON text that is read by whoever needs it.
///
/// ```
/// use presence_core::wire::params::{Members, Params};
/// let params = Params::from(serde_json::json!({ "enabled": true }));
/// assert_eq!(Members::root(params.text())?.optional_bool("enabled"), Ok(Some(true)));
/// assert_eq!(Params::NONE.text(), "null");
/// # Ok::<(), presence_core::wire::params::ParamsError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Option<Box<str>>);

impl Params {
    /// No parameters.
    pub const NONE: Self = Self(None);

    /// Keeps a copy of `text`, which must be JSON.
    #[must_use]
    pub(in crate::wire) fn of(text: Option<&str>) -> Self {
        Self(text.map(Box::from))
    }

    /// The JSON text; `null` when there are none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.as_deref().unwrap_or("null")
    }
}

/// The length only: parameters may hold secrets.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Params({} bytes)", self.text().len())
    }
}

impl From<Value> for Params {
    fn from(value: Value) -> Self {
        Self(Some(format!("{value}").into()))
    }
}

/// Where in the parameters: `/client/id`, or empty for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At(Box<str>);

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
    /// A value that a program cannot hold, in a part of the frame that is read member by member.
    #[error("{at}must not hold half a surrogate pair or a number beyond 1.8e308")]
    Unholdable {
        /// The member.
        at: At,
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
}

impl ParamsError {
    /// The same refusal with other words for the right type; other refusals are unchanged.
    #[must_use]
    pub fn wanting(self, wanted: &'static str) -> Self {
        match self {
            Self::Type { at, .. } => Self::Type { at, wanted },
            other => other,
        }
    }
}

/// How long a string may be, in UTF-16 units. A plain number is an upper bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    min: usize,
    max: usize,
}

impl Length {
    /// Any length; the frame's size is the bound.
    pub const ANY: Self = Self {
        min: 0,
        max: usize::MAX,
    };

    /// At least one unit and at most `max`.
    #[must_use]
    pub const fn nonempty(max: usize) -> Self {
        Self { min: 1, max }
    }
}

impl From<usize> for Length {
    fn from(max: usize) -> Self {
        Self { min: 0, max }
    }
}

/// The members of one JSON object, taken out by name and type. Of members of one name the last counts.
///
/// ```
/// use presence_core::wire::params::{Length, Members};
/// let members = Members::root(r#"{ "text": "hi", "host": 5, "tags": ["a"] }"#)?;
/// assert_eq!(members.required_string("text", Length::nonempty(4_096))?, "hi");
/// assert_eq!(members.optional_strings("tags", 64, 1_024)?, Some(vec!["a".into()]));
/// assert_eq!(members.optional_string("ip", 1_024)?, None);
/// let refused = members.optional_string("host", 1_024).unwrap_err();
/// assert_eq!(refused.to_string(), "at /host: must be string");
/// # Ok::<(), presence_core::wire::params::ParamsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Members<'a> {
    /// Names, and the JSON texts of the values; in the order of the text.
    members: Vec<(Cow<'a, str>, &'a str)>,
    path: String,
}

impl<'a> Members<'a> {
    /// The members of the JSON text `text` itself.
    ///
    /// # Errors
    /// When it is not an object, or one with more than [`MAX_MEMBERS`] members.
    pub fn root(text: &'a str) -> Result<Self, ParamsError> {
        Self::at_path(text, String::new())
    }

    /// [`root`](Self::root), of a text that need not be JSON.
    pub(in crate::wire) fn read(text: &'a str) -> Result<Self, ReadError> {
        text::members(text).map(|members| Self {
            members,
            path: String::new(),
        })
    }

    fn at_path(text: &'a str, path: String) -> Result<Self, ParamsError> {
        match text::members(text) {
            Ok(members) => Ok(Self { members, path }),
            Err(error) => {
                let at = At(path.into());
                Err(match error {
                    ReadError::NoObject => ParamsError::Type { at, wanted: "object" },
                    ReadError::TooMany => ParamsError::TooManyMembers { at, max: MAX_MEMBERS },
                    ReadError::Json => ParamsError::Unholdable { at },
                })
            }
        }
    }

    /// The JSON text of the member `name`.
    pub(in crate::wire) fn text(&self, name: &str) -> Option<&'a str> {
        self.members
            .iter()
            .rfind(|(own, _)| own == name)
            .map(|(_, text)| *text)
    }

    /// The members of the object `name`.
    ///
    /// # Errors
    /// When it is absent or not an object.
    pub fn required_object(&self, name: &'static str) -> Result<Self, ParamsError> {
        self.optional_object(name)?.ok_or_else(|| self.missing(name))
    }

    /// The members of the object `name`, if present.
    ///
    /// # Errors
    /// When it is not an object.
    pub fn optional_object(&self, name: &'static str) -> Result<Option<Self>, ParamsError> {
        self.text(name)
            .map(|text| Self::at_path(text, self.path_of(name)))
            .transpose()
    }

    /// The string `name`.
    ///
    /// # Errors
    /// When it is absent, not a string, too short or too long.
    pub fn required_string(
        &self,
        name: &'static str,
        length: impl Into<Length>,
    ) -> Result<Cow<'a, str>, ParamsError> {
        self.optional_string(name, length)?
            .ok_or_else(|| self.missing(name))
    }

    /// The string `name`, if present.
    ///
    /// # Errors
    /// When it is not a string, too short or too long.
    pub fn optional_string(
        &self,
        name: &'static str,
        length: impl Into<Length>,
    ) -> Result<Option<Cow<'a, str>>, ParamsError> {
        self.text(name)
            .map(|text| string(text, length.into(), || self.path_of(name)))
            .transpose()
    }

    /// The array of strings `name`, if present: at most `max_items`, each as long as `length` allows.
    ///
    /// # Errors
    /// When it is not an array, has too many items, or an item is not such a string.
    pub fn optional_strings(
        &self,
        name: &'static str,
        max_items: usize,
        length: impl Into<Length>,
    ) -> Result<Option<Vec<Cow<'a, str>>>, ParamsError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        if !text.starts_with('[') {
            return Err(self.wrong_type(name, "array"));
        }
        let Some(items) = text::items(text, max_items) else {
            return Err(ParamsError::TooMany {
                at: self.at(name),
                max: max_items,
            });
        };
        let length = length.into();
        let item = |(index, item)| string(item, length, || format!("{}/{name}/{index}", self.path));
        items
            .into_iter()
            .enumerate()
            .map(item)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// The integer `name`, at least `min`. `4.0` counts as 4; what exceeds `u64` is cut to it.
    ///
    /// # Errors
    /// When it is absent, not an integer or too small.
    pub fn required_integer(&self, name: &'static str, min: u64) -> Result<u64, ParamsError> {
        let text = self.text(name).ok_or_else(|| self.missing(name))?;
        let integer = text::number(text)
            .as_ref()
            .and_then(integer)
            .ok_or_else(|| self.wrong_type(name, "integer"))?;
        match u64::try_from(integer) {
            Ok(integer) if integer >= min => Ok(integer),
            Err(_) if integer > 0 => Ok(u64::MAX),
            _ => Err(ParamsError::TooSmall {
                at: self.at(name),
                min,
            }),
        }
    }

    /// The number `name`, if present; finite, but possibly negative or with a fraction.
    ///
    /// # Errors
    /// When it is not a number.
    pub fn optional_number(&self, name: &'static str) -> Result<Option<f64>, ParamsError> {
        let number = |text| text::number(text).as_ref().and_then(Number::as_f64);
        self.text(name)
            .map(|text| number(text).ok_or_else(|| self.wrong_type(name, "number")))
            .transpose()
    }

    /// The boolean `name`, if present.
    ///
    /// # Errors
    /// When it is not a boolean.
    pub fn optional_bool(&self, name: &'static str) -> Result<Option<bool>, ParamsError> {
        self.text(name)
            .map(|text| boolean(text).ok_or_else(|| self.wrong_type(name, "boolean")))
            .transpose()
    }

    /// Checks that every member is a boolean.
    ///
    /// # Errors
    /// Names one that is not: the first in the order of names.
    pub fn all_booleans(&self) -> Result<(), ParamsError> {
        match self.first_name(|_, text| boolean(text).is_none()) {
            None => Ok(()),
            Some(name) => Err(self.wrong_type(cut(name), "boolean")),
        }
    }

    /// Checks that the string `name` is `constant`.
    ///
    /// # Errors
    /// When it is absent or anything else.
    pub fn constant(&self, name: &'static str, constant: &str) -> Result<(), ParamsError> {
        match self.text(name).map(text::string) {
            None => Err(self.missing(name)),
            Some(Some(found)) if found == constant => Ok(()),
            Some(_) => Err(ParamsError::NotConstant { at: self.at(name) }),
        }
    }

    /// Checks that no member is outside `known`: for closed objects at the root.
    ///
    /// # Errors
    /// Names one that is: the first in the order of names.
    pub fn closed(&self, known: &[&str]) -> Result<(), ParamsError> {
        match self.first_name(|name, _| !known.contains(&name)) {
            None => Ok(()),
            Some(name) => Err(ParamsError::Unexpected {
                name: cut(name).into(),
            }),
        }
    }

    /// The first name, in their order, of a member that `is_bad`.
    fn first_name(&self, is_bad: impl Fn(&str, &str) -> bool) -> Option<&str> {
        self.members
            .iter()
            .filter(|(name, text)| is_bad(name, text))
            .map(|(name, _)| &**name)
            .min()
    }

    /// The refusal of an absent `name`, for members whose need depends on others.
    #[must_use]
    pub fn missing(&self, name: &'static str) -> ParamsError {
        ParamsError::Missing {
            at: At(self.path.as_str().into()),
            name,
        }
    }

    /// The refusal of a string `name` that takes more than `max` bytes as JSON.
    #[must_use]
    pub fn too_large(&self, name: &str, max: usize) -> ParamsError {
        ParamsError::TooLarge {
            at: self.at(name),
            max,
        }
    }

    fn wrong_type(&self, name: &str, wanted: &'static str) -> ParamsError {
        ParamsError::Type {
            at: self.at(name),
            wanted,
        }
    }

    fn at(&self, name: &str) -> At {
        At(self.path_of(name).into())
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }
}

/// Reads and checks one string; the path is only made for an error.
fn string(text: &str, length: Length, path: impl Fn() -> String) -> Result<Cow<'_, str>, ParamsError> {
    let at = || At(path().into());
    if !text.starts_with('"') {
        return Err(ParamsError::Type {
            at: at(),
            wanted: "string",
        });
    }
    let Some(text) = text::string(text) else {
        return Err(ParamsError::Unholdable { at: at() });
    };
    // A unit is at least one byte, so short strings need no count; JSON Schema's "1 character" and
    // one unit are the same for "not empty".
    if text.len() < length.min {
        return Err(ParamsError::TooShort {
            at: at(),
            min: length.min,
        });
    }
    if text.len() > length.max && text.encode_utf16().count() > length.max {
        return Err(ParamsError::TooLong {
            at: at(),
            max: length.max,
        });
    }
    Ok(text)
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A JSON number without a fraction, cut to what `i128` holds.
fn integer(value: &Number) -> Option<i128> {
    if let Some(integer) = value.as_i64() {
        return Some(integer.into());
    }
    if let Some(integer) = value.as_u64() {
        return Some(integer.into());
    }
    let float = value.as_f64()?;
    // The casts saturate, as documented; above 2^53 every float is whole.
    let whole = (float as i128) as f64 == float || float.abs() >= 9e15;
    whole.then_some(float as i128)
}

/// A client's member name, short enough for a message.
fn cut(name: &str) -> &str {
    let mut end = name.len().min(MAX_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests;
