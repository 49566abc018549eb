//! Output for readers from which addresses are hidden (SPEC 4, "Hidden addresses").

use alloc::borrow::{Cow, ToOwned};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::Hasher;

use serde_json::value::RawValue;
use siphasher::sip::SipHasher24;

use crate::digest::{Digest, of_json};
use crate::model::addresses::{contains_address, hide_addresses, may_end_in_address};
use crate::model::json::{
    ObjectText, array_text, each_member, items, members, string, string_of, write_string,
};
use crate::model::key::{PresenceKey, TEXT_KEY_UNITS};

/// Members that are omitted. A digest covers rows with their addresses, so a reader could find an address by trying all
/// addresses.
const LEFT_OUT: [&str; 5] = ["ip", "remoteIp", "timeZone", "email", "digest"];
/// Members that hold keys of rows, or lists of them.
const KEYS: [&str; 10] = [
    "key",
    "keys",
    "row",
    "rows",
    "target",
    "touched",
    "instanceId",
    "deviceId",
    "nodeId",
    USER_ID,
];
/// The id of a user, which may be an e-mail address.
const USER_ID: &str = "id";
/// Maximum nesting depth of a value; deeper values are omitted.
const MAX_DEPTH: u8 = 64;
/// The prefix of pseudonyms, which no presence key has: keys are in lower case.
const PSEUDONYM: &str = "HIDDEN:";

/// Hides addresses in output. Its pseudonyms distinguish keys, and are valid for one process.
#[derive(Clone)]
pub struct AddressMask {
    secret: [u8; 16],
}

impl core::fmt::Debug for AddressMask {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AddressMask")
    }
}

/// The digests of masked rows by their masked keys.
pub(super) type RowDigests = BTreeMap<String, u64>;

impl AddressMask {
    /// Returns a mask whose pseudonyms depend on this seed, which must be random.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut secret = *b"hide addresses:\0";
        secret[..8].copy_from_slice(&seed.to_le_bytes());
        Self { secret }
    }

    /// Returns the masked key: a pseudonym if the key contains an address, else the key.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        let is_cut = || key.encode_utf16().count() >= TEXT_KEY_UNITS && may_end_in_address(key);
        if contains_address(key) || is_cut() {
            self.pseudonym(key)
        } else {
            key.to_owned()
        }
    }

    /// Returns a key's pseudonym; equal keys have equal pseudonyms.
    fn pseudonym(&self, key: &str) -> String {
        let normal = PresenceKey::of_name(key);
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write(normal.as_ref().map_or(key, PresenceKey::as_str).as_bytes());
        format!("{PSEUDONYM}{:016x}", hasher.finish())
    }

    /// Returns the one of these keys whose masked form is `shown`. A key with an address is found by its pseudonym only:
    /// otherwise the answer would reveal whether the address is listed.
    pub(super) fn shown_key<T: AsRef<str>>(
        &self,
        shown: &str,
        keys: impl IntoIterator<Item = T>,
    ) -> Option<String> {
        if shown.starts_with(PSEUDONYM) {
            let mut keys = keys.into_iter();
            let key = keys.find(|key| self.key(key.as_ref()) == shown)?;
            return Some(key.as_ref().to_owned());
        }
        (self.key(shown) == shown).then(|| shown.to_owned())
    }

    /// Returns a masked JSON text.
    #[must_use]
    pub fn json(&self, json: &str) -> String {
        let mut text = String::with_capacity(json.len());
        self.write(&mut text, "", json, 0);
        text
    }

    /// Writes the value of the member `name`.
    fn write(&self, out: &mut String, name: &str, json: &str, depth: u8) {
        match json.as_bytes().first() {
            _ if depth > MAX_DEPTH => out.push_str("null"),
            Some(b'"') => {
                let text = string_of(json).unwrap_or_default();
                if !KEYS.contains(&name) {
                    write_string(out, &hide_addresses(&text));
                } else if name == USER_ID && text.contains('@') {
                    write_string(out, &self.pseudonym(&text));
                } else {
                    write_string(out, &self.key(&text));
                }
            }
            Some(b'[') => {
                let items = items(json).unwrap_or_default();
                // A member of a row and its last writer (SPEC 6.1).
                let is_shown = |item: &&RawValue| {
                    let name = stated_name(item.get());
                    !name.is_some_and(|name| LEFT_OUT.contains(&&*name))
                };
                let mut items = items.into_iter().filter(is_shown).map(|item| {
                    let mut text = String::new();
                    self.write(&mut text, name, item.get(), depth + 1);
                    text
                });
                out.push_str(&array_text(&mut items));
            }
            Some(b'{') => {
                let stated = stated_name(json);
                let mut object = ObjectText::new();
                let read = each_member(json, &mut |name, value| {
                    if LEFT_OUT.contains(&&*name) {
                        return;
                    }
                    let of = match &stated {
                        Some(stated) if name == "value" => stated,
                        _ => &name,
                    };
                    self.write(object.member(&self.key(&name)), of, value.get(), depth + 1);
                });
                out.push_str(&read.map_or_else(|| "{}".into(), |()| object.end()));
            }
            _ => out.push_str(json),
        }
    }

    fn each(&self, rows: Option<&RawValue>) -> Vec<String> {
        let rows = rows.and_then(|rows| items(rows.get())).unwrap_or_default();
        rows.into_iter().map(|row| self.json(row.get())).collect()
    }

    /// Returns the masked list with the other members of a snapshot (SPEC 2.1),
    /// `[...],"keys":[...],"version":..,"digest":".."`, and the digests of its rows.
    pub(super) fn snapshot(&self, snapshot: &str) -> (String, RowDigests) {
        let text = format!(r#"{{"presence":{snapshot}}}"#);
        let [rows, keys, version] = inner_of(&text, ["presence", "keys", "version"]);
        let rows = self.each(rows);
        let keys = keys.and_then(|keys| items(keys.get())).unwrap_or_default();
        let keys: Vec<String> = keys.into_iter().map(|key| self.shown(Some(key))).collect();
        let pairs = keys.iter().zip(&rows);
        let digests: RowDigests = pairs.map(|(key, row)| (key.clone(), of_json(key, row))).collect();
        let mut others = ObjectText::new();
        others.texts("keys", &mut keys.iter().map(String::as_str));
        others.raw("version", version.map_or("0", RawValue::get));
        others.text("digest", &digest(&digests).to_hex());
        let others = others.end();
        let others = others.trim_matches(['{', '}']);
        (format!("{},{others}", array_text(&mut rows.into_iter())), digests)
    }

    /// Returns the masked payload of `presence.delta`. `digests` are those of the rows before the delta, and are updated.
    pub(super) fn delta(&self, delta: &str, digests: &mut RowDigests) -> String {
        let [from, to, upserts, removals, touched] =
            inner_of(delta, ["from", "to", "upserts", "removals", "touched"]);
        // Removals come first: a removed key may exist again.
        for removed in removals
            .and_then(|removals| items(removals.get()))
            .unwrap_or_default()
        {
            let [key] = inner_of(removed.get(), ["key"]);
            digests.remove(&self.shown(key));
        }
        let upserts = self.each(upserts);
        for upsert in &upserts {
            let [key, entry] = inner_of(upsert, ["key", "entry"]);
            // These keys are masked already.
            let key = key.and_then(string).unwrap_or_default();
            let row = of_json(&key, entry.map_or("{}", RawValue::get));
            digests.insert(key.into_owned(), row);
        }
        let mut shown = ObjectText::new();
        shown.raw("from", from.map_or("0", RawValue::get));
        shown.raw("to", to.map_or("0", RawValue::get));
        shown.raw("upserts", &array_text(&mut upserts.into_iter()));
        for (name, list) in [("removals", removals), ("touched", touched)] {
            let list = list.map_or("[]", RawValue::get);
            self.write(shown.member(name), name, list, 0);
        }
        shown.text("digest", &digest(digests).to_hex());
        shown.end()
    }

    /// Returns a masked key.
    fn shown(&self, key: Option<&RawValue>) -> String {
        self.key(&key.and_then(string).unwrap_or_default())
    }
}

/// Returns the member `name`, if the value is an object.
fn stated_name(json: &str) -> Option<Cow<'_, str>> {
    let [name] = members(json, ["name"])?;
    string(name?)
}

/// Returns the members of an object.
fn inner_of<'a, const N: usize>(json: &'a str, names: [&str; N]) -> [Option<&'a RawValue>; N] {
    members(json, names).unwrap_or([None; N])
}

fn digest(rows: &RowDigests) -> Digest {
    let mut digest = Digest::default();
    rows.values().for_each(|row| digest.add(*row));
    digest
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use serde_json::{Value, json};

    use super::*;

    fn shown(value: &Value) -> Value {
        serde_json::from_str(&AddressMask::new(1).json(&value.to_string())).unwrap()
    }

    #[test]
    fn members_with_addresses_are_omitted_and_addresses_in_texts_are_masked() {
        let row = json!({
            "host": "10.0.0.5", "ip": "lan-7", "timeZone": "Europe/Paris", "version": "1.2.3", "ts": 5,
            "text": "Node: a (10.0.0.5) \u{b7} mode ui", "roles": ["operator", "at ::1"],
            "user": { "id": "zo\u{e9}", "email": "z@example.com" }, "deep": [{ "remoteIp": "1.2.3.4", "x": ["fe80::1"] }],
        });
        assert_eq!(
            shown(&row),
            json!({
                "host": "***", "version": "1.2.3", "ts": 5, "text": "Node: a (***) \u{b7} mode ui",
                "roles": ["operator", "at ***"], "user": { "id": "zo\u{e9}" }, "deep": [{ "x": ["***"] }],
            })
        );
        let members = json!([
            { "name": "ip", "value": "10.0.0.5" },
            { "name": "text", "value": "at 10.0.0.5" },
            { "name": "host", "value": "a" },
        ]);
        let wanted = json!([{ "name": "text", "value": "at ***" }, { "name": "host", "value": "a" }]);
        assert_eq!(shown(&members), wanted);
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = format!(r#"[1,{}"at ::1"{}]"#, "[".repeat(4_000), "]".repeat(4_000));
        let shown = AddressMask::new(1).json(&deep);
        assert!(
            shown.starts_with("[1,[[") && shown.contains("null") && !shown.contains("at"),
            "{shown}"
        );
    }

    #[test]
    fn different_keys_have_different_pseudonyms_and_equal_keys_equal_ones() {
        let mask = AddressMask::new(1);
        let pseudonym = mask.key("10.0.0.5");
        assert!(pseudonym.starts_with(PSEUDONYM) && pseudonym.len() == PSEUDONYM.len() + 16);
        assert_ne!(mask.key("10.0.0.6"), pseudonym);
        assert_ne!(
            AddressMask::new(2).key("10.0.0.5"),
            pseudonym,
            "another seed, another pseudonym"
        );
        for key in ["mac-1", "SELF", "CONN:550e8400-e29b-41d4-a716-446655440000"] {
            assert_eq!(mask.key(key), key);
        }
        let text = json!({
            "key": "10.0.0.5", "instanceId": " 10.0.0.5", "rows": ["10.0.0.5", "b"], "touched": [["10.0.0.5", 7]],
            "user": { "id": "zo\u{e9}@example.com" }, "instances": { "10.0.0.5": { "ip": "x" } },
            "members": [{ "name": "instanceId", "value": "10.0.0.5" }],
        });
        let user = mask.pseudonym("ZO\u{c9}@example.com");
        let mut wanted = json!({
            "key": pseudonym, "instanceId": pseudonym, "rows": [pseudonym, "b"], "touched": [[pseudonym, 7]],
            "user": { "id": user }, "instances": {}, "members": [{ "name": "instanceId", "value": pseudonym }],
        });
        wanted["instances"][&pseudonym] = json!({});
        assert_eq!(shown(&text), wanted);
        // A key made from a text may be cut off inside an address.
        let cut = ["x".repeat(54), " 192.168.".into(), "1".into()].concat();
        assert_eq!(cut.len(), TEXT_KEY_UNITS);
        assert!(mask.key(&cut).starts_with(PSEUDONYM));
        assert_eq!(mask.key(&cut[1..]), cut[1..], "a shorter text is not cut off");
    }

    #[test]
    fn keys_with_addresses_are_found_by_their_pseudonyms_only() {
        let mask = AddressMask::new(1);
        let keys = ["a", "10.0.0.5"];
        let find = |shown: &str| mask.shown_key(shown, keys);
        assert_eq!(find(&mask.key("10.0.0.5")).as_deref(), Some("10.0.0.5"));
        assert_eq!(find("a").as_deref(), Some("a"));
        assert_eq!(find("10.0.0.5"), None);
        assert_eq!(find(&mask.key("10.0.0.6")), None);
    }
}
