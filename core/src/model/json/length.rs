//! How long a string is as JSON.

/// The longest escape of one byte in JSON.
pub(crate) const MAX_ESCAPE: usize = 6;

/// Bytes of `text` inside a JSON string, as serde writes it.
#[must_use]
pub(crate) fn escaped_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    // Without branches: most texts have nothing to escape.
    let is_plain = bytes.iter().fold(true, |is_plain, &byte| {
        is_plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\')
    });
    if is_plain {
        return bytes.len();
    }
    let width = |&byte: &u8| match byte {
        b'"' | b'\\' | 8 | b'\t' | b'\n' | 12 | b'\r' => 2,
        0..=31 => 6,
        _ => 1,
    };
    bytes.iter().map(width).sum()
}
