//! One row as the gateway sent it.

mod draft;
#[cfg(test)]
mod tests;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

#[cfg(any(feature = "client", feature = "server"))]
pub(crate) use self::draft::Draft;

use super::json::{each_member, each_raw_member, integer_of, items, string_of, write_normal, write_string};
use crate::model::key::PresenceKey;
use crate::model::status::has_left;
use crate::model::text::{trim, trim_start};

/// Most members of a row that are kept.
pub(crate) const MAX_MEMBERS: usize = 256;

/// One row of a presence list: its JSON text, every member kept in the order received, known or not
/// (SPEC 1.1), and an index of its members.
///
/// ```
/// use presence_core::model::RawEntry;
/// let rows = RawEntry::parse_list(r#"[{"mood":"fine","instanceId":" Mac-1 ","ts":5.9}]"#).unwrap();
/// assert_eq!(rows[0].ts(), Some(5));
/// assert_eq!(rows[0].instance_key().unwrap().as_str(), "mac-1");
/// assert_eq!(rows[0].to_string(), r#"{"mood":"fine","instanceId":" Mac-1 ","ts":5.9}"#);
/// ```
#[derive(Clone, Debug)]
pub struct RawEntry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The row in normal form, followed by the decoded texts of strings with escapes.
    text: Box<str>,
    /// The length of the row.
    len: usize,
    members: Box<[Member]>,
}

impl Inner {
    /// Keeps a row that is in normal form already, without escapes and blanks, as most gateways send it.
    fn verbatim(json: &str) -> Option<Self> {
        if json.as_bytes().contains(&b'\\') {
            return None;
        }
        let mut members = Vec::with_capacity(16);
        let mut has_blanks = false;
        // Where the next member begins, if the row consists only of members and the marks between them. The length
        // shows at the end whether it does.
        let mut at = "{".len();
        each_raw_member(json, &mut |name, text| {
            let first = text.as_bytes().first();
            has_blanks |= matches!(first, Some(b'{' | b'[')) && text.bytes().any(|byte| byte <= b' ');
            let name = unquoted(&(at..at + name.len()));
            let value = name.end + 2..name.end + 2 + text.len();
            at = value.end + 1;
            members.push(Member {
                string: (first == Some(&b'"')).then(|| unquoted(&value)),
                name,
                value,
            });
        })?;
        let len = at.max("{}".len());
        (len == json.len() && !has_blanks && members.len() <= MAX_MEMBERS).then(|| Self {
            text: json.into(),
            len,
            members: members.into(),
        })
    }
}

/// The place of a member in the text.
#[derive(Debug)]
struct Member {
    name: Range<usize>,
    value: Range<usize>,
    /// The decoded text of a string.
    string: Option<Range<usize>>,
}

impl RawEntry {
    /// Reads a row, if `json` is an object.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        if let Some(inner) = Inner::verbatim(json) {
            return Some(Self(Arc::new(inner)));
        }
        let mut builder = Builder::new(json.len());
        each_member(json, &mut |name, value| {
            if builder.members.len() < MAX_MEMBERS {
                builder.push(&name, |text| write_normal(text, value.get()));
            }
        })?;
        Some(Self(Arc::new(builder.finish())))
    }

    /// Reads a list of rows; items that are not objects are left out.
    #[must_use]
    pub fn parse_list(json: &str) -> Option<Vec<Self>> {
        let rows = items(json)?.into_iter();
        Some(rows.filter_map(|row| Self::read(row.get())).collect())
    }

    /// The row as JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.slice(&(0..self.0.len))
    }

    /// The names of all members and the JSON texts of their values, in order.
    pub fn members(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        let members = self.0.members.iter();
        members.map(|member| (self.slice(&member.name), self.slice(&member.value)))
    }

    /// The JSON text of the member called `name`; `null` counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|text| *text != "null")
    }

    /// The JSON text of the member called `name`, which may be `null`.
    fn value(&self, name: &str) -> Option<&str> {
        Some(self.slice(&self.member(name)?.value))
    }

    /// The string in the member called `name`.
    #[must_use]
    pub fn str(&self, name: &str) -> Option<&str> {
        Some(self.slice(self.member(name)?.string.as_ref()?))
    }

    /// The number in the member called `name`, as [`integer`](super::json::integer) has it.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<u64> {
        integer_of(self.get(name)?)
    }

    /// The normalised text of the member called `name`; `None` if blank (SPEC 1.2).
    #[must_use]
    pub fn key(&self, name: &str) -> Option<PresenceKey> {
        self.str(name).and_then(PresenceKey::of_name)
    }

    /// The key of its instance: its `instanceId`, unless that only repeats the `deviceId`, as some
    /// gateways send it (SPEC 3).
    #[must_use]
    pub fn instance_key(&self) -> Option<PresenceKey> {
        self.key("instanceId")
            .filter(|id| self.device_key().as_ref() != Some(id))
    }

    /// The key of its device.
    #[must_use]
    pub fn device_key(&self) -> Option<PresenceKey> {
        self.key("deviceId")
    }

    /// When it was last written or touched, ms since the Unix epoch on the gateway's clock.
    #[must_use]
    pub fn ts(&self) -> Option<u64> {
        self.integer("ts")
    }

    /// Whether its client is gone: the literal reason `disconnect` (reference 5.4).
    #[must_use]
    pub fn is_disconnect(&self) -> bool {
        has_left([self.str("reason")])
    }

    /// Whether it is the gateway's own row: mode `gateway` and reason `self`, or, where these are
    /// absent, a text that starts with `Gateway:` (reference 1.6).
    #[must_use]
    pub fn is_self(&self) -> bool {
        match (self.str("mode"), self.str("reason")) {
            (Some(mode), Some(reason)) => trim(mode) == "gateway" && trim(reason) == "self",
            _ => self
                .str("text")
                .is_some_and(|text| trim_start(text).starts_with("Gateway:")),
        }
    }

    /// Whether both have the same members, apart from those called `skipped`.
    pub(crate) fn eq_without(&self, other: &Self, skipped: &[&str]) -> bool {
        let is_kept = |(name, _): &(&[u8], &[u8])| !skipped.iter().any(|skipped| skipped.as_bytes() == *name);
        let (mut own, mut others) = (self.member_bytes(), other.member_bytes());
        loop {
            match (own.next(), others.next()) {
                (None, None) => return true,
                // Names are compared with `skipped` only where something differs.
                (Some(a), Some(b)) if a == b || (a.0 == b.0 && !is_kept(&a)) => {}
                (a, b) => {
                    let rest = a.into_iter().chain(own).filter(is_kept);
                    return rest.eq(b.into_iter().chain(others).filter(is_kept));
                }
            }
        }
    }

    fn member_bytes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let members = self.0.members.iter();
        members.map(|member| (self.bytes(&member.name), self.bytes(&member.value)))
    }

    /// Of members with one name the last counts, as in JavaScript.
    fn member(&self, name: &str) -> Option<&Member> {
        let mut members = self.0.members.iter().rev();
        members.find(|member| self.bytes(&member.name) == name.as_bytes())
    }

    /// [`slice`](Self::slice) without the check that it starts and ends with whole characters.
    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.0.text.as_bytes().get(range.clone()).unwrap_or(&[])
    }

    fn slice(&self, range: &Range<usize>) -> &str {
        // Never out of range: the builder made text and ranges.
        self.0.text.get(range.clone()).unwrap_or("")
    }
}

/// Two rows with the same members, in the same order, are equal.
impl PartialEq for RawEntry {
    fn eq(&self, other: &Self) -> bool {
        // A row that was merged from only one row shares its text.
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl Eq for RawEntry {}

/// A row without members.
impl Default for RawEntry {
    fn default() -> Self {
        Self(Arc::new(Builder::new(0).finish()))
    }
}

impl fmt::Display for RawEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Writes a row member by member.
struct Builder {
    text: String,
    members: Vec<Member>,
}

impl Builder {
    fn new(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push('{');
        Self {
            text,
            members: Vec::with_capacity(16),
        }
    }

    fn push(&mut self, name: &str, write_value: impl FnOnce(&mut String)) {
        if !self.members.is_empty() {
            self.text.push(',');
        }
        let start = self.text.len();
        write_string(&mut self.text, name);
        let name = start..self.text.len();
        self.text.push(':');
        let start = self.text.len();
        write_value(&mut self.text);
        self.members.push(Member {
            name,
            value: start..self.text.len(),
            string: None,
        });
    }

    fn finish(mut self) -> Inner {
        self.text.push('}');
        let len = self.text.len();
        for member in &mut self.members {
            member.name = decoded_text(&mut self.text, &member.name).unwrap_or_default();
            member.string = decoded_text(&mut self.text, &member.value);
        }
        Inner {
            text: self.text.into(),
            len,
            members: self.members.into(),
        }
    }
}

/// Finds the decoded text of a string: between its quotes, or, if it has escapes, appended to `text`.
fn decoded_text(text: &mut String, json: &Range<usize>) -> Option<Range<usize>> {
    match string_of(text.get(json.clone())?)? {
        Cow::Borrowed(_) => Some(unquoted(json)),
        Cow::Owned(decoded) => {
            let start = text.len();
            text.push_str(&decoded);
            Some(start..text.len())
        }
    }
}

fn unquoted(json: &Range<usize>) -> Range<usize> {
    json.start + 1..json.end - 1
}
