//! What readers are shown whose addresses are hidden (SPEC 4, "Hidden addresses").

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::Hasher;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use siphasher::sip::SipHasher24;

use crate::digest::{Digest, of_json};
use crate::model::PresenceKey;
use crate::model::addresses::{contains_address, hide_addresses, may_end_in_address};
use crate::model::json::json_text;
use crate::model::key::TEXT_KEY_UNITS;

/// Members that are left out. A digest is that of rows with their addresses: whoever knows the rest of a row could try
/// all addresses.
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
/// What pseudonyms begin with. No presence key has capitals.
const PSEUDONYM: &str = "HIDDEN:";

/// Hides addresses in what is sent. Its pseudonyms tell keys apart, and are those of one process.
#[derive(Clone)]
pub struct AddressMask {
    secret: [u8; 16],
}

impl core::fmt::Debug for AddressMask {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AddressMask")
    }
}

/// The digests of rows by their keys, both as they are shown.
pub(super) type RowDigests = BTreeMap<String, u64>;

impl AddressMask {
    /// A mask whose pseudonyms come of this seed, which has to be random.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut secret = *b"hide addresses:\0";
        secret[..8].copy_from_slice(&seed.to_le_bytes());
        Self { secret }
    }

    /// Returns the key as it is shown: a pseudonym, if it has an address.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        let is_cut = || key.encode_utf16().count() >= TEXT_KEY_UNITS && may_end_in_address(key);
        if contains_address(key) || is_cut() {
            self.pseudonym(key)
        } else {
            key.to_owned()
        }
    }

    /// Equal keys have equal pseudonyms.
    fn pseudonym(&self, key: &str) -> String {
        let normal = PresenceKey::of_name(key);
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write(normal.as_ref().map_or(key, PresenceKey::as_str).as_bytes());
        format!("{PSEUDONYM}{:016x}", hasher.finish())
    }

    /// Returns the one of these keys that is shown as `shown`. A key with an address is never one: to ask for it would
    /// tell whether it is listed.
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

    /// Returns a JSON text as it is shown; `None` if it is none.
    #[must_use]
    pub fn json(&self, text: &str) -> Option<String> {
        let mut value = serde_json::from_str(text).ok()?;
        self.value("", &mut value);
        Some(json_text(&value))
    }

    /// Hides what there is to hide in the value of the member `name`.
    pub(super) fn value(&self, name: &str, value: &mut Value) {
        match value {
            Value::String(text) => {
                if !KEYS.contains(&name) {
                    let hidden = hide_addresses(text).into_owned();
                    *text = hidden;
                } else if name == USER_ID && text.contains('@') {
                    *text = self.pseudonym(text);
                } else {
                    *text = self.key(text);
                }
            }
            Value::Array(items) => {
                // A member of a row and its last writer (SPEC 6.1).
                items.retain(|item| !item["name"].as_str().is_some_and(|name| LEFT_OUT.contains(&name)));
                items.iter_mut().for_each(|item| self.value(name, item));
            }
            Value::Object(members) => {
                members.retain(|name, _| !LEFT_OUT.contains(&&**name));
                let stated = members.get("name").and_then(Value::as_str).map(ToOwned::to_owned);
                let masked: Map<String, Value> = core::mem::take(members)
                    .into_iter()
                    .map(|(name, mut value)| {
                        let of = match &stated {
                            Some(stated) if name == "value" => stated,
                            _ => &name,
                        };
                        self.value(of, &mut value);
                        (self.key(&name), value)
                    })
                    .collect();
                *members = masked;
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The entry of a row. One that cannot be read shows nothing.
    fn entry(&self, entry: &RawValue) -> String {
        self.json(entry.get()).unwrap_or_else(|| "{}".into())
    }

    /// A list, as [`Hub::polled_list`](super::Hub::polled_list) returns it.
    pub(super) fn list(&self, list: &str) -> String {
        let rows: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
        let rows: Vec<String> = rows.into_iter().map(|row| self.entry(row)).collect();
        format!("[{}]", rows.join(","))
    }

    /// The list with the other members of a snapshot (SPEC 2.1), `[...],"keys":[...],"version":..,"digest":".."`, and
    /// the digests of its rows.
    pub(super) fn snapshot(&self, snapshot: &str) -> (String, RowDigests) {
        let text = format!(r#"{{"presence":{snapshot}}}"#);
        let snapshot: Snapshot<'_> = serde_json::from_str(&text).unwrap_or_default();
        let rows: Vec<String> = snapshot.presence.iter().map(|row| self.entry(row)).collect();
        let keys: Vec<String> = snapshot.keys.iter().map(|key| self.key(key)).collect();
        let digests: RowDigests = keys
            .iter()
            .zip(&rows)
            .map(|(key, row)| (key.clone(), of_json(key, row)))
            .collect();
        let shown = format!(
            r#"[{}],"keys":{},"version":{},"digest":"{}""#,
            rows.join(","),
            json_text(&keys),
            snapshot.version,
            digest(&digests).to_hex()
        );
        (shown, digests)
    }

    /// The payload of `presence.delta`; `digests` are those of the rows before it, and are brought up to date.
    pub(super) fn delta(&self, delta: &str, digests: &mut RowDigests) -> String {
        let mut delta: Delta<'_> = serde_json::from_str(delta).unwrap_or_default();
        let rows: Vec<String> = delta.upserts.iter().map(|row| self.entry(row.entry)).collect();
        for removed in &mut delta.removals {
            removed.key = self.key(&removed.key);
            digests.remove(&removed.key);
        }
        for (row, text) in delta.upserts.iter_mut().zip(&rows) {
            row.key = self.key(&row.key);
            digests.insert(row.key.clone(), of_json(&row.key, text));
            if let Ok(entry) = serde_json::from_str(text) {
                row.entry = entry;
            }
        }
        for (key, _) in &mut delta.touched {
            *key = self.key(key);
        }
        delta.digest = digest(digests).to_hex();
        json_text(&delta)
    }
}

fn digest(rows: &RowDigests) -> Digest {
    let mut digest = Digest::default();
    rows.values().for_each(|row| digest.add(*row));
    digest
}

#[derive(Default, Deserialize)]
struct Snapshot<'a> {
    #[serde(borrow)]
    presence: Vec<&'a RawValue>,
    keys: Vec<String>,
    version: u64,
}

#[derive(Default, Deserialize, Serialize)]
struct Delta<'a> {
    from: u64,
    to: u64,
    #[serde(borrow)]
    upserts: Vec<Upsert<'a>>,
    removals: Vec<Removed>,
    touched: Vec<(String, u64)>,
    digest: String,
}

#[derive(Deserialize, Serialize)]
struct Upsert<'a> {
    key: String,
    #[serde(borrow)]
    entry: &'a RawValue,
}

#[derive(Deserialize, Serialize)]
struct Removed {
    key: String,
    reason: String,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use serde_json::json;

    use super::*;

    fn shown(value: &Value) -> Value {
        serde_json::from_str(&AddressMask::new(1).json(&value.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn members_with_addresses_are_left_out_and_texts_lose_theirs() {
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
    fn keys_stay_apart_and_equal_ones_equal() {
        let mask = AddressMask::new(1);
        let pseudonym = mask.key("10.0.0.5");
        assert!(pseudonym.starts_with(PSEUDONYM) && pseudonym.len() == PSEUDONYM.len() + 16);
        assert_ne!(mask.key("10.0.0.6"), pseudonym);
        assert_ne!(AddressMask::new(2).key("10.0.0.5"), pseudonym, "the seed counts");
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
        // The begin of a text may be cut inside an address.
        let cut = ["x".repeat(54), " 192.168.".into(), "1".into()].concat();
        assert_eq!(cut.len(), TEXT_KEY_UNITS);
        assert!(mask.key(&cut).starts_with(PSEUDONYM));
        assert_eq!(mask.key(&cut[1..]), cut[1..], "it is whole");
    }

    #[test]
    fn only_pseudonyms_lead_to_keys_with_addresses() {
        let mask = AddressMask::new(1);
        let keys = ["a", "10.0.0.5"];
        let find = |shown: &str| mask.shown_key(shown, keys);
        assert_eq!(find(&mask.key("10.0.0.5")).as_deref(), Some("10.0.0.5"));
        assert_eq!(find("a").as_deref(), Some("a"));
        assert_eq!(find("10.0.0.5"), None);
        assert_eq!(find(&mask.key("10.0.0.6")), None);
    }
}
