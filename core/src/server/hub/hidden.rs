//! Output for members from which addresses are hidden (SPEC 4, "Hidden addresses"). It is made from the output for the
//! other members, and only when such a member is sent it.

mod rows;

use alloc::string::String;
use alloc::sync::{Arc, Weak};
use core::mem::replace;

use self::rows::{MaskedRows, RowDigests};
use super::calls::Answer;
use super::{ConnId, Hub};
use crate::model::SharedText;
use crate::model::addresses_in_text::hide_addresses;
use crate::model::json::json_text;
use crate::model::time::Now;
use crate::server::address_mask::MaskedRow;
use crate::server::{AddressMask, Item};
use crate::wire::history::HistoryQuery;
use crate::wire::{EventFrame, WireError};

/// Bytes that the smallest row takes in a snapshot, with its key.
const LEAST_ROW_BYTES: usize = r#"{"ts":0},"","#.len();

/// A text without addresses, and the text that it is made from.
#[derive(Clone, Debug, Default)]
struct Cached(Option<(Weak<String>, SharedText)>);

impl Cached {
    fn of(&self, text: &SharedText) -> Option<SharedText> {
        let (of, hidden) = self.0.as_ref()?;
        let is_same = of.upgrade().is_some_and(|of| Arc::ptr_eq(&of, text));
        is_same.then(|| hidden.clone())
    }

    fn set(&mut self, text: &SharedText, hidden: String) -> SharedText {
        let hidden = Arc::new(hidden);
        self.0 = Some((Arc::downgrade(text), hidden.clone()));
        hidden
    }
}

/// Which rows a list has.
#[derive(Clone, Copy, Debug)]
enum Of {
    All,
    /// This gateway's own.
    Own,
}

#[derive(Clone, Debug)]
pub(super) struct Hidden {
    rows: MaskedRows,
    /// Members whose addresses are hidden.
    members: usize,
    /// Those of them that take deltas.
    followers: usize,
    /// The rows of the last delta or of a later snapshot, and all other keys that a follower may have since that delta;
    /// empty while there are no followers.
    digests: RowDigests,
    lists: [Cached; 2],
    snapshots: [Cached; 2],
}

impl Hidden {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rows: MaskedRows::new(seed),
            members: 0,
            followers: 0,
            digests: RowDigests::new(),
            lists: [const { Cached(None) }; 2],
            snapshots: [const { Cached(None) }; 2],
        }
    }

    /// Whether any member takes deltas without addresses.
    pub(super) fn has_followers(&self) -> bool {
        self.followers > 0
    }

    /// The masked row.
    pub(super) fn row(&mut self, json: &str) -> Arc<MaskedRow> {
        self.rows.row(json)
    }

    /// How many rows were masked so far.
    #[cfg(test)]
    pub(super) fn rows_made(&self) -> u64 {
        self.rows.made
    }

    /// How many masked rows are kept, and the most of each generation.
    #[cfg(test)]
    pub(super) fn rows_kept(&self) -> (usize, usize) {
        self.rows.kept()
    }

    pub(super) fn mask(&self) -> &AddressMask {
        &self.rows.mask
    }

    fn list(&mut self, of: Of, list: &SharedText) -> SharedText {
        let cached = &mut self.lists[of as usize];
        cached
            .of(list)
            .unwrap_or_else(|| cached.set(list, self.rows.list(of, list)))
    }

    fn snapshot(&mut self, of: Of, snapshot: &SharedText) -> SharedText {
        let cached = &mut self.snapshots[of as usize];
        if let Some(hidden) = cached.of(snapshot) {
            return hidden;
        }
        let (hidden, digests) = self.rows.snapshot(of, snapshot);
        if self.followers > 0 && matches!(of, Of::All) {
            let before = replace(&mut self.digests, digests);
            for key in before.into_keys() {
                self.digests.entry(key).or_insert(None);
            }
        }
        cached.set(snapshot, hidden)
    }

    /// Forgets the keys that are no longer listed, because the next item brings every follower to the listed rows.
    fn forget_former_keys(&mut self) {
        self.digests.retain(|_, digest| digest.is_some());
    }
}

impl Hub {
    /// The mask of this connection, if addresses are hidden from it.
    #[must_use]
    pub fn address_mask(&self, conn: ConnId) -> Option<AddressMask> {
        let is_hidden = self.members.holds(conn) && self.hides(conn.slot);
        is_hidden.then(|| self.hidden.mask().clone())
    }

    pub(super) fn hides(&self, slot: u32) -> bool {
        self.members.get(slot).is_some_and(|member| member.hides)
    }

    pub(super) fn add_hidden_member(&mut self, takes_deltas: bool) {
        self.hidden.members += 1;
        if takes_deltas {
            self.hidden.followers += 1;
            // The snapshot for the member has the rows for its deltas, also if a kept one is sent.
            self.hidden.snapshots[Of::All as usize] = Cached(None);
        }
    }

    pub(super) fn remove_hidden_member(&mut self, takes_deltas: bool) {
        self.hidden.members -= 1;
        self.hidden.followers -= usize::from(takes_deltas);
        if self.hidden.followers == 0 {
            self.hidden.digests = RowDigests::new();
        }
        if self.hidden.members == 0 {
            self.hidden.rows.clear();
            self.hidden.lists = Default::default();
            self.hidden.snapshots = Default::default();
        }
    }

    /// The list for standard clients.
    pub(super) fn list_for(&mut self, hides: bool, now: Now) -> SharedText {
        let list = self.encode_list(now);
        if hides {
            self.hidden.list(Of::All, &list)
        } else {
            list
        }
    }

    /// The list with keys, version and digest.
    pub(super) fn snapshot_for(&mut self, hides: bool, now: Now) -> SharedText {
        let snapshot = self.encode_snapshot(now);
        if !hides {
            return snapshot;
        }
        let hidden = self.hidden.snapshot(Of::All, &snapshot);
        if self.is_beyond_deltas() {
            self.hidden.forget_former_keys();
        }
        hidden
    }

    /// The list of this gateway's own rows.
    pub(super) fn own_list_for(&mut self, hides: bool, now: Now) -> SharedText {
        let list = self.roster.encode_list(now);
        if hides {
            self.hidden.list(Of::Own, &list)
        } else {
            list
        }
    }

    /// The own rows with keys, version and digest. No deltas follow it.
    pub(super) fn own_snapshot_for(&mut self, hides: bool, now: Now) -> SharedText {
        let snapshot = self.roster.encode_snapshot(now);
        if hides {
            self.hidden.snapshot(Of::Own, &snapshot)
        } else {
            snapshot
        }
    }

    /// Notes the rows with which deltas without addresses begin, for a member that is sent no snapshot.
    pub(super) fn record_hidden_rows(&mut self, now: Now) {
        if self.hidden.digests.is_empty() {
            self.snapshot_for(true, now);
        }
    }

    /// Returns the masked form of a delta, or of the snapshot that replaces one. Must be called for each of them
    /// while there are [followers](Hidden::has_followers). A masked list can be much shorter than the list, so the
    /// masked snapshot also replaces a masked delta that is larger.
    pub(super) fn hidden_item(&mut self, item: &Item, now: Now) -> Item {
        match item {
            Item::Delta(frame) => {
                let payload = frame.parts().payload;
                let hidden = self.hidden.rows.delta(&payload, &mut self.hidden.digests);
                self.hidden.forget_former_keys();
                let event = EventFrame::new("presence.delta", hidden);
                let delta = event.with_state_version(&self.state_version());
                // Encoded only if it may be smaller.
                if delta.len() > self.hidden.digests.len() * LEAST_ROW_BYTES {
                    let snapshot = self.snapshot_event(true, now);
                    if snapshot.len() < delta.len() {
                        return Item::Presence(Arc::new(snapshot));
                    }
                }
                Item::Delta(Arc::new(delta))
            }
            Item::Presence(frame) => {
                let snapshot = frame.body().cloned().unwrap_or_default();
                let hidden = self.hidden.snapshot(Of::All, &snapshot);
                self.hidden.forget_former_keys();
                let event = EventFrame::presence("presence.snapshot", hidden);
                Item::Presence(Arc::new(event.with_state_version(&self.state_version())))
            }
            item => item.clone(),
        }
    }

    /// The payload of another event.
    pub(super) fn hidden_payload(&self, payload: &str) -> String {
        self.hidden.mask().json(payload)
    }

    /// The key that a request for this row means. With hidden addresses, a row whose key is masked is known by its
    /// pseudonym alone.
    pub(super) fn requested_row(&mut self, slot: u32, row: &str, now: Now) -> Option<String> {
        if !self.hides(slot) {
            return Some(row.into());
        }
        self.sync(now);
        let rows = &mut self.hidden.rows;
        let mask = rows.mask.clone();
        if AddressMask::is_pseudonym(row) {
            // A hash, which is cheaper than finding what states the key.
            let is_asked = |key: &str| mask.pseudonym(key) == row;
            return match &self.fleet {
                None => {
                    let is_masked = |key: &str| mask.key(key) != key || self.roster.is_keyed_by_ip(key);
                    let mut keys = self.roster.wire_keys();
                    keys.find(|key| is_asked(key) && is_masked(key))
                }
                Some(fleet) => {
                    let mut entries = fleet.entries();
                    let found = entries.find(|(key, entry)| {
                        is_asked(key) && mask.row_key(key, &rows.row(entry.as_str())) != *key
                    });
                    found.map(|(key, _)| key.into())
                }
            };
        }
        if mask.key(row) != row {
            return None;
        }
        let is_by_ip = match &self.fleet {
            None => self.roster.is_keyed_by_ip(row),
            Some(fleet) => {
                let key = self.roster.find_wire(row).and_then(|id| self.roster.key(id));
                let key = key.map_or_else(|| row.into(), crate::model::key::RowKey::to_wire);
                let entry = fleet.entries().find(|(own, _)| **own == key);
                entry.is_some_and(|(key, entry)| mask.row_key(key, &rows.row(entry.as_str())) != *key)
            }
        };
        (!is_by_ip).then(|| row.into())
    }

    /// The id that a request for this node means.
    pub(super) fn requested_node(&self, slot: u32, id: &str) -> Option<String> {
        if self.hides(slot) {
            self.hidden.mask().shown_id(id, self.node_ids())
        } else {
            Some(id.into())
        }
    }

    /// Refuses a query that would reveal whether there is an instance with an address.
    pub(super) fn check_history_query(&self, slot: u32, query: &HistoryQuery) -> Result<(), WireError> {
        match query.instance.as_deref() {
            // Also a key that may have been cut inside an address.
            Some(instance) if self.hides(slot) && self.hidden.mask().key(instance) != instance => {
                Err(WireError::invalid_request(
                    "invalid presence.history params: at /instance: addresses are hidden from this connection",
                ))
            }
            _ => Ok(()),
        }
    }

    /// An answer without addresses. Lists and snapshots are made without them.
    pub(super) fn hide(&self, answer: Result<Answer, WireError>) -> Result<Answer, WireError> {
        let mask = self.hidden.mask();
        match answer {
            Ok(Answer::Value(value)) => Ok(Answer::Text(mask.json(&json_text(&value)))),
            Ok(Answer::Text(text)) => Ok(Answer::Text(mask.json(&text))),
            Err(mut error) => {
                error.message = hide_addresses(&error.message).into_owned().into();
                Err(error)
            }
            answer => answer,
        }
    }
}
