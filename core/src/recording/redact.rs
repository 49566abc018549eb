//! Pseudonyms for names, ids and addresses.

mod letters;
#[cfg(test)]
mod tests;
mod words;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use self::words::{is_known, is_label, is_program};
use crate::model::beacon::parse_text;
use crate::model::ip::{is_loopback, normalise};
use crate::model::key::TEXT_KEY_UNITS;
use crate::model::placeholder::Kind;
use crate::model::text::prefix_units;

/// A suffix of host names that findings ignore.
const LOCAL: &str = ".local";
/// How often a pseudonym that may not be used is replaced by another one.
const MAX_ROUNDS: usize = 8;

/// Replaces letters and digits. Equal texts stay equal, also texts that differ only by case or, in ASCII, by blanks;
/// different ASCII texts stay different. Case, blanks, marks, lengths and the family of an address stay. Placeholders
/// and loopback addresses are unchanged. A letter outside ASCII becomes one of equal length and case.
///
/// Pseudonyms hide values from readers of a recording. The hash does not withstand an attack on its key, so the key
/// is random for each recording and is not stored.
#[derive(Clone)]
pub struct Redactor {
    key: [u8; 32],
    /// The seeds of ASCII pseudonyms, one for each direction.
    seeds: [u64; 2],
    octets: [u8; 256],
    /// The replacement of each hex digit of an IPv6 address.
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
            seeds: [0; 2],
            octets: core::array::from_fn(|value| u8::try_from(value).unwrap_or(u8::MAX)),
            digits: core::array::from_fn(|value| u8::try_from(value).unwrap_or(u8::MAX)),
        };
        redactor.seeds = [b"backwards".as_slice(), b"forwards"].map(|way| redactor.hash(way));
        // Groups with equal numbers of digits. 0 and 127 stay, so that no address becomes 0.0.0.0 or loopback.
        for class in [1..10, 10..100, 100..256_usize] {
            let values: Vec<u8> = redactor.octets[class]
                .iter()
                .copied()
                .filter(|&value| value != 127)
                .collect();
            for (value, other) in redactor.cycle(&values) {
                redactor.octets[usize::from(value)] = other;
            }
        }
        for class in [2..10, 10..16_usize] {
            let values: Vec<u8> = redactor.digits[class].to_vec();
            for (value, other) in redactor.cycle(&values) {
                redactor.digits[usize::from(value)] = other;
            }
        }
        redactor
    }

    /// Pairs each value with its replacement.
    fn cycle(&self, values: &[u8]) -> Vec<(u8, u8)> {
        let mut shuffled = values.to_vec();
        shuffled.sort_by_key(|&value| self.hash(&[value]));
        let others = shuffled.iter().copied().cycle().skip(1);
        shuffled.iter().copied().zip(others).collect()
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        xxh3_64(&[&self.key, bytes].concat())
    }

    /// A host, an id or another name. Names of well-known programs stay.
    #[must_use]
    pub fn name(&self, text: &str) -> Box<str> {
        self.name_but(text, is_kept)
    }

    /// A word about a client, such as a mode, a reason, a version or a platform. Usual values of programs are
    /// unchanged; other words could hold a name and are replaced as names.
    #[must_use]
    pub fn word(&self, text: &str) -> Box<str> {
        if is_known(text) {
            return text.into();
        }
        self.name_but(text, |text| is_kept(text) || is_known(text))
    }

    /// [`Self::word`] of each.
    #[must_use]
    pub fn words(&self, texts: &[Box<str>]) -> Vec<Box<str>> {
        texts.iter().map(|text| self.word(text)).collect()
    }

    /// Returns a pseudonym. One that `stays` accepts, or that is an address, is replaced by another one, at most
    /// [`MAX_ROUNDS`] times.
    fn name_but(&self, text: &str, stays: impl Fn(&str) -> bool) -> Box<str> {
        if is_kept(text) {
            return text.into();
        }
        if normalise(text).is_some() {
            return self.ip(text);
        }
        let end = text.len().saturating_sub(LOCAL.len());
        let (name, suffix) = match text.split_at_checked(end) {
            Some((name, suffix)) if suffix.eq_ignore_ascii_case(LOCAL) => (name, suffix),
            _ => (text, ""),
        };
        let mut redacted = self.other_letters(name);
        for _ in 0..MAX_ROUNDS {
            if !stays(&redacted) && normalise(&redacted).is_none() {
                break;
            }
            redacted = self.other_letters(&redacted);
        }
        redacted.push_str(suffix);
        redacted.into()
    }

    /// An IP address; other texts are names.
    #[must_use]
    pub fn ip(&self, text: &str) -> Box<str> {
        let Some(normal) = normalise(text) else {
            return self.name(text);
        };
        if is_loopback(text) || Kind::Ip.is_placeholder(text) {
            return text.into();
        }
        let (address, zone) = text.split_at(text.find('%').unwrap_or(text.len()));
        let mut redacted = if normal.contains(':') {
            self.v6(address, zone, &normal)
        } else {
            self.v4(address, &normal)
        };
        redacted.push_str(&self.word(zone));
        redacted.into()
    }

    /// An IPv4 address, also one that is mapped to IPv6. In hex digits it loses that spelling.
    fn v4(&self, address: &str, normal: &str) -> String {
        let is_dotted = address.contains('.');
        let start = if is_dotted { address.rfind(':') } else { None };
        let dotted = if is_dotted { address } else { normal };
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
        redacted
    }

    /// An IPv6 address before its zone. With octets at its end it loses that spelling: other digits could make a number
    /// above 255.
    fn v6(&self, address: &str, zone: &str, normal: &str) -> String {
        let address = if address.contains('.') { normal } else { address };
        let redacted = self.other_digits(address);
        match normalise(&[&*redacted, zone].concat()) {
            Some(other) if !other.contains(':') => {
                // A group became `ffff`, which maps it to IPv4. Its next pseudonym is that of no other IPv6 address.
                self.other_digits(&redacted)
            }
            _ => redacted,
        }
    }

    fn other_digits(&self, address: &str) -> String {
        address.chars().map(|c| self.digit(c)).collect()
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

    /// The text of a beacon or of a row. A text that follows the grammar still does, with all of its parts redacted; of
    /// any other text, the part that can be a key is redacted separately.
    #[must_use]
    pub fn beacon_text(&self, text: &str) -> Box<str> {
        if let Some(redacted) = self.parsed_text(text) {
            return redacted;
        }
        let key = prefix_units(text, TEXT_KEY_UNITS);
        let rest = &text[key.len()..];
        [self.sentence(key), self.sentence(rest)].concat().into()
    }

    /// `None` unless both the text and the result follow the grammar.
    fn parsed_text(&self, text: &str) -> Option<Box<str>> {
        let parsed = parse_text(text)?;
        let parts = [
            (parsed.host, self.name(parsed.host)),
            (parsed.ip, self.ip(parsed.ip)),
            (parsed.version, self.word(parsed.version)),
            (parsed.mode, self.word(parsed.mode)),
            (parsed.reason, self.word(parsed.reason)),
        ];
        let start = |part: &str| (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
        // The text before the grammar is free.
        let grammar = text[..start(parsed.host)?]
            .rfind(':')?
            .checked_sub("node".len())?;
        let mut redacted = self.sentence(&text[..grammar]);
        let mut done = grammar;
        for (part, other) in &parts {
            let at = start(part)?;
            redacted.push_str(text.get(done..at)?);
            redacted.push_str(other);
            done = at + part.len();
        }
        redacted.push_str(&text[done..]);
        let after = parse_text(&redacted)?;
        let values = [after.host, after.ip, after.version, after.mode, after.reason];
        let is_kept = parts
            .iter()
            .zip(values)
            .all(|((_, other), value)| **other == *value);
        is_kept.then(|| redacted.into())
    }

    /// Word by word, so that a host or an address in it gets the pseudonym that it has elsewhere.
    fn sentence(&self, text: &str) -> String {
        let is_between = |c: char| c.is_whitespace() || "()<>,;\u{b7}\"'".contains(c);
        let mut redacted = String::with_capacity(text.len());
        for part in text.split_inclusive(is_between) {
            let word = part.trim_end_matches(|c| is_between(c) || c == ':');
            if is_label(word) {
                redacted.push_str(word);
            } else {
                redacted.push_str(&self.name(word));
            }
            redacted.push_str(&part[word.len()..]);
        }
        redacted
    }
}

fn is_kept(text: &str) -> bool {
    let kinds = [Kind::Id, Kind::Host, Kind::Ip, Kind::Version];
    is_program(text) || kinds.iter().any(|kind| kind.is_placeholder(text))
}
