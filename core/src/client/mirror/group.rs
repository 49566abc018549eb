//! Which rows of a list are the same instance (SPEC 3, "One row per instance").

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;

use crate::client::raw::RawEntry;
use crate::key::PresenceKey;

/// The key of the gateway's own row.
pub(super) const SELF_KEY: &str = "self";
/// The gateway's own row on the wire (SPEC 2.1).
const SELF_WIRE_KEY: &str = "SELF";

/// Gives the rows of one list the keys of their groups.
#[derive(Default)]
pub(super) struct GroupKeys {
    has_self: bool,
    /// How many rows without any id shared a name so far.
    nameless: BTreeMap<Box<str>, u32>,
}

impl GroupKeys {
    /// The key of the row that `entry` belongs to: by its instance, else its device, else it is alone.
    pub(super) fn group_of(&mut self, entry: &RawEntry, wire_key: Option<&str>) -> Box<str> {
        let is_self = match wire_key {
            Some(key) => key == SELF_WIRE_KEY,
            // The list is newest first, and the gateway's own row is the newest: what else claims to
            // be the gateway comes later.
            None => !self.has_self && entry.is_self(),
        };
        if is_self {
            self.has_self = true;
            return SELF_KEY.into();
        }
        if let Some(instance) = entry.instance_key() {
            return format!("instance:{}", instance.as_str()).into();
        }
        if let Some(device) = entry.device_key() {
            return format!("device:{}", device.as_str()).into();
        }
        if let Some(wire_key) = wire_key {
            return format!("row:{wire_key}").into();
        }
        let name = entry
            .key("host")
            .or_else(|| entry.key("ip"))
            .or_else(|| entry.str("text").and_then(PresenceKey::of_text));
        let name = name.as_ref().map_or("", PresenceKey::as_str);
        let count = self.nameless.entry(name.into()).or_insert(0);
        *count += 1;
        format!("row:{name}#{count}").into()
    }
}
