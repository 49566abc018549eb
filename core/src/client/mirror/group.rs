//! Which rows of a list are the same instance (SPEC 3, "One row per instance").

use alloc::string::{String, ToString};

use super::{Mirror, Row};
use crate::model::key::PresenceKey;
use crate::model::lower::lower;
use crate::model::raw_entry::RawEntry;
use crate::model::text::trim;

/// The key of the gateway's own row.
pub(super) const SELF_KEY: &str = "self";
/// The gateway's own row on the wire (SPEC 2.1).
const SELF_WIRE_KEY: &str = "SELF";

impl Mirror {
    /// The row that `entry` belongs to, made if there is none: by its instance, else its device, else it is alone.
    pub(super) fn row_of(&mut self, entry: &RawEntry, wire_key: Option<&str>) -> &mut Row {
        let mut key = core::mem::take(&mut self.key_text);
        key.clear();
        self.write_key(&mut key, entry, wire_key);
        let at = self.row_index(&key);
        self.key_text = key;
        &mut self.rows[at]
    }

    fn write_key(&mut self, key: &mut String, entry: &RawEntry, wire_key: Option<&str>) {
        let is_self = match wire_key {
            Some(key) => key == SELF_WIRE_KEY,
            // The list is newest first, and the gateway's own row is the newest: what else claims to
            // be the gateway comes later.
            None => !self.has_self && entry.is_self(),
        };
        if is_self {
            self.has_self = true;
            return key.push_str(SELF_KEY);
        }
        let id = |name| entry.str(name).map(trim).filter(|id| !id.is_empty());
        let device = id("deviceId");
        if let Some(instance) =
            id("instanceId").filter(|id| !device.is_some_and(|device| is_same(device, id)))
        {
            key.push_str("instance:");
            push_lower(key, instance);
        } else if let Some(device) = device {
            key.push_str("device:");
            push_lower(key, device);
        } else {
            key.push_str("row:");
            match wire_key {
                Some(wire_key) => key.push_str(wire_key),
                None => self.push_nameless(key, entry),
            }
        }
    }

    /// For a row without any id: its name, and a number, since several may share the name.
    fn push_nameless(&mut self, key: &mut String, entry: &RawEntry) {
        let name = entry
            .key("host")
            .or_else(|| entry.key("ip"))
            .or_else(|| entry.str("text").and_then(PresenceKey::of_text));
        key.push_str(name.as_ref().map_or("", PresenceKey::as_str));
        key.push('#');
        let first = self.row_at(&[key, "1"].concat());
        first.namesakes += 1;
        key.push_str(&first.namesakes.to_string());
    }
}

/// Whether two trimmed ids are of one key ([`RawEntry::instance_key`] has the rule).
fn is_same(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        a.eq_ignore_ascii_case(b)
    } else {
        lower(a) == lower(b)
    }
}

/// Appends a trimmed id as [`PresenceKey`] has it.
fn push_lower(key: &mut String, id: &str) {
    if !id.is_ascii() {
        return key.push_str(&lower(id));
    }
    let at = key.len();
    key.push_str(id);
    if let Some(id) = key.get_mut(at..) {
        id.make_ascii_lowercase();
    }
}
