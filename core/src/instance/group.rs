//! Grouping of the rows of a list by instance (SPEC 3, "One row per instance").

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use crate::model::RawEntry;
use crate::model::key::{PresenceKey, SELF_WIRE_KEY};

/// The key of the gateway's own row.
pub(crate) const SELF_KEY: &str = "self";

/// The key of the row that an entry with a wire key belongs to.
pub(crate) fn keyed_group(entry: &RawEntry, wire_key: &str) -> String {
    if wire_key == SELF_WIRE_KEY {
        return SELF_KEY.into();
    }
    identified(entry).unwrap_or_else(|| format!("row:{wire_key}"))
}

/// Gives the entries of a list without wire keys the keys of the rows they belong to.
#[derive(Default)]
pub(crate) struct Namer {
    has_self: bool,
    /// The number of entries without an id by name.
    namesakes: BTreeMap<Arc<str>, usize>,
}

impl Namer {
    pub(crate) fn name(&mut self, entry: &RawEntry) -> String {
        // The list is newest first, and the gateway's own row is the newest: other rows that claim to be the
        // gateway come later.
        if !self.has_self && entry.is_self() {
            self.has_self = true;
            return SELF_KEY.into();
        }
        identified(entry).unwrap_or_else(|| {
            let name = entry
                .key("host")
                .or_else(|| entry.key("ip"))
                .or_else(|| entry.str("text").and_then(PresenceKey::of_text));
            let name = name.as_ref().map_or("", PresenceKey::as_str);
            let count = self.namesakes.entry(name.into()).or_default();
            *count += 1;
            format!("row:{name}#{count}")
        })
    }
}

/// The group by its instance, else by its device.
pub(crate) fn identified(entry: &RawEntry) -> Option<String> {
    let of = |kind: &str, key: PresenceKey| [kind, key.as_str()].concat();
    entry
        .instance_key()
        .map(|key| of("instance:", key))
        .or_else(|| entry.device_key().map(|key| of("device:", key)))
}
