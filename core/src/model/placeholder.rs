//! Placeholders that programs write in place of a value (SPEC 1.4): they count as absent.
//!
//! JavaScript prints `undefined`, `null`, `NaN` and `[object Object]` for missing values, disk images and build
//! scripts leave `unknown` or the nil UUID, the mac app sends `ip-unknown`, and Linux has `(none)` for a host without
//! a name. Two clients with one placeholder are not one client, and a placeholder must not replace a value. A host
//! may be called `none`, so the lists differ by kind.

use crate::model::lower::lower;
use crate::model::text::trim;

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An `instanceId` or a `deviceId`.
    Id,
    /// An IP address.
    Ip,
    /// A host name.
    Host,
    /// A version.
    Version,
}

const WORDS: [&str; 7] = [
    "undefined",
    "null",
    "none",
    "unknown",
    "n/a",
    "nan",
    "[object object]",
];
const NIL_UUID: &str = "00000000-0000-0000-0000-000000000000";
const ADDRESSES: [&str; 4] = ["ip-unknown", "localhost", "0.0.0.0", "::"];
const NAMES: [&str; 5] = ["undefined", "null", "n/a", "unknown", "(none)"];

impl Kind {
    /// The placeholders of this kind, in lower case.
    fn placeholders(self) -> [&'static [&'static str]; 2] {
        match self {
            Self::Id => [&WORDS, &[NIL_UUID]],
            Self::Ip => [&WORDS, &ADDRESSES],
            Self::Host | Self::Version => [&NAMES, &[]],
        }
    }

    /// Whether `text`, trimmed and lower-cased, stands for an absent value.
    ///
    /// ```
    /// use presence_core::model::placeholder::Kind;
    /// assert!(Kind::Id.is_placeholder(" Undefined ") && Kind::Id.is_placeholder("None"));
    /// assert!(!Kind::Host.is_placeholder("None"));
    /// ```
    #[must_use]
    #[inline]
    pub fn is_placeholder(self, text: &str) -> bool {
        self.placeholder(text).is_some()
    }

    /// The word of the table that `text` is, if it is one.
    #[must_use]
    #[inline]
    pub fn placeholder(self, text: &str) -> Option<&'static str> {
        // The first character rules most texts out, unless it is a blank.
        let first = text.as_bytes().first().map(u8::to_ascii_lowercase);
        let begins_plainly = matches!(first, Some(b'!'..=b'~') | None);
        let begins_like_one = matches!(first, Some(b'u' | b'n' | b'[' | b'0' | b'i' | b'l' | b':' | b'('));
        if begins_plainly && !begins_like_one {
            return None;
        }
        self.lists(trim(text))
    }

    fn lists(self, text: &str) -> Option<&'static str> {
        if text.len() > 2 * NIL_UUID.len() {
            return None;
        }
        let mut listed = self.placeholders().into_iter().flatten().copied();
        if text.is_ascii() {
            return listed.find(|word| word.eq_ignore_ascii_case(text));
        }
        let lowered = lower(text);
        listed.find(|word| **word == *lowered)
    }

    /// The text unless it is absent or a placeholder.
    #[must_use]
    pub fn present(self, text: Option<&str>) -> Option<&str> {
        text.filter(|text| !self.is_placeholder(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_listed_words_are_placeholders() {
        let everywhere = ["undefined", " NULL\t", "N/A", "unknown", "un\u{212a}nown"];
        for kind in [Kind::Id, Kind::Ip, Kind::Host, Kind::Version] {
            for word in everywhere {
                assert!(kind.is_placeholder(word), "{kind:?} {word}");
            }
            for word in ["", "undefined1", "0", "-", "nil", "localhost.local", "東京"] {
                assert!(!kind.is_placeholder(word), "{kind:?} {word}");
            }
        }
        for (kind, words) in [
            (Kind::Id, &["none", "NaN", "[object Object]", NIL_UUID][..]),
            (
                Kind::Ip,
                &[
                    "none",
                    "nan",
                    "[object object]",
                    "ip-unknown",
                    "LOCALHOST",
                    "0.0.0.0",
                    "::",
                ],
            ),
            (Kind::Host, &["(none)"]),
            (Kind::Version, &["(None)"]),
        ] {
            for word in words {
                assert!(kind.is_placeholder(word), "{kind:?} {word}");
            }
        }
        for (kind, words) in [
            (Kind::Id, &["(none)", "localhost", "::", "0.0.0.0"][..]),
            (Kind::Ip, &["(none)", NIL_UUID, "::1", "127.0.0.1"]),
            (Kind::Host, &["none", "nan", "localhost", NIL_UUID]),
            (Kind::Version, &["none", "NaN", "0.0.0.0"]),
        ] {
            for word in words {
                assert!(!kind.is_placeholder(word), "{kind:?} {word}");
            }
        }
    }
}
