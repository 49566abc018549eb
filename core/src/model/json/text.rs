//! Values to JSON text.

use alloc::string::String;
use core::fmt::Write as _;

use serde::Serialize;

use super::escaped_len;

/// The text of an object, written member by member.
///
/// The client writes all of its JSON this way, without intermediate values, which is less code in
/// the browser.
///
/// ```
/// use presence_core::model::ObjectText;
/// let mut json = ObjectText::new();
/// json.text("host", "Zoe's \"Mac\"");
/// json.number("ts", 5);
/// assert_eq!(json.end(), r#"{"host":"Zoe's \"Mac\"","ts":5}"#);
/// ```
#[derive(Debug)]
pub struct ObjectText {
    text: String,
    is_empty: bool,
}

impl Default for ObjectText {
    fn default() -> Self {
        Self::new()
    }
}

impl ObjectText {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::after(String::new())
    }

    /// An object without members, appended to existing text.
    #[must_use]
    pub fn after(mut text: String) -> Self {
        text.push('{');
        Self { text, is_empty: true }
    }

    /// Starts a member; its value is to be appended to the returned text.
    pub fn member(&mut self, name: &str) -> &mut String {
        if !core::mem::take(&mut self.is_empty) {
            self.text.push(',');
        }
        write_string(&mut self.text, name);
        self.text.push(':');
        &mut self.text
    }

    /// A string.
    pub fn text(&mut self, name: &str, value: &str) {
        write_string(self.member(name), value);
    }

    /// A member that is left out when it is empty or absent: real gateways refuse an empty one.
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

    /// A list of numbers.
    pub fn numbers(&mut self, name: &str, values: &[usize]) {
        let text = self.member(name);
        for (index, value) in values.iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}{}", if index == 0 { '[' } else { ',' }, *value as u64);
        }
        text.push_str(if values.is_empty() { "[]" } else { "]" });
    }

    /// The whole text.
    #[must_use]
    pub fn end(mut self) -> String {
        self.text.push('}');
        self.text
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

/// The JSON text of a value that always serialises: strings, numbers, lists and objects of these.
pub(crate) fn json_text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}

/// A string as JavaScript's `JSON.stringify` writes it.
pub fn write_string(out: &mut String, text: &str) {
    if escaped_len(text) == text.len() {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&json_text(text));
    }
}
