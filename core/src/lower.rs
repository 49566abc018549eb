//! Lower case, as `str::to_lowercase` makes it, from tables of two kilobytes.
//!
//! The standard library's own take fifteen, which everybody who opens a page would download. And keys
//! stay what they are when a newer compiler brings a newer Unicode.

mod tables;

use alloc::string::String;

/// The one character whose lower case is two: I with a dot above.
const DOTTED_I: char = '\u{130}';
const DOT_ABOVE: char = '\u{307}';
const SIGMA: char = '\u{3a3}';
const FINAL_SIGMA: char = '\u{3c2}';

/// The text in lower case: Unicode's full mapping, with the sigma that ends a word.
///
/// ```
/// use presence_core::lower::lower;
/// assert_eq!(lower("ÉCOLE"), "école");
/// assert_eq!(lower("ΑΘΗΝΑΣ"), "αθηνας");
/// ```
#[must_use]
pub fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut lowered = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c == SIGMA && ends_word(text, at) {
            lowered.push(FINAL_SIGMA);
        } else {
            lowered.extend(lower_char(c));
        }
    }
    lowered
}

/// The character in lower case: one character or two.
pub fn lower_char(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        DOTTED_I => ('i', Some(DOT_ABOVE)),
        c if c.is_ascii() => (c.to_ascii_lowercase(), None),
        c => (mapped(c), None),
    };
    [Some(first), second].into_iter().flatten()
}

fn mapped(c: char) -> char {
    let wanted = u32::from(c);
    let mut numbers = Numbers(tables::LOWER.iter());
    let mut start = 0;
    while let (Some(gap), Some(run), Some(distance)) = (numbers.next(), numbers.next(), numbers.next()) {
        start += gap;
        let Some(offset) = wanted.checked_sub(start) else {
            break;
        };
        let (length, step) = (run >> 1, 1 + (run & 1));
        if offset < length * step && offset.is_multiple_of(step) {
            let distance = (distance >> 1).cast_signed() ^ -(distance & 1).cast_signed();
            return wanted
                .checked_add_signed(distance)
                .and_then(char::from_u32)
                .unwrap_or(c);
        }
    }
    c
}

/// Whether the sigma at `at` follows a letter and no letter follows it (Unicode's Final_Sigma).
fn ends_word(text: &str, at: usize) -> bool {
    let Some((before, rest)) = text.split_at_checked(at) else {
        return false;
    };
    is_letter_next(before.chars().rev()) && !is_letter_next(rest.chars().skip(1))
}

fn is_letter_next(mut chars: impl Iterator<Item = char>) -> bool {
    chars
        .find(|&c| !is_within(&tables::SKIPPED, c))
        .is_some_and(|c| is_within(&tables::CASED, c))
}

fn is_within(ranges: &'static [u8], c: char) -> bool {
    let wanted = u32::from(c);
    let mut numbers = Numbers(ranges.iter());
    let mut end = 0;
    while let (Some(gap), Some(more)) = (numbers.next(), numbers.next()) {
        let start = end + gap;
        end = start + more;
        if wanted <= end {
            return start <= wanted;
        }
    }
    false
}

/// The numbers of a table.
struct Numbers(core::slice::Iter<'static, u8>);

impl Iterator for Numbers {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let mut number = 0;
        for (group, &byte) in self.0.by_ref().enumerate() {
            number |= u32::from(byte & 0x7f) << (7 * group);
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
