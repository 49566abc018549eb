//! Which rows of a list are the same instance (SPEC 3, "One row per instance").

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use super::Mirror;
use crate::client::raw::RawEntry;
use crate::key::PresenceKey;

/// The key of the gateway's own row.
pub(super) const SELF_KEY: &str = "self";
/// The gateway's own row on the wire (SPEC 2.1).
const SELF_WIRE_KEY: &str = "SELF";

impl Mirror {
    /// The key of the row that `entry` belongs to: by its instance, else its device, else it is alone.
    pub(super) fn group_of(&mut self, entry: &RawEntry, wire_key: Option<&str>) -> Box<str> {
        let is_self = match wire_key {
            Some(key) => key == SELF_WIRE_KEY,
            // The list is newest first, and the gateway's own row is the newest: what else claims to
            // be the gateway comes later.
            None => entry.is_self() && self.row(SELF_KEY).is_none(),
        };
        if is_self {
            return SELF_KEY.into();
        }
        if let Some(instance) = entry.instance_key() {
            return join("instance:", instance.as_str());
        }
        if let Some(device) = entry.device_key() {
            return join("device:", device.as_str());
        }
        match wire_key {
            Some(wire_key) => join("row:", wire_key),
            None => self.nameless(entry),
        }
    }

    /// A key for a row without any id: its name, and a number, since several may share the name.
    fn nameless(&mut self, entry: &RawEntry) -> Box<str> {
        let name = entry
            .key("host")
            .or_else(|| entry.key("ip"))
            .or_else(|| entry.str("text").and_then(PresenceKey::of_text));
        let mut key = String::from(join("row:", name.as_ref().map_or("", PresenceKey::as_str)));
        key.push('#');
        let first = self.row_at(&[&key, "1"].concat());
        first.namesakes += 1;
        key.push_str(&first.namesakes.to_string());
        key.into()
    }
}

fn join(kind: &str, id: &str) -> Box<str> {
    [kind, id].concat().into()
}
