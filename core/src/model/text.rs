//! Trimming and lengths of strings as in ECMAScript.

/// Trims as ECMAScript's `String.prototype.trim`: unlike Rust's, it removes U+FEFF and keeps
/// U+0085.
#[must_use]
pub fn trim(text: &str) -> &str {
    // The case of most texts.
    if let ([b'!'..=b'~', ..], [.., b'!'..=b'~']) = (text.as_bytes(), text.as_bytes()) {
        return text;
    }
    text.trim_matches(is_blank)
}

/// [`trim`], at the start only.
#[must_use]
pub fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_blank)
}

/// The longest prefix of at most `bytes` bytes that does not split a character.
#[must_use]
pub fn prefix_bytes(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The longest prefix of at most `units` UTF-16 units that does not split a character.
#[must_use]
pub fn prefix_units(text: &str, units: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.len_utf16();
        if used > units {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// Whether a character has neither a width nor, in most texts, a meaning: the soft hyphen, zero-width blanks and
/// joiners, the marks of direction, and U+FEFF.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn is_blank(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}
