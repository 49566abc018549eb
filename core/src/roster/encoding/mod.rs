//! Rows and lists as JSON text. A row is encoded when it changed, the list when any row changed.

mod delta;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt::Write;

use serde_json::value::{RawValue, to_raw_value};

use super::Roster;
use super::change_log::ChangeLog;
use super::clock::Clock;
use super::row::Encoded;
use super::store::{People, RowId, Store};
use crate::digest::{Digest, of_entry, of_json};
use crate::model::SharedText;
use crate::model::entry::PresenceEntry;
use crate::model::json::write_string;
use crate::model::key::RowKey;
use crate::model::time::Now;

/// Typical length of a row's text.
const ROW_BYTES: usize = 480;
/// Typical length of its key.
const KEY_BYTES: usize = 48;

/// Counts of a roster's work, which show that it depends on the changes, not on the number of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Entries written as JSON, self included.
    pub rows_encoded: u64,
    /// Entries hashed for a digest, self included.
    pub rows_digested: u64,
}

/// A text of all rows, with its revision and its moment.
#[derive(Clone, Debug)]
struct Cached {
    revision: u64,
    moment_ms: u64,
    text: SharedText,
}

/// The texts that are shared by all requests until the next change.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    list: Option<Cached>,
    snapshot: Option<Cached>,
    /// The rows in list order, with the revision.
    order: Option<(u64, Arc<[RowId]>)>,
}

impl Texts {
    /// Frees the texts: an outdated one would take up to 2 MB until the next is encoded.
    pub(super) fn clear(&mut self) {
        self.list = None;
        self.snapshot = None;
        self.order = None;
    }
}

/// Encodes rows that changed.
struct Encoder<'a> {
    store: &'a mut Store,
    people: &'a People,
    work: &'a mut Work,
    clock: Clock,
    revision: u64,
    shift_revision: u64,
}

impl Encoder<'_> {
    /// The row as JSON, with its key.
    fn row(&mut self, id: RowId) -> (&RowKey, &str) {
        let row = &mut self.store[id];
        let shared = self.people.shared(row);
        let last_change = shared.map_or(row.revision, |shared| row.revision.max(shared.revision));
        if row.encoded.revision < last_change.max(self.shift_revision) {
            self.work.rows_encoded += 1;
            row.encoded = Encoded {
                text: json(row.entry(self.clock, shared)),
                revision: self.revision,
            };
        }
        (&row.key, row.encoded.text.get())
    }

    fn digest(&mut self, id: RowId) -> u64 {
        self.work.rows_digested += 1;
        let (key, text) = self.row(id);
        of_json(&key.to_wire(), text)
    }
}

impl Roster {
    /// The list as JSON text, shared: an unchanged list is encoded once, an unchanged row too.
    pub fn encode_list(&mut self, now: Now) -> SharedText {
        self.settle(now);
        if let Some(list) = self.fresh(self.texts.list.as_ref(), now) {
            return list;
        }
        let mut text = String::with_capacity(self.len().saturating_mul(ROW_BYTES));
        self.write_list(&mut text, now);
        let list = self.cached(text, now);
        self.texts.list.insert(list).text.clone()
    }

    /// The list as JSON text, and after it the other members of a snapshot (SPEC 2.1):
    /// `[...],"keys":[...],"version":..,"digest":".."`; also shared.
    pub fn encode_snapshot(&mut self, now: Now) -> SharedText {
        self.settle(now);
        self.log.snapshot_taken();
        if let Some(snapshot) = self.fresh(self.texts.snapshot.as_ref(), now) {
            return snapshot;
        }
        let mut text = String::with_capacity(self.len().saturating_mul(ROW_BYTES + KEY_BYTES));
        match self.fresh(self.texts.list.as_ref(), now) {
            Some(list) => text.push_str(&list),
            None => self.write_list(&mut text, now),
        }
        text.push_str(r#","keys":["SELF""#);
        for &id in &*self.order() {
            text.push(',');
            write_string(&mut text, &self.store[id].key.to_wire());
        }
        let (version, digest) = (self.version(), self.digest().to_hex());
        // Writing to a String cannot fail.
        let _ = write!(text, r#"],"version":{version},"digest":"{digest}""#);
        let snapshot = self.cached(text, now);
        self.texts.snapshot.insert(snapshot).text.clone()
    }

    /// Visits each row, self first, then in no order: its key on the wire, its number, and its text.
    pub(crate) fn each_text(&mut self, now: Now, mut visit: impl FnMut(&str, u64, &str)) {
        self.settle(now);
        visit(&RowKey::SelfRow.to_wire(), 0, self.encode_self(now).get());
        let ids: Vec<RowId> = self.store.ids().collect();
        for id in ids {
            let number = self.store[id].number;
            let (mut encoder, _) = self.encoder();
            let (key, text) = encoder.row(id);
            visit(&key.to_wire(), number, text);
        }
    }

    /// The row as JSON.
    #[cfg(feature = "changes")]
    pub(super) fn row_text(&mut self, id: RowId) -> &str {
        let (mut encoder, _) = self.encoder();
        encoder.row(id);
        self.store[id].encoded.text.get()
    }

    /// The digest of all rows. It is updated with each change while changes are tracked; else it takes one walk.
    pub fn digest(&mut self) -> Digest {
        let (mut encoder, log) = self.encoder();
        let digest = log.digest(|id| encoder.digest(id));
        digest.unwrap_or_else(|| {
            let mut digest = Digest::default();
            digest.add(self.digest_of_self());
            let ids: Vec<RowId> = self.store.ids().collect();
            ids.into_iter().for_each(|id| digest.add(self.digest_of(id)));
            digest
        })
    }

    pub(super) fn digest_of(&mut self, id: RowId) -> u64 {
        self.encoder().0.digest(id)
    }

    fn encoder(&mut self) -> (Encoder<'_>, &mut ChangeLog) {
        let encoder = Encoder {
            store: &mut self.store,
            people: &self.people,
            work: &mut self.work,
            clock: self.clock,
            revision: self.log.revision(),
            shift_revision: self.log.shift_revision(),
        };
        (encoder, &mut self.log)
    }

    pub(super) fn digest_of_self(&mut self) -> u64 {
        self.work.rows_digested += 1;
        of_entry(
            &self.self_row.key.to_wire(),
            self.self_row.entry(self.clock, None),
        )
    }

    /// The rows in list order, without self: newest `ts` first, ties in the order of creation. The order in the
    /// store is almost this order, which makes the sort fast.
    pub(super) fn order(&mut self) -> Arc<[RowId]> {
        let revision = self.log.revision();
        if let Some((_, order)) = self.texts.order.as_ref().filter(|(of, _)| *of == revision) {
            return order.clone();
        }
        let mut rows = Vec::with_capacity(self.store.len());
        // A loop would check at each row which queue is the current one.
        self.store.ids().for_each(|id| {
            let row = &self.store[id];
            rows.push((Reverse(row.written_ms), row.number, id));
        });
        rows.sort();
        let order: Arc<[RowId]> = rows.into_iter().map(|(_, _, id)| id).collect();
        self.texts.order = Some((revision, order.clone()));
        order
    }

    fn write_list(&mut self, text: &mut String, now: Now) {
        text.push('[');
        text.push_str(self.encode_self(now).get());
        let order = self.order();
        let (mut encoder, _) = self.encoder();
        for &id in &*order {
            text.push(',');
            text.push_str(encoder.row(id).1);
        }
        text.push(']');
    }

    /// The `ts` of self is the moment at which it is listed (SPEC 1.6).
    pub(super) fn encode_self(&mut self, now: Now) -> Box<RawValue> {
        self.work.rows_encoded += 1;
        self.self_row.written_ms = now.age_ms;
        json(self.self_row.entry(self.clock, None))
    }

    fn cached(&self, text: String, now: Now) -> Cached {
        Cached {
            revision: self.log.revision(),
            moment_ms: now.age_ms,
            text: Arc::new(text),
        }
    }

    fn fresh(&self, cached: Option<&Cached>, now: Now) -> Option<SharedText> {
        let cached = cached?;
        let is_fresh = cached.revision == self.log.revision() && cached.moment_ms == now.age_ms;
        is_fresh.then(|| cached.text.clone())
    }
}

/// Strings, integers and lists of strings always encode; `null` replaces an impossible error, without a panic.
fn json(entry: &PresenceEntry) -> Box<RawValue> {
    to_raw_value(entry).unwrap_or_default()
}
