//! The model's own reading of texts: keys, the beacon grammar, loopback addresses.

use std::net::IpAddr;
use std::sync::OnceLock;

use regex::Regex;

/// The key of a row other than self.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A normalised text of a client.
    Named(String),
    /// The id of a connection that sent nothing to go by.
    Connection(String),
}

/// ECMAScript's white space and line terminators.
const BLANKS: &str = "\u{9}\u{b}\u{c}\u{20}\u{a0}\u{feff}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\
\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{202f}\u{205f}\u{3000}\u{a}\u{d}\u{2028}\u{2029}";

/// Trimmed as ECMAScript trims.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c| BLANKS.contains(c))
}

/// Trimmed and lower-cased; nothing if nothing is left.
#[must_use]
pub fn normalise(text: &str) -> Option<String> {
    let text = trimmed(text).to_lowercase();
    (!text.is_empty()).then_some(text)
}

/// A word that stands for an absent value: SPEC 1.4, "Placeholders are absent".
#[must_use]
pub fn is_placeholder(kind: &str, text: &str) -> bool {
    let ids = [
        "undefined",
        "null",
        "none",
        "unknown",
        "n/a",
        "nan",
        "[object object]",
    ];
    let names = ["undefined", "null", "n/a", "unknown", "(none)"];
    let text = normalise(text).unwrap_or_default();
    let is_one_of = |words: &[&str]| words.contains(&text.as_str());
    match kind {
        "id" => is_one_of(&ids) || text == "00000000-0000-0000-0000-000000000000",
        "ip" => is_one_of(&ids) || is_one_of(&["ip-unknown", "localhost", "0.0.0.0", "::"]),
        _ => is_one_of(&names),
    }
}

/// The value unless it is absent or a placeholder.
#[must_use]
pub fn present(kind: &str, value: Option<Box<str>>) -> Option<Box<str>> {
    value.filter(|text| !is_placeholder(kind, text))
}

/// The first 64 UTF-16 units of the trimmed text, as a key.
///
/// # Panics
/// If the text is blank: beacons have a text.
#[must_use]
pub fn text_key(text: &str) -> String {
    let units: Vec<u16> = trimmed(text).encode_utf16().take(64).collect();
    // Half a pair at the end does not decode, and goes.
    let whole: String = char::decode_utf16(units).map_while(Result::ok).collect();
    let key = normalise(&whole);
    assert!(key.is_some(), "a beacon without text");
    key.unwrap_or_default()
}

/// The values of a beacon's text (reference 1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedText {
    /// Host name.
    pub host: String,
    /// The text in parentheses.
    pub ip: String,
    /// After `app`.
    pub version: String,
    /// Seconds since the last input.
    pub last_input_seconds: u64,
    /// After `mode`.
    pub mode: String,
    /// After `reason`.
    pub reason: String,
}

/// The grammar of reference 1.5 as the regular expression it was measured to be.
#[must_use]
pub fn parsed_text(text: &str) -> Option<ParsedText> {
    static GRAMMAR: OnceLock<Option<Regex>> = OnceLock::new();
    let grammar = GRAMMAR.get_or_init(|| {
        // Words match in any ASCII case, as in ECMAScript without the `u` flag. A host of only blanks
        // does not match; the original reads it as an empty name.
        let grammar = concat!(
            r"(?i-u:Node:)\s*([^ (]*[^\s(][^ (]*)\s*\(([^)]+)\)\s*·\s*(?i-u:app)\s*([^·]+?)\s*·\s*",
            r"(?i-u:last input)\s*([0-9]+)(?i-u:s ago)\s*·\s*(?i-u:mode)\s*([^·]+?)\s*·\s*",
            r"(?i-u:reason)\s*([^\n\r\u2028\u2029]+)$",
        );
        let in_class = grammar.replace(r"[^\s(]", &format!("[^({BLANKS}]"));
        Regex::new(&in_class.replace(r"\s", &format!("[{BLANKS}]"))).ok()
    });
    let found = grammar.as_ref()?.captures(text)?;
    let part = |at: usize| trimmed(found.get(at).map_or("", |part| part.as_str())).to_owned();
    Some(ParsedText {
        host: part(1),
        ip: part(2),
        version: part(3),
        last_input_seconds: part(4).parse().unwrap_or(u64::MAX),
        mode: part(5),
        reason: part(6),
    })
}

/// Whether an address as a socket gives it is the machine itself.
#[must_use]
pub fn is_loopback(address: &str) -> bool {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => v4.octets()[0] == 127,
        Ok(IpAddr::V6(v6)) => {
            let words = v6.segments();
            words == [0, 0, 0, 0, 0, 0, 0, 1]
                || (words[..6] == [0, 0, 0, 0, 0, 0xffff] && words[6] >> 8 == 127)
        }
        Err(_) => false,
    }
}
