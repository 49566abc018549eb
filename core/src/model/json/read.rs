//! Lenient readers of JSON text.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::entry::MAX_SAFE_INTEGER;

/// Returns the members of an object called `names`, or `None` if `json` is not an object. The last of
/// several members with one name counts, as in JavaScript; `null` counts as absent.
///
/// ```
/// use presence_core::model::json::{integer, members};
/// let [version, digest] = members(r#"{"version":1,"version":7,"digest":null}"#, ["version", "digest"]).unwrap();
/// assert_eq!(version.and_then(integer), Some(7));
/// assert!(digest.is_none());
/// ```
#[must_use]
pub fn members<'a, const N: usize>(json: &'a str, names: [&str; N]) -> Option<[Option<&'a RawValue>; N]> {
    let mut values = [None; N];
    fill(json, &names, &mut values)?;
    Some(values)
}

/// Returns the [`members`] of a value that may be absent or not an object; then there are none.
#[must_use]
pub(crate) fn inner<'a, const N: usize>(
    json: Option<&'a RawValue>,
    names: [&str; N],
) -> [Option<&'a RawValue>; N] {
    json.and_then(|json| members(json.get(), names))
        .unwrap_or([None; N])
}

fn fill<'a>(json: &'a str, names: &[&str], values: &mut [Option<&'a RawValue>]) -> Option<()> {
    each_member(json, &mut |name, value| {
        let at = names.iter().position(|own| *own == name);
        if let Some(stored) = at.and_then(|at| values.get_mut(at)) {
            *stored = Some(value).filter(|value| value.get() != "null");
        }
    })
}

/// Passes the members of an object to `take`, in order. Returns `None` if `json` is not an object.
pub fn each_member<'a>(json: &'a str, take: &mut dyn FnMut(Cow<'a, str>, &'a RawValue)) -> Option<()> {
    let shape = read(json, &mut |name, value| {
        if let Some(name) = name.and_then(string) {
            take(name, value);
        }
    });
    (shape == Some(Shape::Object)).then_some(())
}

/// [`each_member`] with the names as they are written.
pub(crate) fn each_raw_member<'a>(json: &'a str, take: &mut dyn FnMut(&'a str, &'a str)) -> Option<()> {
    let shape = read(json, &mut |name, value| {
        if let Some(name) = name {
            take(name.get(), value.get());
        }
    });
    (shape == Some(Shape::Object)).then_some(())
}

/// Returns the items of a list.
#[must_use]
pub fn items(json: &str) -> Option<Vec<&RawValue>> {
    first_items(json, usize::MAX).map(|(items, _)| items)
}

/// Returns the first `most` items of a list, and how many it has.
pub(crate) fn first_items(json: &str, most: usize) -> Option<(Vec<&RawValue>, usize)> {
    let mut items = Vec::new();
    let mut len = 0;
    let shape = read(json, &mut |_, item| {
        if len < most {
            items.push(item);
        }
        len += 1;
    });
    (shape == Some(Shape::List)).then_some((items, len))
}

/// The kind of a JSON text.
#[derive(PartialEq)]
enum Shape {
    Object,
    List,
    Integer(u64),
    Other,
}

/// Reads one level of a JSON text: passes the members of an object with their names, and the items of a list, to
/// `take`.
fn read<'a>(json: &'a str, take: Take<'_, 'a>) -> Option<Shape> {
    let mut from = serde_json::Deserializer::from_str(json);
    let shape = from.deserialize_any(Level(take)).ok()?;
    from.end().ok()?;
    Some(shape)
}

type Take<'t, 'a> = &'t mut dyn FnMut(Option<&'a RawValue>, &'a RawValue);

/// Accepts every value: formatting reasons of refusals would take a tenth of the module for browsers.
struct Level<'t, 'a>(Take<'t, 'a>);

impl<'de> Visitor<'de> for Level<'_, 'de> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Shape, A::Error> {
        while let Some((name, value)) = from.next_entry::<&RawValue, &RawValue>()? {
            (self.0)(Some(name), value);
        }
        Ok(Shape::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Shape, A::Error> {
        while let Some(item) = from.next_element()? {
            (self.0)(None, item);
        }
        Ok(Shape::List)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Shape, E> {
        Ok(Shape::Integer(number))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Shape, E> {
        // Negative.
        Ok(Shape::Integer(0))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Shape, E> {
        // Saturates.
        Ok(Shape::Integer(number as u64))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Other)
    }
}

/// Returns a string. Half of a surrogate pair, which gateways in JavaScript pass on, becomes U+FFFD.
#[must_use]
pub fn string(json: &RawValue) -> Option<Cow<'_, str>> {
    string_of(json.get())
}

/// [`string`] from the text of a value.
pub(crate) fn string_of(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.as_bytes().contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    Some(Cow::Owned(unescaped(inner)))
}

/// Decodes a string with escapes by way of UTF-16, so that halves of pairs are joined or replaced.
fn unescaped(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        let escaped = if char == '\\' { rest.next() } else { None };
        let decoded = match escaped {
            None => char,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let digits = rest.by_ref().take(4).filter_map(|digit| digit.to_digit(16));
                units.push(digits.fold(0, |unit, digit| unit << 4 | digit as u16));
                continue;
            }
            Some(char) => char,
        };
        units.extend_from_slice(decoded.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16_lossy(&units)
}

/// Returns a number as an integer in 0..=2^53-1, floored and clamped (SPEC 1.1).
#[must_use]
pub fn integer(json: &RawValue) -> Option<u64> {
    integer_of(json.get())
}

/// [`integer`] from the text of a value.
pub(crate) fn integer_of(json: &str) -> Option<u64> {
    let is_negative = json.starts_with('-');
    if !is_negative && !json.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let integer = match read(json, &mut |_, _| {}) {
        Some(Shape::Integer(integer)) => integer,
        // Beyond `f64`.
        _ if is_negative => 0,
        _ => MAX_SAFE_INTEGER,
    };
    Some(integer.min(MAX_SAFE_INTEGER))
}

/// Returns a boolean.
#[must_use]
pub fn boolean(json: &RawValue) -> Option<bool> {
    match json.get() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;

    #[test]
    fn half_a_surrogate_pair_replaces_one_character() {
        for (text, value) in [
            (r#""a\ud800b""#, "a\u{fffd}b"),
            (r#""\udc00\ud83d\ude00\ud800""#, "\u{fffd}😀\u{fffd}"),
            (r#""\\ud800\ud800""#, "\\ud800\u{fffd}"),
            (r#""\ud800\u0041\ud800\n""#, "\u{fffd}A\u{fffd}\n"),
            (r#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
        ] {
            assert_eq!(string_of(text).unwrap(), value);
        }
        let name = format!(r#"{{{}:1,"b":2}}"#, r#""\ud800""#);
        let [half, b] = members(&name, ["\u{fffd}", "b"]).unwrap();
        assert_eq!((half.and_then(integer), b.and_then(integer)), (Some(1), Some(2)));
    }

    #[test]
    fn invalid_members_are_left_out_alone() {
        let text = r#" {"a":1e999,"b":[[{"c":-1E-999}]],"b":"x","d":null,"\u0065":true} "#;
        let [a, b, d, e, f] = members(text, ["a", "b", "d", "e", "f"]).unwrap();
        assert_eq!(a.and_then(integer), Some(MAX_SAFE_INTEGER));
        assert_eq!(b.and_then(string).unwrap(), "x");
        assert_eq!(e.and_then(boolean), Some(true));
        assert!(d.is_none() && f.is_none());
        assert_eq!(items("[1, {},\"x\"]").unwrap().len(), 3);
        for (most, kept) in [(0, 0), (2, 2), (3, 3), (4, 3)] {
            let (items, len) = first_items("[1, {},\"x\"]", most).unwrap();
            assert_eq!((items.len(), len), (kept, 3));
        }
        for text in ["", "[1]", "[]", "1", "null", "{", "{} x", r#"{"a":}"#, r#"{a:1}"#] {
            assert!(members(text, ["a"]).is_none(), "{text}");
        }
        for text in ["", "{}", "1", "[1,]", "[1] x"] {
            assert!(items(text).is_none(), "{text}");
        }
    }

    #[test]
    fn nesting_takes_no_stack() {
        let deep = format!(r#"{{"a":{}{},"b":1}}"#, "[".repeat(500_000), "]".repeat(500_000));
        let [b] = members(&deep, ["b"]).unwrap();
        assert_eq!(b.and_then(integer), Some(1));
    }

    #[test]
    fn numbers_become_safe_integers() {
        for (text, number) in [
            ("7", 7),
            ("3.7", 3),
            ("0.999", 0),
            ("-4", 0),
            ("-0.5", 0),
            ("1.2345e2", 123),
            ("12345E-2", 123),
            ("1e+3", 1_000),
            ("0e999999999", 0),
            ("0.0000001e7", 1),
            ("1e-999999999999", 0),
            ("1e999999999999", MAX_SAFE_INTEGER),
            ("-1e999", 0),
            ("1e300", MAX_SAFE_INTEGER),
            ("9007199254740991", MAX_SAFE_INTEGER),
            ("9007199254740990", MAX_SAFE_INTEGER - 1),
            ("9007199254740992", MAX_SAFE_INTEGER),
            ("99999999999999999999999999999", MAX_SAFE_INTEGER),
        ] {
            assert_eq!(integer_of(text), Some(number), "{text}");
        }
        for text in ["\"7\"", "null", "true", "[7]", "{}"] {
            assert_eq!(integer_of(text), None, "{text}");
        }
        let booleans = vec![boolean(RawValue::TRUE), boolean(RawValue::NULL)];
        assert_eq!(booleans, [Some(true), None]);
    }
}
