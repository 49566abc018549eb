//! Replacement of letters and digits.

use alloc::string::String;
use alloc::vec::Vec;

use super::Redactor;
use crate::model::lower::{lower, lower_char};
use crate::model::text::is_invisible;

const DOT_ABOVE: char = '\u{307}';

impl Redactor {
    pub(super) fn other_letters(&self, text: &str) -> String {
        let is_other = |c: char| !lower_char(c).all(|c| c.is_ascii()) && alphabet(c).1 > 0;
        if text.chars().any(is_other) {
            return self.letters_of_a_hash(text);
        }
        let mut chars: Vec<char> = text.chars().collect();
        self.shift(&mut chars, true);
        self.shift(&mut chars, false);
        chars.into_iter().collect()
    }

    /// Shifts each letter in its alphabet, by a step that depends on all letters before it. The shift is reversible, so
    /// different texts stay different; with one shift in each direction, each letter depends on all others.
    fn shift(&self, chars: &mut [char], is_forwards: bool) {
        let last = chars.len().saturating_sub(1);
        let mut state = self.seeds[usize::from(is_forwards)];
        for at in 0..chars.len() {
            let place = if is_forwards { at } else { last - at };
            let c = chars[place];
            let next = chars.get(place + 1).copied();
            let (first, count) = if is_dotted_i(c, next) { (c, 0) } else { alphabet(c) };
            if let (Some(index), 1..) = (index(c), count) {
                let moved = (u64::from(index) + mix(state) % count) % count;
                chars[place] = letter(first, moved).unwrap_or(c);
            }
            // Backwards, steps depend on shifted letters, so that the shift stays reversible.
            let seen = if is_forwards { c } else { chars[place] };
            if !is_ignored(seen) {
                for c in lower_char(seen) {
                    state = mix(state ^ u64::from(c).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                }
            }
        }
    }

    /// Letters of a stream that depends on the whole text: for letters outside ASCII, whose alphabets are larger
    /// than those of their pseudonyms.
    fn letters_of_a_hash(&self, text: &str) -> String {
        let spelling = lower(text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'));
        let seed = self.hash(spelling.as_bytes());
        let mut at: u64 = 0;
        let mut chars = text.chars().peekable();
        let mut redacted = String::with_capacity(text.len());
        while let Some(c) = chars.next() {
            let next = chars.peek().copied();
            if !c.is_whitespace() && !is_mark(c) {
                at += 1;
            }
            let (first, count) = alphabet(c);
            if count == 0 || is_dotted_i(c, next) {
                redacted.push(c);
                continue;
            }
            let step = mix(seed.wrapping_add(at.wrapping_mul(0x9e37_79b9_7f4a_7c15))) % count;
            redacted.push(letter(first, step).unwrap_or(c));
        }
        redacted
    }
}

/// SplitMix64: the stream of a seed that is a keyed hash already.
fn mix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The first possible replacement of this letter, and their number. A capital takes the length of its small
/// letter, so that the two stay a pair.
fn alphabet(c: char) -> (char, u64) {
    let small = lower_char(c).next().unwrap_or(c);
    let is_capital = small != c;
    let (capitals, smalls, count) = match small {
        'a'..='z' if c != '\u{130}' => ('A', 'a', 26),
        '0'..='9' => ('0', '0', 10),
        _ if small.is_ascii() || is_mark(c) || !c.is_alphanumeric() => (c, c, 0),
        _ => match small.len_utf8() {
            2 => ('\u{410}', '\u{430}', 32),
            3 => ('\u{ff21}', '\u{ff41}', 26),
            _ => ('\u{10400}', '\u{10428}', 40),
        },
    };
    (if is_capital { capitals } else { smalls }, count)
}

/// The position of an ASCII letter or digit in its alphabet.
fn index(c: char) -> Option<u8> {
    let small = u8::try_from(lower_char(c).next()?).ok()?;
    match small {
        b'a'..=b'z' => Some(small - b'a'),
        b'0'..=b'9' => Some(small - b'0'),
        _ => None,
    }
}

fn letter(first: char, step: u64) -> Option<char> {
    char::from_u32(u32::from(first) + u32::try_from(step).ok()?)
}

/// A small `İ` is an `i` and a dot: it stays, as the capital does.
fn is_dotted_i(c: char, next: Option<char>) -> bool {
    c.eq_ignore_ascii_case(&'i') && next == Some(DOT_ABOVE)
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}') || is_invisible(c)
}

/// Whether findings ignore the character in ids and names of machines.
fn is_ignored(c: char) -> bool {
    c.is_whitespace() || is_invisible(c) || c.is_ascii_punctuation() || matches!(c, '\u{2010}'..='\u{2027}')
}
