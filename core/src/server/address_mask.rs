//! Output for readers from which addresses are hidden (SPEC 4, "Hidden addresses").

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::Hasher;

use serde_json::value::RawValue;
use siphasher::sip::SipHasher24;

use crate::fleet::is_keyed_by;
use crate::model::ClientInfo;
use crate::model::addresses_in_text::{contains_address, hide_addresses, may_end_in_address};
use crate::model::beacon::parse_text;
use crate::model::json::{
    ObjectText, array_text, each_member, items, members, string, string_of, write_string,
};
use crate::model::key::{PresenceKey, TEXT_KEY_UNITS};

use crate::roster::details::{KeyFrom, KeyMembers};

#[cfg(test)]
mod tests;

/// Members that are left out. A digest covers rows with their addresses, so a reader could find an address by trying
/// all of them.
const LEFT_OUT: [&str; 5] = ["ip", "remoteIp", "timeZone", "email", "digest"];
/// Left out if it has an address. A client may claim any `deviceId` for its own row: a pseudonym in its place would
/// show which key is an address that the client guessed.
const DEVICE_ID: &str = "deviceId";
/// Members that hold keys of rows, or lists of them.
const KEYS: [&str; 9] = [
    "key",
    "keys",
    "row",
    "rows",
    "target",
    "touched",
    "instanceId",
    "nodeId",
    USER_ID,
];
/// The id of a user, which may be an e-mail address.
const USER_ID: &str = "id";
/// The list of a row's members with their last writers (SPEC 6.1): its items are named as members are.
const MEMBERS: &str = "members";
/// The rows of a history's page by their keys (SPEC 6.3).
const INSTANCES: &str = "instances";
/// The lists of nodes.
const NODES: [&str; 2] = ["nodes", "paired"];
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

/// A row without addresses.
#[derive(Clone, Debug)]
pub(super) struct MaskedRow {
    /// JSON text.
    pub(super) text: Box<str>,
    /// Its `ip`s as keys, without those that are also a name or an id of the row or that are masked anyway.
    ips: Vec<PresenceKey>,
}

impl MaskedRow {
    /// Whether nothing but its `ip` states this key.
    fn is_keyed_by_ip(&self, key: &str) -> bool {
        self.ips.iter().any(|ip| is_keyed_by(key, ip.as_str()))
    }
}

impl AddressMask {
    /// Returns a mask whose pseudonyms depend on this seed, which must be random.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut secret = *b"hide addresses:\0";
        secret[..8].copy_from_slice(&seed.to_le_bytes());
        Self { secret }
    }

    /// Returns the masked key: a pseudonym, if the key has an address.
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
    pub(super) fn pseudonym(&self, key: &str) -> String {
        let normal = PresenceKey::of_name(key);
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write(normal.as_ref().map_or(key, PresenceKey::as_str).as_bytes());
        format!("{PSEUDONYM}{:016x}", hasher.finish())
    }

    pub(super) fn is_pseudonym(shown: &str) -> bool {
        shown.starts_with(PSEUDONYM)
    }

    /// Returns the one of these ids whose masked form is `shown`. An id with an address is found by its
    /// pseudonym only: otherwise the answer would reveal whether the address is listed.
    pub(super) fn shown_id<T: AsRef<str>>(
        &self,
        shown: &str,
        ids: impl IntoIterator<Item = T>,
    ) -> Option<String> {
        if Self::is_pseudonym(shown) {
            let mut ids = ids.into_iter();
            let id = ids.find(|id| self.key(id.as_ref()) == shown)?;
            return Some(id.as_ref().to_owned());
        }
        (self.key(shown) == shown).then(|| shown.to_owned())
    }

    /// Returns the masked row.
    pub(super) fn row(&self, json: &str) -> MaskedRow {
        let members = inner_of(json, ["instanceId", "deviceId", "host", "ip", "text"]);
        let [instance_id, device_id, host, ip, text] = &members.map(|member| member.and_then(string));
        let stated = KeyMembers {
            instance_id: instance_id.as_deref(),
            device_id: device_id.as_deref(),
            host: host.as_deref(),
            ip: ip.as_deref(),
            text: text.as_deref(),
        };
        let parsed_ip = stated.text.and_then(parse_text).map(|parsed| parsed.ip);
        let ips = [stated.ip, parsed_ip].into_iter().flatten();
        let is_shown = |ip: &PresenceKey| self.key(ip.as_str()) == ip.as_str();
        MaskedRow {
            text: self.json(json).into(),
            ips: ips
                .filter_map(PresenceKey::of_name)
                .filter(|ip| is_shown(ip) && stated.source_of(ip) == KeyFrom::Ip)
                .collect(),
        }
    }

    /// Returns the masked key of a row: also a pseudonym, if only the row's `ip` states the key.
    pub(super) fn row_key(&self, key: &str, row: &MaskedRow) -> String {
        if row.is_keyed_by_ip(key) {
            self.pseudonym(key)
        } else {
            self.key(key)
        }
    }

    /// Returns the client without addresses.
    pub(super) fn client(&self, client: &ClientInfo) -> ClientInfo {
        let text = |text: &str| -> Box<str> { hide_addresses(text).into() };
        let own = |stated: &Option<Box<str>>| stated.as_deref().map(text);
        ClientInfo {
            id: text(&client.id),
            version: text(&client.version),
            platform: text(&client.platform),
            mode: text(&client.mode),
            display_name: own(&client.display_name),
            device_family: own(&client.device_family),
            model_identifier: own(&client.model_identifier),
            instance_id: client.instance_id.as_deref().map(|id| self.key(id).into()),
            time_zone: None,
        }
    }

    /// A hash of a text, under the secret.
    pub(super) fn hash(&self, text: &str) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// Returns a page of a history without addresses: sessions, and the last rows of their instances (SPEC 6.3).
    #[must_use]
    pub fn history(&self, page: &str) -> String {
        let [instances] = inner_of(page, ["instances"]);
        let mut by_ip = BTreeSet::new();
        let noted = each_member(instances.map_or("{}", RawValue::get), &mut |key, row| {
            if self.row(row.get()).is_keyed_by_ip(&key) {
                by_ip.insert(key.into_owned());
            }
        });
        // Keys that cannot be judged are not shown.
        let key = |key: &str| match noted {
            Some(()) if !by_ip.contains(key) => self.key(key),
            _ => self.pseudonym(key),
        };
        let mut text = String::with_capacity(page.len());
        Writer {
            mask: self,
            key: &key,
        }
        .write(&mut text, "", page, 0);
        text
    }

    /// Whether a query for this instance may find the row: not by a key that has an address or is an `ip`, because
    /// the answer would confirm a guess.
    #[must_use]
    pub fn may_find(&self, instance: &str, key: &str, row: &str) -> bool {
        let is_of_key = PresenceKey::of_name(instance) == PresenceKey::of_name(key);
        !(is_of_key && self.row_key(key, &self.row(row)) != key)
    }

    /// Returns a masked JSON text.
    #[must_use]
    pub fn json(&self, json: &str) -> String {
        let mut text = String::with_capacity(json.len());
        let key = |key: &str| self.key(key);
        Writer {
            mask: self,
            key: &key,
        }
        .write(&mut text, "", json, 0);
        text
    }
}

/// Writes masked JSON.
struct Writer<'a> {
    mask: &'a AddressMask,
    /// Masks a key.
    key: &'a dyn Fn(&str) -> String,
}

impl Writer<'_> {
    /// Writes the value of the member `name`.
    fn write(&self, out: &mut String, name: &str, json: &str, depth: u8) {
        match json.as_bytes().first() {
            _ if depth > MAX_DEPTH => out.push_str("null"),
            Some(b'"') => {
                let text = string_of(json).unwrap_or_default();
                if !KEYS.contains(&name) {
                    write_string(out, &hide_addresses(&text));
                } else if name == USER_ID && text.contains('@') {
                    write_string(out, &self.mask.pseudonym(&text));
                } else {
                    write_string(out, &(self.key)(&text));
                }
            }
            Some(b'[') => {
                let items = items(json).unwrap_or_default();
                let is_shown = |item: &&RawValue| {
                    let stated = if name == MEMBERS { stated(item.get()) } else { None };
                    !stated.is_some_and(|(stated, value)| is_left_out(&stated, value))
                };
                let items = items.into_iter().filter(is_shown).map(|item| {
                    let mut text = String::new();
                    self.write(&mut text, name, item.get(), depth + 1);
                    text
                });
                let mut items: Vec<String> = items.collect();
                if NODES.contains(&name) {
                    items.sort_by_cached_key(|node| node_order(node));
                }
                out.push_str(&array_text(&mut items.into_iter()));
            }
            Some(b'{') => {
                let stated = if name == MEMBERS { stated(json) } else { None };
                let mut object = ObjectText::new();
                // Sorted by masked key: in the order of the real keys, a position would reveal the range of an address.
                let mut sorted = BTreeMap::new();
                let read = each_member(json, &mut |member, value| {
                    if is_left_out(&member, Some(value)) {
                        return;
                    }
                    let of = match &stated {
                        Some((stated, _)) if member == "value" => stated,
                        _ => &member,
                    };
                    let shown = (self.key)(&member);
                    if name == INSTANCES {
                        let mut text = String::new();
                        self.write(&mut text, of, value.get(), depth + 1);
                        sorted.insert(shown, text);
                    } else {
                        self.write(object.member(&shown), of, value.get(), depth + 1);
                    }
                });
                for (key, row) in &sorted {
                    object.raw(key, row);
                }
                out.push_str(&read.map_or_else(|| "{}".into(), |()| object.end()));
            }
            _ => out.push_str(json),
        }
    }
}

fn is_left_out(name: &str, value: Option<&RawValue>) -> bool {
    let has_address = |id: &RawValue| string(id).is_some_and(|id| contains_address(&id));
    LEFT_OUT.contains(&name) || (name == DEVICE_ID && value.is_some_and(has_address))
}

/// Returns the members `name` and `value`, if the value is an object.
fn stated(json: &str) -> Option<(Cow<'_, str>, Option<&RawValue>)> {
    let [name, value] = members(json, ["name", "value"])?;
    Some((string(name?)?, value))
}

/// Orders nodes: connected ones first, and in both groups those with pseudonyms last, by pseudonym. In the order of the
/// real ids, a position would reveal the range of an address.
fn node_order(node: &str) -> (bool, Option<String>) {
    let [connected, id] = inner_of(node, ["connected", "nodeId"]);
    let id = id.and_then(string).filter(|id| AddressMask::is_pseudonym(id));
    let is_connected = connected.is_some_and(|connected| connected.get() == "true");
    (!is_connected, id.map(Cow::into_owned))
}

/// Returns the members of an object.
pub(super) fn inner_of<'a, const N: usize>(json: &'a str, names: [&str; N]) -> [Option<&'a RawValue>; N] {
    members(json, names).unwrap_or([None; N])
}
