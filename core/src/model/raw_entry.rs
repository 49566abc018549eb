//! One row as the gateway sent it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::json::{Json, Members, Origin, RowText, floor, member, write_canonical_members};
use crate::model::entry::MAX_SAFE_INTEGER;
use crate::model::key::PresenceKey;
use crate::model::status::has_left;
use crate::model::text::{trim, trim_start};

/// Most members of a row that are kept.
const MAX_MEMBERS: usize = 256;

/// One row of a presence list, every member kept in the order received, known or not (SPEC 1.1).
///
/// ```
/// use presence_core::model::RawEntry;
/// let rows = RawEntry::parse_list(r#"[{"mood":"fine","instanceId":" Mac-1 ","ts":5.9}]"#).unwrap();
/// assert_eq!(rows[0].ts(), Some(5));
/// assert_eq!(rows[0].instance_key().unwrap().as_str(), "mac-1");
/// assert_eq!(rows[0].to_string(), r#"{"mood":"fine","instanceId":" Mac-1 ","ts":5.9}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawEntry(Arc<Members>);

impl RawEntry {
    /// The row, if `json` is an object.
    #[must_use]
    pub fn new(json: &Json) -> Option<Self> {
        let Json::Object(members) = json else { return None };
        if members.row().is_none() && members.values().len() > MAX_MEMBERS {
            let kept = members.values().iter().take(MAX_MEMBERS).cloned();
            return Some(Self(Arc::new(Members::from(kept.collect::<Vec<_>>()))));
        }
        Some(Self(members.clone()))
    }

    /// The rows of a list; what is not an object is left out.
    #[must_use]
    pub fn list(items: &[Json]) -> Vec<Self> {
        items.iter().filter_map(Self::new).collect()
    }

    /// The rows in what a person pastes: a list, or anything a gateway sends that holds one (a
    /// `presence` event or its payload, `hello-ok` or its snapshot, the answer to `system-presence`).
    #[must_use]
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        let json = Json::parse(text).ok()?;
        Self::find_list(&json)
    }

    /// The rows in anything a gateway sends that holds a list of them.
    #[must_use]
    pub fn find_list(json: &Json) -> Option<Vec<Self>> {
        Origin::PLACES
            .iter()
            .take(Origin::UPSERTS as usize)
            .find_map(|path| json.at(path)?.as_array())
            .map(Self::list)
    }

    /// All members in order.
    #[must_use]
    pub fn members(&self) -> &[(Box<str>, Json)] {
        self.0.values()
    }

    /// The row's text, if it is as it came.
    fn row(&self) -> Option<&RowText> {
        self.0.row()
    }

    /// Where it was in the frame it came in; `None` if it is not, to the letter, as it was there.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        self.row().map(RowText::origin)
    }

    /// The member called `name`; `null` counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        member(self.members(), name).filter(|value| **value != Json::Null)
    }

    /// The string in the member called `name`.
    #[must_use]
    pub fn str(&self, name: &str) -> Option<&str> {
        match self.row() {
            Some(row) => row.str(name),
            None => self.get(name)?.as_str(),
        }
    }

    /// The number in the member called `name`, as [`Json::as_u64`] has it.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<u64> {
        match self.row() {
            Some(row) => row.integer(name),
            None => self.get(name)?.as_u64(),
        }
    }

    /// The same, and whether it is written as [`set_integer`](Self::set_integer) would, or not there at all.
    pub(crate) fn integer_as_written(&self, name: &str) -> (Option<u64>, bool) {
        let number = match self.row() {
            Some(row) => match row.value(name) {
                Some(value) => value,
                None => return (None, true),
            },
            None => match member(self.members(), name) {
                Some(Json::Number(text)) => text,
                other => return (None, other.is_none()),
            },
        };
        let is_number = matches!(number.as_bytes(), [b'-' | b'0'..=b'9', ..]);
        let integer = is_number.then(|| floor(number));
        // The greatest number also stands for those beyond.
        let is_it = integer.is_some_and(|integer| integer != MAX_SAFE_INTEGER)
            && number.bytes().all(|byte| byte.is_ascii_digit());
        (integer, is_it)
    }

    /// The normalised text of the member called `name`; `None` if blank (SPEC 1.2).
    #[must_use]
    pub fn key(&self, name: &str) -> Option<PresenceKey> {
        self.str(name).and_then(PresenceKey::of_name)
    }

    /// The instance it is of: its `instanceId`, unless that only repeats the `deviceId`, as some
    /// gateways have it (SPEC 3).
    #[must_use]
    pub fn instance_key(&self) -> Option<PresenceKey> {
        self.key("instanceId")
            .filter(|id| self.device_key().as_ref() != Some(id))
    }

    /// The device it is on.
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

    /// Appends its JSON text to `out`.
    pub(crate) fn write(&self, out: &mut String) {
        self.0.write(out);
    }

    /// Appends it to `out` as RFC 8785 says, without the members called `skipped`.
    pub(crate) fn write_canonical(&self, out: &mut String, skipped: &[&str]) {
        let is_written = self.row().is_some_and(|row| row.write_canonical(out, skipped));
        if !is_written {
            write_canonical_members(out, self.members(), skipped);
        }
    }

    /// Whether both have the same members, but for those called `skipped`.
    pub(crate) fn eq_without(&self, other: &Self, skipped: &[&str]) -> bool {
        if let (Some(own), Some(other)) = (self.row(), other.row()) {
            let is_kept = |(name, _): &(&str, &str)| !skipped.contains(name);
            return own.members().filter(is_kept).eq(other.members().filter(is_kept));
        }
        let is_kept = |(name, _): &&(Box<str>, Json)| !skipped.contains(&&**name);
        let members = other.members().iter().filter(is_kept);
        self.members().iter().filter(is_kept).eq(members)
    }

    /// Writes a number, as [`set`](Self::set) does.
    pub(crate) fn set_integer(&mut self, name: &str, value: u64) {
        if self.integer_as_written(name) != (Some(value), true) {
            self.set(name, value.into());
        }
    }

    /// Writes the member called `name`, in its place if it is there.
    pub(crate) fn set(&mut self, name: &str, value: Json) {
        if member(self.members(), name) == Some(&value) {
            return;
        }
        let members = Members::make_mut(&mut self.0);
        match members.iter_mut().rev().find(|(own, _)| **own == *name) {
            Some((_, stored)) => *stored = value,
            None => members.push((name.into(), value)),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let is_there = match self.row() {
            Some(row) => row.value(name).is_some(),
            None => member(self.members(), name).is_some(),
        };
        if is_there {
            Members::make_mut(&mut self.0).retain(|(own, _)| **own != *name);
        }
    }
}

impl fmt::Display for RawEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

impl From<RawEntry> for Json {
    fn from(entry: RawEntry) -> Self {
        Self::Object(entry.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> RawEntry {
        RawEntry::new(&Json::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn finds_the_list_wherever_a_gateway_puts_it() {
        for text in [
            r#"[{"ts":1}]"#,
            r#"{"presence":[{"ts":1}]}"#,
            r#"{"type":"res","id":"2","ok":true,"payload":[{"ts":1},"junk",null]}"#,
            r#"{"type":"event","event":"presence","payload":{"presence":[{"ts":1}]},"seq":1}"#,
            r#"{"type":"hello-ok","snapshot":{"presence":[{"ts":1}]}}"#,
            r#"{"type":"res","payload":{"type":"hello-ok","snapshot":{"presence":[{"ts":1}]}}}"#,
        ] {
            assert_eq!(
                RawEntry::parse_list(text).unwrap(),
                [one(r#"{"ts":1}"#)],
                "{text}"
            );
        }
        assert_eq!(RawEntry::parse_list("{}"), None);
        assert_eq!(RawEntry::parse_list("not json"), None);
    }

    #[test]
    fn an_instance_id_that_repeats_the_device_id_is_none() {
        assert_eq!(
            one(r#"{"instanceId":" D1","deviceId":"d1"}"#).instance_key(),
            None
        );
        assert_eq!(one(r#"{"instanceId":" "}"#).instance_key(), None);
        assert!(
            one(r#"{"instanceId":"i1","deviceId":"d1"}"#)
                .instance_key()
                .is_some()
        );
    }

    #[test]
    fn tells_the_gateway_from_its_clients() {
        assert!(one(r#"{"mode":"gateway","reason":"self"}"#).is_self());
        assert!(one(r#"{"text":"Gateway: pi (10.0.0.1)"}"#).is_self());
        assert!(!one(r#"{"mode":"gateway","reason":"connect","text":"Gateway: x"}"#).is_self());
        assert!(!one(r#"{"text":"Node: Gateway: x"}"#).is_self());
    }

    #[test]
    fn odd_types_and_null_are_absent() {
        let row = one(r#"{"host":5,"ts":"x","reason":null,"mode":"a","mode":"b"}"#);
        assert_eq!((row.str("host"), row.ts(), row.get("reason")), (None, None, None));
        assert_eq!(row.str("mode"), Some("b"));
    }
}
