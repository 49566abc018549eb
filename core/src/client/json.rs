//! JSON as it came: objects keep their members in the order received.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::entry::MAX_SAFE_INTEGER;

/// A JSON value whose objects keep the order of their members, so that what a gateway sends and
/// this client does not know is shown as it was (SPEC 1.1).
///
/// ```
/// use presence_core::client::Json;
/// let json = Json::parse(r#"{"z":1,"a":[true,null]}"#).unwrap();
/// assert_eq!(json.get("z").and_then(Json::as_u64), Some(1));
/// assert_eq!(json.to_string(), r#"{"z":1,"a":[true,null]}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Json {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that is not negative.
    Unsigned(u64),
    /// A negative whole number.
    Negative(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    String(Box<str>),
    /// A list.
    Array(Vec<Self>),
    /// An object; of members with one name the last counts.
    Object(Vec<(Box<str>, Self)>),
}

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON")]
pub struct NotJson;

impl Json {
    /// Parses JSON text. Half a surrogate pair, which gateways written in JavaScript pass on, becomes
    /// U+FFFD: one odd row must not cost the whole list.
    ///
    /// # Errors
    /// [`NotJson`].
    pub fn parse(text: &str) -> Result<Self, NotJson> {
        match serde_json::from_str(text) {
            Ok(json) => Ok(json),
            Err(_) => {
                let mended = mend_surrogates(text).ok_or(NotJson)?;
                serde_json::from_str(&mended).map_err(|_| NotJson)
            }
        }
    }

    /// An object of these members.
    #[must_use]
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(
            members
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// The member called `name`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => member(members, name),
            _ => None,
        }
    }

    /// The value at the end of a path of members.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |json, name| json.get(name))
    }

    /// Appends a member; does nothing if this is not an object.
    pub fn push(&mut self, name: &str, value: impl Into<Self>) {
        if let Self::Object(members) = self {
            members.push((name.into(), value.into()));
        }
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
        let number = match self {
            Self::Unsigned(number) => *number,
            Self::Negative(_) => 0,
            // `as` drops the fraction and saturates; negative numbers become 0.
            Self::Float(number) => *number as u64,
            _ => return None,
        };
        Some(number.min(MAX_SAFE_INTEGER))
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

    /// Appends this value to `out` as RFC 8785 says: the one text that stands for it.
    pub(crate) fn write_canonical(&self, out: &mut String) {
        match self {
            Self::Object(members) => {
                let mut sorted: Vec<&(Box<str>, Self)> = members.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
                write_object(out, sorted.into_iter(), Self::write_canonical);
            }
            Self::Array(items) => write_array(out, items, Self::write_canonical),
            // Doubles are all that RFC 8785 knows.
            Self::Unsigned(number) if *number > MAX_SAFE_INTEGER => write_float(out, *number as f64),
            Self::Negative(number) if number.unsigned_abs() > MAX_SAFE_INTEGER => {
                write_float(out, *number as f64);
            }
            scalar => scalar.write(out),
        }
    }

    /// Appends the text of this value to `out`, members in their order.
    pub(crate) fn write(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => out.write_str(if *value { "true" } else { "false" }),
            Self::Unsigned(number) => write!(out, "{number}"),
            Self::Negative(number) => write!(out, "{number}"),
            Self::Float(number) => {
                write_float(out, *number);
                Ok(())
            }
            Self::String(text) => {
                write_string(out, text);
                Ok(())
            }
            Self::Array(items) => {
                write_array(out, items, Self::write);
                Ok(())
            }
            Self::Object(members) => {
                write_object(out, members.iter(), Self::write);
                Ok(())
            }
        };
    }
}

/// Of members with one name the last counts, as in JavaScript.
pub(super) fn member<'a>(members: &'a [(Box<str>, Json)], name: &str) -> Option<&'a Json> {
    members
        .iter()
        .rev()
        .find(|(own, _)| **own == *name)
        .map(|(_, value)| value)
}

pub(super) fn write_object<'a>(
    out: &mut String,
    members: impl Iterator<Item = &'a (Box<str>, Json)>,
    write: fn(&Json, &mut String),
) {
    out.push('{');
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

fn write_array(out: &mut String, items: &[Json], write: fn(&Json, &mut String)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

/// A string as JavaScript's `JSON.stringify` writes it.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A number as JavaScript's `Number.prototype.toString` writes it; what JSON cannot hold is `null`.
fn write_float(out: &mut String, number: f64) {
    if !number.is_finite() {
        out.push_str("null");
        return;
    }
    if number == 0.0 {
        out.push('0');
        return;
    }
    // The shortest digits that give the number back, as d.ddde±x.
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let (sign, mantissa) = mantissa
        .strip_prefix('-')
        .map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    out.push_str(sign);
    let zeros =
        |out: &mut String, n: i32| out.extend(core::iter::repeat_n('0', usize::try_from(n).unwrap_or(0)));
    if (count..=21).contains(&point) {
        out.push_str(&digits);
        zeros(out, point - count);
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        let _ = write!(out, "{whole}.{fraction}");
    } else if (-5..=0).contains(&point) {
        out.push_str("0.");
        zeros(out, -point);
        out.push_str(&digits);
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let plus = if point > 0 { "+" } else { "" };
        let _ = write!(out, "{first}{dot}{rest}e{plus}{}", point - 1);
    }
}

/// Replaces escapes of half surrogate pairs by U+FFFD; `None` if there are none.
fn mend_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| -> Option<u32> {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut mended = String::new();
    let mut copied = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                mended.push_str(&text[copied..at]);
                mended.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            // An escape of two bytes, at least: the second may be a backslash itself.
            _ => at += 2,
        }
    }
    if copied == 0 {
        return None;
    }
    mended.push_str(&text[copied..]);
    Some(mended)
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
        Self::Unsigned(number)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl FromIterator<Self> for Json {
    fn from_iter<I: IntoIterator<Item = Self>>(items: I) -> Self {
        Self::Array(items.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Unsigned(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(u64::try_from(number).map_or(Json::Negative(number), Json::Unsigned))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn canonical(text: &str) -> String {
        let mut out = String::new();
        Json::parse(text).unwrap().write_canonical(&mut out);
        out
    }

    #[test]
    fn keeps_order_and_values() {
        for text in [
            r#"{"z":[1,-2,{"y":"ü\"\\\n\u001f"}],"a":null,"b":true}"#,
            "0.5",
            "-0.001",
            "1e+300",
            "18446744073709551615",
            "[]",
            "{}",
        ] {
            assert_eq!(Json::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn numbers_as_javascript_writes_them() {
        // From the appendix of RFC 8785 and ECMAScript's Number::toString.
        for (number, written) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (5e-324, "5e-324"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (295_147_905_179_352_830_000.0, "295147905179352830000"),
            (1e21, "1e+21"),
            (999_999_999_999_999_900_000.0, "999999999999999900000"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (-333_333_333.333_333_3, "-333333333.3333333"),
            (1.23, "1.23"),
            (f64::NAN, "null"),
        ] {
            assert_eq!(Json::Float(number).to_string(), written);
        }
        assert_eq!(canonical("18446744073709551615"), "18446744073709552000");
    }

    #[test]
    fn canonical_members_are_sorted_by_utf16_units() {
        // U+10000 is a surrogate pair (d800...), so it sorts before U+FFFF.
        assert_eq!(
            canonical(r#"{"\uffff":1,"\ud800\udc00":2,"b":{"d":1,"c":2},"a":"\u000f€"}"#),
            "{\"a\":\"\\u000f€\",\"b\":{\"c\":2,\"d\":1},\"\u{10000}\":2,\"\u{ffff}\":1}"
        );
    }

    #[test]
    fn half_a_surrogate_pair_costs_one_character() {
        for (text, value) in [
            (r#""a\ud800b""#, "a\u{fffd}b"),
            (r#""\udc00\ud83d\ude00\ud800""#, "\u{fffd}😀\u{fffd}"),
            (r#""\\ud800\ud800""#, "\\ud800\u{fffd}"),
        ] {
            assert_eq!(Json::parse(text).unwrap().as_str(), Some(value));
        }
        for text in ["", "{", "[1,]", r#"{"a":\ud800}"#, "nul"] {
            assert_eq!(Json::parse(text), Err(NotJson));
        }
    }

    #[test]
    fn the_last_of_two_members_counts_and_paths_lead_inside() {
        let json = Json::parse(r#"{"a":1,"a":{"b":{"c":"x"}}}"#).unwrap();
        assert_eq!(json.at(&["a", "b", "c"]).and_then(Json::as_str), Some("x"));
        assert_eq!(json.at(&["a", "x", "c"]), None);
    }

    #[test]
    fn numbers_become_safe_integers() {
        for (text, number) in [
            ("3.7", 3),
            ("-4", 0),
            ("-0.5", 0),
            ("1e300", MAX_SAFE_INTEGER),
            ("7", 7),
        ] {
            assert_eq!(Json::parse(text).unwrap().as_u64(), Some(number));
        }
        assert_eq!(Json::parse("\"7\"").unwrap().as_u64(), None);
    }
}
