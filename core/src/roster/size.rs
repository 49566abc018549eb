//! The size of a row in a list (SPEC 1.5, "Bytes").

use alloc::boxed::Box;

use crate::model::entry::PresenceEntry;
use crate::model::json::{MAX_ESCAPE, escaped_len};

/// Most bytes of a row's JSON text, all numbers counted with their greatest length.
pub const MAX_ROW_BYTES: usize = 8 * 1_024;

/// The least bound of a list's JSON text, in bytes.
pub const MIN_LIST_BYTES: usize = 2_000_000;

/// Bytes of a list for each row of the cap. A connect gets a row of this size even if the list has no room.
pub const ROW_SHARE_BYTES: usize = 1_024;

/// An upper bound of the names of all members and their punctuation.
pub(super) const NAMES: usize = 512;

/// Digits of 2^53-1.
const DIGITS: usize = 16;

/// The longest reason that the roster itself writes: a close must not make the row longer.
const REASON: usize = "node-connected".len();

/// Most bytes of the JSON text of a list of at most `max_entries` rows.
#[must_use]
pub fn max_list_bytes(max_entries: usize) -> usize {
    MIN_LIST_BYTES.max(max_entries.saturating_mul(ROW_SHARE_BYTES))
}

/// Bytes of `"name":"value",`.
pub(crate) fn member(name: &str, value: &str) -> usize {
    name.len() + r#""":"","#.len() + escaped_len(value)
}

/// Bytes of `"user":{"id":"value"},`.
pub(super) fn user(id: &str) -> usize {
    member("id", id) + r#""user":{}"#.len()
}

/// Bytes of a list's item: `"item",`.
pub(crate) fn item(text: &str) -> usize {
    escaped_len(text) + r#""","#.len()
}

/// Bytes of `"name":[...],`; nothing if the list is empty.
pub(super) fn list(name: &str, items: &[Box<str>]) -> usize {
    if items.is_empty() {
        return 0;
    }
    let items: usize = items.iter().map(|text| item(text)).sum();
    around_list(name) + items
}

/// Bytes of `"name":[],` but for the comma of the last item.
pub(super) fn around_list(name: &str) -> usize {
    name.len() + r#""":[],"#.len() - 1
}

/// Bytes of `"name":123,`.
const fn number(name: &str) -> usize {
    name.len() + r#""":,"#.len() + DIGITS
}

/// Bytes of all numbers of a row, and of the braces and punctuation.
const NUMBERS: usize = number("ts")
    + number("lastInputSeconds")
    + number("onlineSince")
    + number("lastActivityAt")
    + "{},".len()
    - 1;

/// An upper bound of counted bytes for numbers and reason that an entry does not use.
pub(super) const UNUSED: usize = NUMBERS + "\"reason\":\"\",".len() + REASON;

/// Bytes of `"reason":"value",`, at least those of the longest reason that the roster writes.
pub(super) fn reason(value: Option<&str>) -> usize {
    member("reason", "") + value.map_or(0, escaped_len).max(REASON)
}

/// Bytes of an entry with only the ids of this one, and of the comma after it.
pub(super) fn of_ids(entry: &PresenceEntry) -> usize {
    let ids = [("instanceId", &entry.instance_id), ("deviceId", &entry.device_id)];
    let ids = ids
        .iter()
        .filter_map(|(name, id)| id.as_deref().map(|id| member(name, id)));
    NUMBERS + reason(None) + ids.sum::<usize>()
}

/// The texts of an entry but `reason` and `user`, with their names.
fn texts(entry: &PresenceEntry) -> impl Iterator<Item = (&'static str, &str)> {
    let texts = [
        ("host", &entry.host),
        ("ip", &entry.ip),
        ("version", &entry.version),
        ("platform", &entry.platform),
        ("deviceFamily", &entry.device_family),
        ("modelIdentifier", &entry.model_identifier),
        ("mode", &entry.mode),
        ("instanceId", &entry.instance_id),
        ("deviceId", &entry.device_id),
        ("clientId", &entry.client_id),
        ("timeZone", &entry.time_zone),
        ("text", &entry.text),
    ];
    texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.as_deref()?)))
}

/// Bytes of an entry without roles and scopes, and of the comma after it.
pub(super) fn without_sets(entry: &PresenceEntry) -> usize {
    let texts: usize = texts(entry).map(|(name, text)| member(name, text)).sum();
    NUMBERS + texts + reason(entry.reason.as_deref()) + entry.user_id.as_deref().map_or(0, user)
}

/// Whether an entry without roles and scopes has at most `max_bytes` less `more` bytes. Most entries are so short
/// that their lengths decide, without counting escapes.
pub(super) fn has_room(entry: &PresenceEntry, more: usize, max_bytes: usize) -> bool {
    let others = [&entry.reason, &entry.user_id];
    let lengths = texts(entry).map(|(_, text)| text.len()).sum::<usize>()
        + others.into_iter().flatten().map(|text| text.len()).sum::<usize>();
    NUMBERS + REASON + NAMES + MAX_ESCAPE * lengths + more <= max_bytes
        || without_sets(entry) + more <= max_bytes
}

/// Bytes of an entry, and of the comma after it.
pub(super) fn of_entry(entry: &PresenceEntry) -> usize {
    without_sets(entry) + list("roles", &entry.roles) + list("scopes", &entry.scopes)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::sync::Arc;
    use alloc::vec;

    use super::*;
    use crate::model::beacon::Beacon;
    use crate::model::entry::MAX_SAFE_INTEGER;
    use crate::model::time::Now;
    use crate::model::{ClientInfo, Role};
    use crate::roster::{ConnectWrite, Holder, Roster, RosterConfig};

    /// Written without `..`, so that a new member is a compile error here.
    fn entry(text: &str) -> PresenceEntry {
        let text = Some(Box::from(text));
        PresenceEntry {
            host: text.clone(),
            ip: text.clone(),
            version: text.clone(),
            platform: text.clone(),
            device_family: text.clone(),
            model_identifier: text.clone(),
            mode: text.clone(),
            last_input_seconds: Some(MAX_SAFE_INTEGER),
            reason: Some("node-connected".into()),
            instance_id: text.clone(),
            device_id: text.clone(),
            roles: vec!["a".into(), "\"b".into()],
            scopes: vec!["\u{1}".into()],
            client_id: text.clone(),
            time_zone: text.clone(),
            user_id: text.clone(),
            text,
            online_since: Some(MAX_SAFE_INTEGER),
            last_activity_at: Some(MAX_SAFE_INTEGER),
            ts: MAX_SAFE_INTEGER,
        }
    }

    #[test]
    fn the_size_of_a_row_shrinks_at_its_close() {
        let now = Now {
            age_ms: 1_000,
            wall_ms: 1_800_000_000_000,
        };
        let mut roster = Roster::new(RosterConfig::default(), PresenceEntry::default(), now);
        let client = Arc::new(ClientInfo {
            id: "webchat".into(),
            version: "1".into(),
            platform: "web".into(),
            mode: "webchat".into(),
            instance_id: Some("tab".into()),
            ..ClientInfo::default()
        });
        let write = ConnectWrite {
            conn: 1,
            seat: 0,
            conn_id: "c1",
            client: &client,
            role: Role::Operator,
            scopes: &Arc::default(),
            device_id: None,
            remote_ip: None,
            user: None,
        };
        let row = roster.connect(&write, now);
        let beacon = Beacon {
            instance_id: Some("tab".into()),
            reason: Some("\u{1}".repeat(1_024).into()),
            ..Beacon::new("t")
        };
        roster.beacon(&beacon, Holder::Unlimited, now).unwrap();
        roster.disconnect(row, 1, true, now);
        let sizes: usize = roster.list(now).iter().map(of_entry).sum();
        assert_eq!(roster.bytes, sizes + "[]".len());
        assert!(roster.min_list_bytes() < roster.encode_list(now).len());
    }

    #[test]
    fn a_size_is_the_length_of_the_json_text() {
        for text in [
            "",
            "studio",
            "\"\\/\u{8}\t\n\u{c}\r",
            "\u{0}\u{1f}\u{7f}",
            "é東😀\u{2028}",
        ] {
            let json = serde_json::to_string(&entry(text)).unwrap();
            assert_eq!(of_entry(&entry(text)), json.len() + 1, "{json}");
        }
        let ascii: String = (0..128_u8).map(char::from).collect();
        assert_eq!(
            escaped_len(&ascii) + 2,
            serde_json::to_string(&ascii).unwrap().len()
        );
    }
}
