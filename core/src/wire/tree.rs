//! Parameters as a bounded tree, read and checked in one pass.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Most members of one object that is read.
pub(crate) const MAX_MEMBERS: usize = 1_024;
/// Most items that any list may have.
pub(crate) const MAX_ITEMS: usize = 1_024;
/// Most values that are kept of one text: a value takes up to 28 times the bytes of its text.
pub(crate) const MAX_VALUES: usize = 8_192;
/// Levels that are kept: the parameters, the objects in them, and lists in those.
const MAX_LEVELS: usize = 3;

/// A JSON value. Strings without escapes are borrowed from the text.
#[derive(Clone, Default, PartialEq)]
pub(crate) enum Tree<'a> {
    /// `null`, or an object or list below the levels that are read.
    #[default]
    Other,
    Bool(bool),
    Number(f64),
    String(Cow<'a, str>),
    /// If there are more than [`MAX_ITEMS`] items, one more than that is kept, to show it.
    List(Vec<Self>),
    /// Names and values in the order of the text.
    Object(Vec<(Cow<'a, str>, Self)>),
    /// An object with more than [`MAX_MEMBERS`] members.
    Crowded,
    /// A text with more than [`MAX_VALUES`] values.
    Overfull,
}

impl<'a> Tree<'a> {
    /// Reads a whole JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, or is JSON that programs cannot represent: half a surrogate pair, a number
    /// beyond `f64`, more than 127 levels. `IgnoredAny` accepts the latter, which distinguishes the two.
    pub(crate) fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        Self::levels(text, MAX_LEVELS)
    }

    /// Checks that a program can represent a JSON text, without keeping it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn check(text: &str) -> Result<(), serde_json::Error> {
        Tree::levels(text, 0).map(|_| ())
    }

    fn levels(text: &'a str, most: usize) -> Result<Self, serde_json::Error> {
        let mut from = serde_json::Deserializer::from_str(text);
        let room = Cell::new(MAX_VALUES);
        let levels = Levels {
            left: most,
            room: &room,
        };
        let tree = levels.deserialize(&mut from)?;
        from.end()?;
        Ok(if room.get() == 0 { Tree::Overfull } else { tree })
    }
}

/// Without the contents, which may be secrets.
impl fmt::Debug for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Other => "Other",
            Self::Bool(_) => "Bool(..)",
            Self::Number(_) => "Number(..)",
            Self::String(_) => "String(..)",
            Self::List(_) => "List(..)",
            Self::Object(_) => "Object(..)",
            Self::Crowded => "Crowded",
            Self::Overfull => "Overfull",
        })
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads a value and keeps some levels of objects and lists; deeper ones are checked only.
#[derive(Clone, Copy)]
struct Levels<'r> {
    /// Levels to keep.
    left: usize,
    /// Values that may still be kept.
    room: &'r Cell<usize>,
}

impl Levels<'_> {
    fn inner(self) -> Self {
        let left = self.left.saturating_sub(1);
        Self { left, ..self }
    }

    /// Whether one more value of this object or list is kept.
    fn takes(self) -> bool {
        let room = self.room.get();
        self.room.set(room - usize::from(self.left > 0 && room > 0));
        self.left > 0 && room > 1
    }
}

impl<'de> DeserializeSeed<'de> for Levels<'_> {
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Tree<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Levels<'_> {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Other)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number as f64))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number as f64))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::String(Cow::Owned(text.into())))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::String(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Tree<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(self.inner())? {
            if items.len() <= MAX_ITEMS && self.takes() {
                items.push(item);
            }
        }
        Ok(if self.left > 0 {
            Tree::List(items)
        } else {
            Tree::Other
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Tree<'de>, A::Error> {
        let mut members = Vec::new();
        let mut is_crowded = false;
        while let Some(Text(name)) = from.next_key()? {
            let value = from.next_value_seed(self.inner())?;
            is_crowded |= members.len() == MAX_MEMBERS;
            if !is_crowded && self.takes() {
                members.push((name, value));
            }
        }
        Ok(match self.left {
            0 => Tree::Other,
            _ if is_crowded => Tree::Crowded,
            _ => Tree::Object(members),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn unrepresentable_json_is_refused_at_any_depth() {
        let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
        for text in [
            r#""\ud800""#,
            r#"["\udc00 x"]"#,
            r#"{"\ud83d\ud83d":1}"#,
            "[[[[[1e999]]]]]",
            &deep,
        ] {
            assert!(Tree::read(text).is_err(), "{text}");
            assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
        }
        for text in ["", "[1,]", "{\"a\"}", "01", "\"\n\"", r#""\x""#, "1 2"] {
            assert!(Tree::read(text).is_err(), "{text}");
            assert!(serde_json::from_str::<IgnoredAny>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn levels_items_and_members_are_bounded() {
        assert_eq!(
            Tree::read(r#"{"a":{"b":[{"c":1}]}}"#).unwrap(),
            Tree::Object(alloc::vec![(
                "a".into(),
                Tree::Object(alloc::vec![("b".into(), Tree::List(alloc::vec![Tree::Other]))])
            )])
        );
        let list = format!("[{}0]", "0,".repeat(2 * MAX_ITEMS));
        let Tree::List(items) = Tree::read(&list).unwrap() else {
            panic!("no list");
        };
        assert_eq!(items.len(), MAX_ITEMS + 1);
        let object = |count: usize| format!("{{{}\"x\":0}}", "\"x\":1,".repeat(count - 1));
        let fits: String = object(MAX_MEMBERS);
        assert!(matches!(Tree::read(&fits).unwrap(), Tree::Object(members) if members.len() == MAX_MEMBERS));
        assert_eq!(Tree::read(&object(MAX_MEMBERS + 1)).unwrap(), Tree::Crowded);
    }

    #[test]
    fn the_values_of_one_text_are_bounded_together() {
        let lists = |count: usize, more: usize| {
            let list = format!("[{}0]", "0,".repeat(1_022));
            format!("[{}[{}0]]", format!("{list},").repeat(count), "0,".repeat(more))
        };
        // Seven lists and their 1,023 items, the last list, and its items: one is the end of the room.
        let most = MAX_VALUES - 7 * 1_024 - 3;
        assert!(matches!(Tree::read(&lists(7, most)).unwrap(), Tree::List(_)));
        assert_eq!(Tree::read(&lists(7, most + 1)).unwrap(), Tree::Overfull);
        assert!(Tree::check(&lists(600, 0)).is_ok());
    }
}
