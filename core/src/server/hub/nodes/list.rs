//! `node.list`, `node.pair.list` and `node.describe`, which return the same items.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use super::{Activity, Description, Hub, LastSeen};
use crate::model::json::write_string;
use crate::model::time::Now;
use crate::roster::max_list_bytes;
use crate::wire::WireError;

/// A node as it is listed.
struct Shown<'a> {
    description: &'a Description,
    is_connected: bool,
    last_seen: Option<LastSeen>,
    activity: Option<Activity>,
}

impl Hub {
    /// `node.list` as JSON text: connected nodes first, at most as many as the roster may have rows.
    pub(in crate::server::hub) fn node_list(&self, now: Now) -> String {
        let mut text = format!(r#"{{"ts":{},"nodes":"#, self.roster.wall_ms(now));
        self.write_nodes(&mut text);
        text + "}"
    }

    /// `node.pair.list` as JSON text: there is no pairing, so every known node counts as paired.
    pub(in crate::server::hub) fn node_pair_list(&self) -> String {
        let mut text = String::from(r#"{"pending":[],"paired":"#);
        self.write_nodes(&mut text);
        text + "}"
    }

    /// The ids of all listed nodes.
    pub(in crate::server::hub) fn node_ids(&self) -> impl Iterator<Item = &str> {
        self.shown_nodes().map(|node| &*node.description.id)
    }

    /// `node.describe` as JSON text: one of them, if there is one with this id.
    pub(in crate::server::hub) fn node_describe(
        &self,
        id: Option<&str>,
        now: Now,
    ) -> Result<String, WireError> {
        let Some(node) = self.shown_nodes().find(|node| Some(&*node.description.id) == id) else {
            return Err(WireError::invalid_request("unknown nodeId"));
        };
        let mut text = format!(r#"{{"ts":{},"#, self.roster.wall_ms(now));
        self.write_members(&mut text, &node);
        Ok(text + "}")
    }

    fn write_nodes(&self, text: &mut String) {
        let most = max_list_bytes(self.config.max_entries).saturating_add(text.len());
        let mut ids = BTreeSet::new();
        // Of two with one id the verified one is shown: keys of devices come first.
        let nodes = self
            .shown_nodes()
            .filter(|node| ids.insert(&*node.description.id))
            .take(self.config.max_entries);
        text.push('[');
        let mut separator = "";
        for node in nodes {
            let before = text.len();
            *text += separator;
            text.push('{');
            self.write_members(text, &node);
            text.push('}');
            separator = ",";
            // With the bracket that closes the list.
            if text.len() >= most {
                text.truncate(before);
                break;
            }
        }
        text.push(']');
    }

    /// Connected nodes, then disconnected ones whose rows exist; verified devices first.
    fn shown_nodes(&self) -> impl Iterator<Item = Shown<'_>> {
        let connected = self.nodes.connected.values().filter_map(|node| {
            Some(Shown {
                description: &node.seats.last()?.description,
                is_connected: true,
                last_seen: node.last_seen,
                activity: node.activity,
            })
        });
        let gone = self
            .nodes
            .gone
            .values()
            .filter(|node| self.roster.contains(node.row));
        connected.chain(gone.map(|node| Shown {
            description: &node.description,
            is_connected: false,
            last_seen: Some(node.last_seen),
            activity: None,
        }))
    }

    /// The node without its braces.
    fn write_members(&self, text: &mut String, node: &Shown<'_>) {
        *text += r#""nodeId":"#;
        write_string(text, &node.description.id);
        *text += &node.description.members;
        let (joined_ms, is_connected) = (self.wall_of(node.description.joined_ms), node.is_connected);
        // Writing to a String cannot fail.
        let _ = write!(text, r#","connectedAtMs":{joined_ms},"connected":{is_connected}"#);
        if let Some(LastSeen { at_ms, reason, .. }) = node.last_seen {
            let at_ms = self.wall_of(at_ms);
            let _ = write!(text, r#","lastSeenAtMs":{at_ms},"lastSeenReason":"{reason}""#);
        }
        if let Some(activity) = node.activity {
            let _ = write!(text, r#","lastActiveAtMs":{}"#, self.last_active_ms(activity));
        }
    }

    pub(super) fn last_active_ms(&self, activity: Activity) -> u64 {
        self.wall_of(activity.reported_ms)
            .saturating_sub(activity.idle_seconds.saturating_mul(1_000))
    }

    /// A moment of the age clock on the clock of `ts`.
    pub(super) fn wall_of(&self, age_ms: u64) -> u64 {
        self.roster.wall_ms(Now { age_ms, wall_ms: 0 })
    }
}
