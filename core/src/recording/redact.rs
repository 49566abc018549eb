//! Pseudonyms for names, ids and addresses.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use crate::findings::skeleton;
use crate::model::address::{is_loopback, normalise};
use crate::model::beacon::parse_text;
use crate::model::key::TEXT_KEY_UNITS;
use crate::model::lower::{lower, lower_char};
use crate::model::placeholder::Kind;
use crate::model::text::prefix_units;

/// Replaces letters and digits. What is equal stays equal, also where it is equal but for case or, in ASCII, blanks;
/// case, blanks, marks and lengths stay. Placeholders and loopback addresses stay as they are, and an address stays one
/// of its family. A letter outside ASCII becomes one of its length and case.
///
/// Pseudonyms hide values from who reads a recording; the hash is not made to withstand an attack on the key, so the
/// key is random for each recording and kept nowhere.
#[derive(Clone)]
pub struct Redactor {
    key: [u8; 32],
    octets: [u8; 256],
    /// Of hex digits.
    digits: [u8; 16],
}

impl core::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// A redactor with this key, which has to be random.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        let mut redactor = Self {
            key,
            octets: core::array::from_fn(|value| u8::try_from(value).unwrap_or(u8::MAX)),
            digits: core::array::from_fn(|value| u8::try_from(value).unwrap_or(u8::MAX)),
        };
        // Within these the number of digits stays. 0 and 127 stay, so that no address becomes 0.0.0.0 or loopback.
        for class in [1..10, 10..100, 100..256_usize] {
            let values: Vec<u8> = redactor.octets[class]
                .iter()
                .copied()
                .filter(|&value| value != 127)
                .collect();
            for (&value, other) in values.iter().zip(redactor.shuffled(&values)) {
                redactor.octets[usize::from(value)] = other;
            }
        }
        for class in [2..10, 10..16_usize] {
            let values: Vec<u8> = redactor.digits[class].to_vec();
            for (&value, other) in values.iter().zip(redactor.shuffled(&values)) {
                redactor.digits[usize::from(value)] = other;
            }
        }
        redactor
    }

    fn shuffled(&self, values: &[u8]) -> Vec<u8> {
        let mut shuffled = values.to_vec();
        shuffled.sort_by_key(|&value| self.hash(&[value]));
        shuffled
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        xxh3_64(&[&self.key, bytes].concat())
    }

    /// A host, an id or another name.
    #[must_use]
    pub fn name(&self, text: &str) -> Box<str> {
        let kinds = [Kind::Id, Kind::Host, Kind::Ip];
        if kinds.iter().any(|kind| kind.is_placeholder(text)) {
            return text.into();
        }
        if normalise(text).is_some() {
            return self.ip(text);
        }
        self.letters(text).into()
    }

    fn letters(&self, text: &str) -> String {
        // Different letters outside ASCII can have one skeleton; their pseudonyms have to differ.
        let has_others = text.chars().any(|c| !c.is_ascii() && alphabet(c).1 > 0);
        let spelling = if has_others {
            lower(text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'))
        } else {
            skeleton(text)
        };
        let seed = self.hash(spelling.as_bytes());
        let mut at: u64 = 0;
        let mut chars = text.chars().peekable();
        let mut redacted = String::with_capacity(text.len());
        while let Some(c) = chars.next() {
            let is_marked = chars.peek().is_some_and(|&next| is_mark(next));
            if !c.is_whitespace() && !is_mark(c) {
                at += 1;
            }
            let (first, count) = alphabet(c);
            if count == 0 || (is_marked && c.is_ascii()) {
                redacted.push(c);
                continue;
            }
            let step = mix(seed.wrapping_add(at.wrapping_mul(0x9e37_79b9_7f4a_7c15))) % count;
            let letter = u32::from(first) + u32::try_from(step).unwrap_or(0);
            redacted.push(char::from_u32(letter).unwrap_or(c));
        }
        redacted
    }

    /// An IP address; other texts are names.
    #[must_use]
    pub fn ip(&self, text: &str) -> Box<str> {
        let Some(normal) = normalise(text) else {
            return self.name_of_no_address(text);
        };
        if is_loopback(text) || Kind::Ip.is_placeholder(text) {
            return text.into();
        }
        if !normal.contains(':') {
            // An IPv4 address that is written as one of IPv6 in hex digits loses that spelling.
            let start = if text.contains('.') { text.rfind(':') } else { None };
            let dotted = if text.contains('.') { text } else { &normal };
            let (before, dotted) = dotted.split_at(start.map_or(0, |colon| colon + 1));
            let mut redacted = String::from(before);
            for part in dotted.split_inclusive(|c: char| !c.is_ascii_digit()) {
                let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
                match digits.parse::<u8>() {
                    Ok(octet) => {
                        let octet = self.octets[usize::from(octet)];
                        redacted.push_str(&alloc::format!("{octet}{}", &part[digits.len()..]));
                    }
                    Err(_) => redacted.push_str(part),
                }
            }
            return redacted.into();
        }
        let (address, zone) = text.split_at(text.find('%').unwrap_or(text.len()));
        let mut redacted: String = address.chars().map(|c| self.digit(c)).collect();
        redacted.push_str(zone);
        redacted.into()
    }

    fn name_of_no_address(&self, text: &str) -> Box<str> {
        if Kind::Ip.is_placeholder(text) {
            return text.into();
        }
        self.letters(text).into()
    }

    fn digit(&self, c: char) -> char {
        let other = c
            .to_digit(16)
            .and_then(|digit| self.digits.get(digit as usize))
            .and_then(|&digit| char::from_digit(u32::from(digit), 16));
        match other {
            Some(other) if c.is_ascii_uppercase() => other.to_ascii_uppercase(),
            Some(other) => other,
            None => c,
        }
    }

    /// The text of a beacon. One that follows the grammar still does, with the host and the address redacted; of
    /// another one the part that can be a key is redacted apart from the rest.
    #[must_use]
    pub fn beacon_text(&self, text: &str) -> Box<str> {
        if let Some(parsed) = parse_text(text) {
            let start = |part: &str| (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
            if let (Some(host), Some(ip)) = (start(parsed.host), start(parsed.ip)) {
                let (host_end, ip_end) = (host + parsed.host.len(), ip + parsed.ip.len());
                let parts = [
                    &text[..host],
                    &self.name(parsed.host),
                    &text[host_end..ip],
                    &self.ip(parsed.ip),
                    &text[ip_end..],
                ];
                return parts.concat().into();
            }
        }
        let key = prefix_units(text, TEXT_KEY_UNITS);
        let rest = &text[key.len()..];
        [self.letters(key), self.letters(rest)].concat().into()
    }
}

/// SplitMix64: the stream of a seed that is a keyed hash already.
fn mix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The first letter that may stand for this one, and how many there are. A capital takes the length of its small
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

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_outside_ascii_are_replaced_by_pairs() {
        let redactor = Redactor::new([3; 32]);
        for (one, two) in [
            ("дача", "ДАЧА"),
            ("ｈｏｓｔ", "ＨＯＳＴ"),
            ("ας", "ΑΣ"),
            ("\u{212a}ey", "key"),
        ] {
            let (red, other) = (redactor.name(one), redactor.name(two));
            assert_eq!(lower(&red), lower(&other), "{one}");
            assert!(
                one.chars()
                    .zip(red.chars())
                    .any(|(before, after)| before != after)
            );
        }
        for text in ["дача", "田中", "𐐨𐐩", "Dача 5"] {
            let red = redactor.name(text);
            assert_ne!(&*red, text);
            assert_eq!(red.len(), text.len());
            assert_eq!(red.encode_utf16().count(), text.encode_utf16().count());
        }
        assert_ne!(redactor.name("éёéёéё"), redactor.name("èёèёèё"));
    }
}
