//! JSON text to its normal form and to its canonical form.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::{each_member, items, string_of, write_string};

/// Values nested deeper than this are copied as they are.
const MAX_DEPTH: u32 = 64;

/// Appends a value in normal form: without whitespace, strings as [`write_string`] writes them, members and
/// numbers as received. Values that differ only in whitespace and escapes have equal normal forms.
pub(crate) fn write_normal(out: &mut String, json: &str) {
    Writer {
        out,
        is_sorted: false,
    }
    .value(json, MAX_DEPTH);
}

/// Appends an object in the canonical form of RFC 8785, without its members called `skipped`: as the
/// normal form, and sorted. Numbers must be spelled canonically, as everything is that JavaScript or this
/// crate writes.
pub(crate) fn write_canonical(out: &mut String, object: &str, skipped: &[&str]) {
    let mut writer = Writer { out, is_sorted: true };
    writer.object(object, skipped, MAX_DEPTH);
}

struct Writer<'o> {
    out: &'o mut String,
    is_sorted: bool,
}

impl Writer<'_> {
    fn value(&mut self, json: &str, depth: u32) {
        match json.as_bytes().first() {
            Some(b'{') if depth > 0 => self.object(json, &[], depth - 1),
            Some(b'[') if depth > 0 => self.list(json, depth - 1),
            Some(b'"') => match string_of(json) {
                Some(Cow::Owned(text)) => write_string(self.out, &text),
                _ => self.out.push_str(json),
            },
            _ => self.out.push_str(json),
        }
    }

    fn object(&mut self, json: &str, skipped: &[&str], depth: u32) {
        let mut members: Vec<(Cow<'_, str>, &str)> = Vec::with_capacity(16);
        each_member(json, &mut |name, value| {
            if !skipped.contains(&&*name) {
                members.push((name, value.get()));
            }
        });
        if self.is_sorted {
            members.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        }
        self.out.push('{');
        for (index, (name, value)) in members.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write_string(self.out, name);
            self.out.push(':');
            self.value(value, depth);
        }
        self.out.push('}');
    }

    fn list(&mut self, json: &str, depth: u32) {
        self.out.push('[');
        for (index, item) in items(json).unwrap_or_default().iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.value(item.get(), depth);
        }
        self.out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn normal(json: &str) -> String {
        let mut out = String::new();
        write_normal(&mut out, json);
        out
    }

    fn canonical(json: &str) -> String {
        let mut out = String::new();
        write_canonical(&mut out, json, &[]);
        out
    }

    #[test]
    fn the_normal_form_keeps_order_and_spelling() {
        for text in [
            r#"{"z":[1,-2,{"y":"ü\"\\\n\u001f"}],"a":null,"b":true,"z":false}"#,
            "0.50",
            "-0.001E+7",
            "1e999",
            "18446744073709551616",
            "[]",
            "{}",
            r#""""#,
        ] {
            assert_eq!(normal(text), text);
        }
        assert_eq!(normal("[ 1 , { \"a\" :\t2 } ]"), r#"[1,{"a":2}]"#);
        assert_eq!(normal(r#""\u0041\/\ud83d\ude00\ud800""#), "\"A/😀\u{fffd}\"");
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
    fn what_is_nested_too_deeply_is_copied() {
        let nested = |depth: usize| format!("{}1 {}", "[".repeat(depth), "]".repeat(depth));
        let depth = MAX_DEPTH as usize;
        assert_eq!(normal(&nested(depth)), nested(depth).replace(' ', ""));
        assert_eq!(normal(&nested(depth + 1)), nested(depth + 1));
        assert_eq!(normal(&nested(100_000)), nested(100_000));
    }
}
