//! JSON values as the texts they came in: an object's members, an array's items, single values.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Number;
use serde_json::value::RawValue;

use super::MAX_MEMBERS;

/// Why a text yields no members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wire) enum ReadError {
    /// Another kind of value, by its first character.
    NoObject,
    /// More than [`MAX_MEMBERS`] members.
    TooMany,
    /// Not JSON, or a name that cannot be held.
    Json,
}

/// The members of the object `text`, in their order.
pub(super) fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, ReadError> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(ReadError::NoObject);
    }
    match serde_json::from_str::<Shallow<'_>>(text) {
        Ok(Shallow(Some(members))) => Ok(members),
        Ok(Shallow(None)) => Err(ReadError::TooMany),
        Err(_) => Err(ReadError::Json),
    }
}

/// The items of the array `text`; `None` when there are more than `max`.
pub(super) fn items(text: &str, max: usize) -> Option<Vec<&str>> {
    serde_json::Deserializer::from_str(text)
        .deserialize_seq(Items(max))
        .ok()
        .flatten()
}

/// The string that `text` is, if it is one that can be held.
pub(super) fn string(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str::<String>(text).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The number that `text` is, if it is one that can be held.
pub(super) fn number(text: &str) -> Option<Number> {
    serde_json::from_str(text).ok()
}

/// Checks that a program can hold all of `text`: no half of a surrogate pair, no number beyond `f64`, at most
/// 127 levels. Keeps nothing.
pub(in crate::wire) fn holdable(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<Holdable>(text).map(drop)
}

/// An object's members; `None` when there are too many.
struct Shallow<'a>(Option<Vec<(Cow<'a, str>, &'a str)>>);

impl<'de: 'a, 'a> Deserialize<'de> for Shallow<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<'a>(PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Members<'a> {
            type Value = Shallow<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = from.next_key_seed(Name)? {
                    if members.len() == MAX_MEMBERS {
                        from.next_value::<IgnoredAny>()?;
                        while from.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                        return Ok(Shallow(None));
                    }
                    let text: &'de RawValue = from.next_value()?;
                    members.push((name, text.get()));
                }
                Ok(Shallow(Some(members)))
            }
        }

        from.deserialize_map(Members(PhantomData))
    }
}

/// A member's name, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.into()))
    }
}

/// An array's items, at most so many; `None` when there are more.
struct Items(usize);

impl<'de> Visitor<'de> for Items {
    type Value = Option<Vec<&'de str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element::<&'de RawValue>()? {
            if items.len() == self.0 {
                while from.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            items.push(item.get());
        }
        Ok(Some(items))
    }
}

/// Any value that can be held. Unlike [`IgnoredAny`] it decodes what it passes over.
struct Holdable;

impl<'de> Deserialize<'de> for Holdable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Holdable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self, A::Error> {
        while from.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self, A::Error> {
        while from.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
