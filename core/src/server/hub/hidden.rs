//! Output for members from which addresses are hidden (SPEC 4, "Hidden addresses"). It is made from the output for the
//! other members, and only while there are such members.

use alloc::string::String;
use alloc::sync::Arc;

use super::calls::Answer;
use super::{ConnId, Hub};
use crate::model::addresses::hide_addresses;
use crate::model::json::json_text;
use crate::model::time::Now;
use crate::model::{RawEntry, SharedText};
use crate::server::address_mask::RowDigests;
use crate::server::{AddressMask, Item};
use crate::wire::history::HistoryQuery;
use crate::wire::{EventFrame, WireError};

/// Bytes that the smallest row takes in a snapshot, with its key.
const LEAST_ROW_BYTES: usize = r#"{"ts":0},"","#.len();

/// A text, and the same without addresses.
type Cached = Option<(SharedText, SharedText)>;

#[derive(Clone, Debug)]
pub(super) struct Hidden {
    mask: AddressMask,
    /// Members whose addresses are hidden.
    members: usize,
    /// Those of them that take deltas.
    followers: usize,
    /// The rows as these have them; empty while there are none.
    digests: RowDigests,
    list: Cached,
    snapshot: Cached,
}

impl Hidden {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            mask: AddressMask::new(seed),
            members: 0,
            followers: 0,
            digests: RowDigests::new(),
            list: None,
            snapshot: None,
        }
    }

    /// Whether any member takes deltas without addresses.
    pub(super) fn has_followers(&self) -> bool {
        self.followers > 0
    }

    fn list(&mut self, list: &SharedText) -> SharedText {
        if let Some(hidden) = known(&self.list, list) {
            return hidden;
        }
        let hidden = Arc::new(self.mask.json(list));
        self.list = (self.members > 0).then(|| (list.clone(), hidden.clone()));
        hidden
    }

    fn snapshot(&mut self, snapshot: &SharedText) -> SharedText {
        if let Some(hidden) = known(&self.snapshot, snapshot) {
            return hidden;
        }
        let (hidden, digests) = self.mask.snapshot(snapshot);
        let hidden = Arc::new(hidden);
        if self.followers > 0 {
            self.digests = digests;
        }
        self.snapshot = (self.members > 0).then(|| (snapshot.clone(), hidden.clone()));
        hidden
    }
}

fn known(cached: &Cached, text: &SharedText) -> Option<SharedText> {
    let (of, hidden) = cached.as_ref()?;
    Arc::ptr_eq(of, text).then(|| hidden.clone())
}

impl Hub {
    /// The mask of this connection, if addresses are hidden from it.
    #[must_use]
    pub fn address_mask(&self, conn: ConnId) -> Option<AddressMask> {
        let is_hidden = self.members.holds(conn) && self.hides(conn.slot);
        is_hidden.then(|| self.hidden.mask.clone())
    }

    /// The row as readers see it from whom addresses are hidden.
    pub(super) fn without_addresses(&self, entry: &RawEntry) -> RawEntry {
        let hidden = self.hidden.mask.json(entry.as_str());
        RawEntry::read(&hidden).unwrap_or_default()
    }

    pub(super) fn hides(&self, slot: u32) -> bool {
        self.members.get(slot).is_some_and(|member| member.hides)
    }

    pub(super) fn add_hidden_member(&mut self, takes_deltas: bool) {
        self.hidden.members += 1;
        if takes_deltas {
            self.hidden.followers += 1;
            // The snapshot for the member has the rows for its deltas, also if a kept one is sent.
            self.hidden.snapshot = None;
        }
    }

    pub(super) fn remove_hidden_member(&mut self, takes_deltas: bool) {
        self.hidden.members -= 1;
        self.hidden.followers -= usize::from(takes_deltas);
        if self.hidden.followers == 0 {
            self.hidden.digests = RowDigests::new();
        }
        if self.hidden.members == 0 {
            (self.hidden.list, self.hidden.snapshot) = (None, None);
        }
    }

    /// The list for standard clients.
    pub(super) fn list_for(&mut self, hides: bool, now: Now) -> SharedText {
        let list = self.encode_list(now);
        if hides { self.hidden.list(&list) } else { list }
    }

    /// The list with keys, version and digest.
    pub(super) fn snapshot_for(&mut self, hides: bool, now: Now) -> SharedText {
        let snapshot = self.encode_snapshot(now);
        if hides {
            self.hidden.snapshot(&snapshot)
        } else {
            snapshot
        }
    }

    /// The list of this gateway's own rows.
    pub(super) fn own_list_for(&mut self, hides: bool, now: Now) -> SharedText {
        let list = self.roster.encode_list(now);
        if hides {
            Arc::new(self.hidden.mask.json(&list))
        } else {
            list
        }
    }

    /// The own rows with keys, version and digest. No deltas follow it.
    pub(super) fn own_snapshot_for(&mut self, hides: bool, now: Now) -> SharedText {
        let snapshot = self.encode_own_snapshot(now);
        if hides {
            Arc::new(self.hidden.mask.snapshot(&snapshot).0)
        } else {
            snapshot
        }
    }

    /// Notes the rows with which deltas without addresses begin, for a member that is sent no snapshot.
    pub(super) fn know_hidden_rows(&mut self, now: Now) {
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
                let hidden = self.hidden.mask.delta(&payload, &mut self.hidden.digests);
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
                let event = EventFrame::presence("presence.snapshot", self.hidden.snapshot(&snapshot));
                Item::Presence(Arc::new(event.with_state_version(&self.state_version())))
            }
            item => item.clone(),
        }
    }

    /// The payload of another event.
    pub(super) fn hidden_payload(&self, payload: &str) -> String {
        self.hidden.mask.json(payload)
    }

    /// The key that a request for this row means. With hidden addresses, a row is known by its pseudonym alone.
    pub(super) fn row_asked_by(&mut self, slot: u32, row: &str, now: Now) -> Option<String> {
        if !self.hides(slot) {
            return Some(row.into());
        }
        let keys = self.listed(usize::MAX, now);
        let keys = keys.iter().map(|row| &*row.key);
        self.hidden.mask.shown_key(row, keys)
    }

    /// The id that a request for this node means.
    pub(super) fn node_asked_by(&self, slot: u32, id: &str) -> Option<String> {
        if self.hides(slot) {
            self.hidden.mask.shown_key(id, self.node_ids())
        } else {
            Some(id.into())
        }
    }

    /// Refuses a query that would reveal whether there is an instance with an address.
    pub(super) fn check_history_query(&self, slot: u32, query: &HistoryQuery) -> Result<(), WireError> {
        match query.instance.as_deref() {
            // Also a key that may have been cut inside an address.
            Some(instance) if self.hides(slot) && self.hidden.mask.key(instance) != instance => {
                Err(WireError::invalid_request(
                    "invalid presence.history params: at /instance: addresses are hidden from this connection",
                ))
            }
            _ => Ok(()),
        }
    }

    /// An answer without addresses. Lists and snapshots are made without them.
    pub(super) fn hide(&self, answer: Result<Answer, WireError>) -> Result<Answer, WireError> {
        let mask = &self.hidden.mask;
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
