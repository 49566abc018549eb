//! Checking request parameters, with messages that name the bad member by its path.
//!
//! The words are those that OpenClaw's own validators use ("at /client: must have required property
//! 'version'"), because users search for them. Unknown members are ignored; a wrong type is refused,
//! and `null` is a wrong type (SPEC 2, "bad frames").

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Map, Value};

/// Most bytes of a client-chosen member name that an error message repeats.
const MAX_NAME_BYTES: usize = 64;

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
    /// An array has too many items.
    #[error("{at}must NOT have more than {max} items")]
    TooMany {
        /// The member.
        at: At,
        /// The greatest number of items.
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

/// The members of one JSON object, taken out by name and type.
///
/// ```
/// use presence_core::protocol::params::{Length, Members};
/// let params = serde_json::json!({ "text": "hi", "host": 5, "tags": ["a"] });
/// let members = Members::root(&params)?;
/// assert_eq!(members.required_string("text", Length::nonempty(4_096))?, "hi");
/// assert_eq!(members.optional_strings("tags", 64, 1_024)?, Some(vec!["a"]));
/// assert_eq!(members.optional_string("ip", 1_024)?, None);
/// let refused = members.optional_string("host", 1_024).unwrap_err();
/// assert_eq!(refused.to_string(), "at /host: must be string");
/// # Ok::<(), presence_core::protocol::params::ParamsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Members<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Members<'a> {
    /// The members of `value` itself.
    ///
    /// # Errors
    /// When it is not an object.
    pub fn root(value: &'a Value) -> Result<Self, ParamsError> {
        match value {
            Value::Object(map) => Ok(Self {
                map,
                path: String::new(),
            }),
            _ => Err(ParamsError::Type {
                at: At::default(),
                wanted: "object",
            }),
        }
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
        match self.map.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self {
                map,
                path: self.path_of(name),
            })),
            Some(_) => Err(self.wrong_type(name, "object")),
        }
    }

    /// The string `name`.
    ///
    /// # Errors
    /// When it is absent, not a string, too short or too long.
    pub fn required_string(
        &self,
        name: &'static str,
        length: impl Into<Length>,
    ) -> Result<&'a str, ParamsError> {
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
    ) -> Result<Option<&'a str>, ParamsError> {
        self.map
            .get(name)
            .map(|value| string(value, length.into(), || self.path_of(name)))
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
    ) -> Result<Option<Vec<&'a str>>, ParamsError> {
        let Some(value) = self.map.get(name) else {
            return Ok(None);
        };
        let Value::Array(items) = value else {
            return Err(self.wrong_type(name, "array"));
        };
        if items.len() > max_items {
            return Err(ParamsError::TooMany {
                at: self.at(name),
                max: max_items,
            });
        }
        let length = length.into();
        let item = |(index, item)| string(item, length, || format!("{}/{name}/{index}", self.path));
        items
            .iter()
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
        let value = self.map.get(name).ok_or_else(|| self.missing(name))?;
        let integer = integer(value).ok_or_else(|| self.wrong_type(name, "integer"))?;
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
        self.map
            .get(name)
            .map(|value| value.as_f64().ok_or_else(|| self.wrong_type(name, "number")))
            .transpose()
    }

    /// The boolean `name`, if present.
    ///
    /// # Errors
    /// When it is not a boolean.
    pub fn optional_bool(&self, name: &'static str) -> Result<Option<bool>, ParamsError> {
        self.map
            .get(name)
            .map(|value| value.as_bool().ok_or_else(|| self.wrong_type(name, "boolean")))
            .transpose()
    }

    /// Checks that every member is a boolean.
    ///
    /// # Errors
    /// When one is not.
    pub fn all_booleans(&self) -> Result<(), ParamsError> {
        match self.map.iter().find(|(_, value)| !value.is_boolean()) {
            None => Ok(()),
            Some((name, _)) => Err(self.wrong_type(cut(name), "boolean")),
        }
    }

    /// Checks that the string `name` is `constant`.
    ///
    /// # Errors
    /// When it is absent or anything else.
    pub fn constant(&self, name: &'static str, constant: &str) -> Result<(), ParamsError> {
        match self.map.get(name) {
            None => Err(self.missing(name)),
            Some(Value::String(found)) if found == constant => Ok(()),
            Some(_) => Err(ParamsError::NotConstant { at: self.at(name) }),
        }
    }

    /// Checks that no member is outside `known`: for closed objects at the root.
    ///
    /// # Errors
    /// Names the first one that is.
    pub fn closed(&self, known: &[&str]) -> Result<(), ParamsError> {
        match self.map.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(ParamsError::Unexpected {
                name: cut(name).into(),
            }),
        }
    }

    /// The refusal of an absent `name`, for members whose need depends on others.
    #[must_use]
    pub fn missing(&self, name: &'static str) -> ParamsError {
        ParamsError::Missing {
            at: At(self.path.as_str().into()),
            name,
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

/// Checks one string; the path is only made for an error.
fn string(value: &Value, length: Length, path: impl Fn() -> String) -> Result<&str, ParamsError> {
    let at = || At(path().into());
    let Value::String(text) = value else {
        return Err(ParamsError::Type {
            at: at(),
            wanted: "string",
        });
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

/// A JSON number without a fraction, cut to what `i128` holds.
fn integer(value: &Value) -> Option<i128> {
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
