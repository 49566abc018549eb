//! Checking request parameters, with messages that name the bad member by its path.
//!
//! The messages are those of OpenClaw's own validators ("at /client: must have required property
//! 'version'"), because users search for them. Unknown members are ignored; a wrong type is refused,
//! and `null` is a wrong type (SPEC 2, "Frames").

pub(super) mod error;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use self::error::ParamsError;
pub(in crate::wire) use self::error::Rule;
use super::tree::{MAX_MEMBERS, MAX_VALUES, Tree};
use crate::model::text::prefix_bytes;

/// Most bytes of a client-chosen member name that an error message repeats.
const MAX_NAME_BYTES: usize = 64;

/// How long a string may be, in UTF-16 units. A plain number is an upper bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    min: usize,
    max: usize,
}

impl Length {
    /// Any length; the frame's size is the bound.
    pub(crate) const ANY: Self = Self {
        min: 0,
        max: usize::MAX,
    };

    /// At least one unit and at most `max`.
    #[must_use]
    pub(crate) const fn nonempty(max: usize) -> Self {
        Self { min: 1, max }
    }
}

impl From<usize> for Length {
    fn from(max: usize) -> Self {
        Self { min: 0, max }
    }
}

/// The members of one object, taken out by name and type. Of members of one name the last counts.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    members: &'a [(Cow<'a, str>, Tree<'a>)],
    path: String,
}

impl<'a> Members<'a> {
    /// The members of the outermost object.
    pub(crate) fn root(members: &'a [(Cow<'a, str>, Tree<'a>)]) -> Self {
        let path = String::new();
        Self { members, path }
    }

    /// The members of the parameters `tree`.
    ///
    /// # Errors
    /// When it is not an object, or one with more than [`MAX_MEMBERS`] members.
    pub(crate) fn of(tree: &'a Tree<'a>) -> Result<Self, ParamsError> {
        Self::at_path(tree, String::new())
    }

    fn at_path(tree: &'a Tree<'a>, path: String) -> Result<Self, ParamsError> {
        let rule = match tree {
            Tree::Object(members) => return Ok(Self { members, path }),
            Tree::Crowded => Rule::TooManyMembers(MAX_MEMBERS),
            Tree::Overfull => Rule::TooManyValues(MAX_VALUES),
            _ => Rule::Type("object"),
        };
        Err(ParamsError::new(path, rule))
    }

    /// The value of the member `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Tree<'a>> {
        self.members
            .iter()
            .rfind(|(own, _)| own == name)
            .map(|(_, value)| value)
    }

    /// The members of the object `name`.
    ///
    /// # Errors
    /// When it is absent or not an object.
    pub(crate) fn required_object(&self, name: &'static str) -> Result<Self, ParamsError> {
        self.optional_object(name)?.ok_or_else(|| self.missing(name))
    }

    /// The members of the object `name`, if present.
    ///
    /// # Errors
    /// When it is not an object.
    pub(crate) fn optional_object(&self, name: &'static str) -> Result<Option<Self>, ParamsError> {
        self.get(name)
            .map(|tree| Self::at_path(tree, self.path_of(name)))
            .transpose()
    }

    /// The string `name`.
    ///
    /// # Errors
    /// When it is absent, not a string, too short or too long.
    pub(crate) fn required_string(
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
    pub(crate) fn optional_string(
        &self,
        name: &'static str,
        length: impl Into<Length>,
    ) -> Result<Option<&'a str>, ParamsError> {
        self.get(name)
            .map(|tree| string(tree, length.into(), || self.path_of(name)))
            .transpose()
    }

    /// The array of strings `name`: at most `max_items`, each as long as `length` allows; empty if absent.
    ///
    /// # Errors
    /// When it is not an array, has too many items, or an item is not such a string.
    pub(crate) fn strings(
        &self,
        name: &'static str,
        max_items: usize,
        length: impl Into<Length>,
    ) -> Result<Vec<&'a str>, ParamsError> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Tree::List(items)) => items,
            Some(_) => return Err(self.error(name, Rule::Type("array"))),
        };
        if items.len() > max_items {
            return Err(self.error(name, Rule::TooManyItems(max_items)));
        }
        let length = length.into();
        let item = |(index, item)| string(item, length, || format!("{}/{name}/{index}", self.path));
        items.iter().enumerate().map(item).collect()
    }

    /// The integer `name`, at least `min`. `4.0` counts as 4; a value above `u64::MAX` becomes it.
    ///
    /// # Errors
    /// When it is absent, not an integer or too small.
    pub(crate) fn required_integer(&self, name: &'static str, min: u64) -> Result<u64, ParamsError> {
        self.optional_integer(name, min, u64::MAX)?
            .ok_or_else(|| self.missing(name))
    }

    /// The integer `name`, from `min` to `max`, if present. `4.0` counts as 4; a value above `u64::MAX` becomes it.
    ///
    /// # Errors
    /// When it is not an integer, too small or too great.
    pub(crate) fn optional_integer(
        &self,
        name: &'static str,
        min: u64,
        max: u64,
    ) -> Result<Option<u64>, ParamsError> {
        let number = self.optional_number(name);
        let Some(number) = number.map_err(|error| error.with_expected("integer"))? else {
            return Ok(None);
        };
        if number % 1.0 != 0.0 {
            return Err(self.error(name, Rule::Type("integer")));
        }
        if number < min as f64 {
            return Err(self.error(name, Rule::TooSmall(min)));
        }
        // The cast saturates.
        let integer = number as u64;
        if integer > max {
            return Err(self.error(name, Rule::TooGreat(max)));
        }
        Ok(Some(integer))
    }

    /// The number `name`, if present; finite, but possibly negative or with a fraction.
    ///
    /// # Errors
    /// When it is not a number.
    pub(crate) fn optional_number(&self, name: &'static str) -> Result<Option<f64>, ParamsError> {
        match self.get(name) {
            None => Ok(None),
            Some(Tree::Number(number)) => Ok(Some(*number)),
            Some(_) => Err(self.error(name, Rule::Type("number"))),
        }
    }

    /// The boolean `name`, if present.
    ///
    /// # Errors
    /// When it is not a boolean.
    pub(crate) fn optional_bool(&self, name: &'static str) -> Result<Option<bool>, ParamsError> {
        match self.get(name) {
            None => Ok(None),
            Some(Tree::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.error(name, Rule::Type("boolean"))),
        }
    }

    /// The boolean `name`.
    ///
    /// # Errors
    /// When it is absent or not a boolean.
    pub(crate) fn required_bool(&self, name: &'static str) -> Result<bool, ParamsError> {
        self.optional_bool(name)?.ok_or_else(|| self.missing(name))
    }

    /// Checks that every member is a boolean.
    ///
    /// # Errors
    /// Names one that is not: the first in the order of names.
    pub(crate) fn all_booleans(&self) -> Result<(), ParamsError> {
        match self.first_name(|_, value| !matches!(value, Tree::Bool(_))) {
            None => Ok(()),
            Some(name) => Err(self.error(prefix_bytes(name, MAX_NAME_BYTES), Rule::Type("boolean"))),
        }
    }

    /// Checks that the string `name` is `constant`.
    ///
    /// # Errors
    /// When it is absent or anything else.
    pub(crate) fn constant(&self, name: &'static str, constant: &str) -> Result<(), ParamsError> {
        match self.get(name) {
            None => Err(self.missing(name)),
            Some(Tree::String(found)) if found == constant => Ok(()),
            Some(_) => Err(self.error(name, Rule::NotConstant)),
        }
    }

    /// Checks that all members are in `known`: for closed objects at the root.
    ///
    /// # Errors
    /// Names one that is not: the first in the order of names.
    pub(crate) fn closed(&self, known: &[&str]) -> Result<(), ParamsError> {
        match self.first_name(|name, _| !known.contains(&name)) {
            None => Ok(()),
            Some(name) => {
                let name = prefix_bytes(name, MAX_NAME_BYTES).into();
                Err(ParamsError::new("root", Rule::Unexpected(name)))
            }
        }
    }

    /// The first name, in order of names, of a member that `is_bad`.
    fn first_name(&self, is_bad: impl Fn(&str, &Tree<'_>) -> bool) -> Option<&'a str> {
        self.members
            .iter()
            .filter(|(name, value)| is_bad(name, value))
            .map(|(name, _)| &**name)
            .min()
    }

    /// The refusal of an absent `name`, for members that are required depending on others.
    #[must_use]
    pub(crate) fn missing(&self, name: &'static str) -> ParamsError {
        ParamsError::new(self.path.as_str(), Rule::Missing(name))
    }

    fn error(&self, name: &str, rule: Rule) -> ParamsError {
        ParamsError::new(self.path_of(name), rule)
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }
}

/// Checks one string; the path is only made for an error.
pub(in crate::wire) fn string<'a>(
    tree: &'a Tree<'a>,
    length: Length,
    path: impl Fn() -> String,
) -> Result<&'a str, ParamsError> {
    // A unit is at least one byte, so short strings need no count; JSON Schema's "1 character" and
    // one unit are the same for "not empty".
    let rule = match tree {
        Tree::String(text) if text.len() < length.min => Rule::TooShort(length.min),
        Tree::String(text) if text.len() > length.max && text.encode_utf16().count() > length.max => {
            Rule::TooLong(length.max)
        }
        Tree::String(text) => return Ok(text),
        _ => Rule::Type("string"),
    };
    Err(ParamsError::new(path(), rule))
}

#[cfg(test)]
mod tests;
