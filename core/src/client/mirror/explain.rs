//! Explanations of rows from the list alone (SPEC 6.1).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::life::may_be_removed;
use super::{Mirror, RemovalRule, Row};
use crate::instance::Raw;
use crate::model::ObjectText;
use crate::model::json::array_text;

impl Mirror {
    /// Explains the row with this key at `now_ms`, as JSON text: why its raw rows are one instance, the raw
    /// row of each member, and when it will be removed. `None` if there is no such row.
    #[must_use]
    pub fn explain_json(&self, key: &str, now_ms: u64) -> Option<String> {
        let row = self.row(key)?;
        let mut json = ObjectText::new();
        json.text("key", key);
        let (from, why) = key_from(row);
        json.text("keyFrom", from);
        let mut why = String::from(why);
        if row.raws.len() > 1 {
            why.push_str(&format!(" The gateway lists {} rows of it.", row.raws.len()));
        }
        json.text("why", &why);
        let mut members = row.entry.members().map(|(name, value)| {
            let mut json = ObjectText::new();
            json.text("name", name);
            json.raw("value", value);
            // The first in precedence of the raw rows with this value.
            let says_so = row.raws.iter().filter(|raw| raw.entry.get(name) == Some(value));
            match says_so.min_by_key(|raw| (raw.entry.is_disconnect(), u64::MAX - raw.ts)) {
                Some(raw) => {
                    json.text("from", "list");
                    json.text("row", &raw_key(raw));
                    json.number("ageMs", now_ms.saturating_sub(raw.ts));
                }
                None => json.text("from", "derived"),
            }
            json.end()
        });
        json.raw("members", &array_text(&mut members));
        let rows: Vec<String> = row.raws.iter().map(|raw| raw_key(raw)).collect();
        json.texts("rows", &mut rows.iter().map(String::as_str));
        self.write_end(&mut json, row, now_ms);
        Some(json.end())
    }

    fn write_end(&self, json: &mut ObjectText, row: &Row, now_ms: u64) {
        let ttl_ms = self.config.ttl_ms;
        let (life_ms, start, end) = match self.removal_rule {
            _ if !may_be_removed(self.removal_rule, row) => {
                json.raw("expiresInMs", "null");
                return json.text("ends", "It stays as long as the gateway lists it.");
            }
            RemovalRule::Gateway => (ttl_ms, "The gateway decides when it goes; by default that is", ""),
            RemovalRule::Lost => (
                ttl_ms.saturating_mul(2),
                "The gateway cannot be reached. It goes",
                "",
            ),
            RemovalRule::Mirror => (ttl_ms, "It goes", ", or earlier if the list is full"),
        };
        let left_ms = row.ts.saturating_add(life_ms).saturating_sub(now_ms);
        json.number("expiresInMs", left_ms);
        let span = life_ms / 1_000;
        json.text(
            "ends",
            &format!("{start} {span} s after it was last heard of{end}."),
        );
    }
}

/// Returns the source of the key, with the reason.
fn key_from(row: &Row) -> (&'static str, &'static str) {
    match row.key.split(':').next() {
        _ if row.is_self() => ("self", "This is the gateway's own row."),
        Some("instance") => ("instanceId", "Rows with one instanceId are one instance."),
        Some("device") => (
            "deviceId",
            "Rows with one deviceId and no other instanceId are one instance.",
        ),
        _ => (
            "list",
            "The row has no instanceId and no deviceId: it stands alone, and a reconnect can make another.",
        ),
    }
}

/// Returns the key of a raw row on the wire, or its index in a list without keys.
fn raw_key(raw: &Raw) -> String {
    raw.wire_key
        .as_deref()
        .map_or_else(|| raw.place.to_string(), String::from)
}
