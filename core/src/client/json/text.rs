//! Values to JSON text.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::Json;

/// The text of an object, written member by member.
///
/// Everything this client writes is made this way, without values in between: that is less code in
/// the browser.
///
/// ```
/// use presence_core::client::ObjectText;
/// let mut json = ObjectText::new();
/// json.text("host", "Zoe's \"Mac\"");
/// json.number("ts", 5);
/// assert_eq!(json.end(), r#"{"host":"Zoe's \"Mac\"","ts":5}"#);
/// ```
#[derive(Debug)]
pub struct ObjectText(String);

impl Default for ObjectText {
    fn default() -> Self {
        Self::new()
    }
}

impl ObjectText {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self(String::from("{"))
    }

    /// Starts a member; its value is appended to what this returns.
    pub fn member(&mut self, name: &str) -> &mut String {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        write_string(&mut self.0, name);
        self.0.push(':');
        &mut self.0
    }

    /// A string.
    pub fn text(&mut self, name: &str, value: &str) {
        write_string(self.member(name), value);
    }

    /// A member that real gateways refuse when it is empty: left out then, as when it is absent.
    pub fn text_if_any(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.text(name, value);
        }
    }

    /// A number.
    pub fn number(&mut self, name: &str, value: u64) {
        // Writing to a String cannot fail.
        let _ = write!(self.member(name), "{value}");
    }

    /// A member whose value is JSON text already.
    pub fn raw(&mut self, name: &str, json: &str) {
        self.member(name).push_str(json);
    }

    /// A list of strings.
    pub fn texts(&mut self, name: &str, values: &mut dyn Iterator<Item = &str>) {
        let quoted = |value: &str| {
            let mut text = String::new();
            write_string(&mut text, value);
            text
        };
        let list = array_text(&mut values.map(quoted));
        self.raw(name, &list);
    }

    /// The whole text.
    #[must_use]
    pub fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A list of texts that are JSON already.
#[must_use]
pub fn array_text(items: &mut dyn Iterator<Item = String>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(']');
    text
}

pub(crate) fn write_members(out: &mut String, members: &[(Box<str>, Json)], is_sorted: bool) {
    let mut order: Vec<&(Box<str>, Json)> = Vec::with_capacity(members.len());
    for member in members {
        // RFC 8785 sorts by UTF-16 units; there are few members.
        let is_after = |other: &&(Box<str>, Json)| other.0.encode_utf16().gt(member.0.encode_utf16());
        let at = if is_sorted {
            order.iter().position(is_after)
        } else {
            None
        };
        order.insert(at.unwrap_or(order.len()), member);
    }
    out.push('{');
    for (index, (name, value)) in order.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        value.write_as(out, is_sorted);
    }
    out.push('}');
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
