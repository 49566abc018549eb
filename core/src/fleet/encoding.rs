//! The merged roster as JSON text.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write as _;

use super::Fleet;
use super::merged::Row;
use super::sent::{Delta, Sent};
use crate::digest::Digest;
use crate::model::json::write_string;
use crate::model::time::Now;
use crate::model::{RawEntry, SharedText};
use crate::roster::Roster;

/// Encoded texts, shared by all readers at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    list: Option<Cached>,
    snapshot: Option<Cached>,
}

#[derive(Clone, Debug)]
struct Cached {
    /// The revision of the merged rows, the version, and the moment.
    of: (u64, u64, u64),
    text: SharedText,
}

/// All texts are as of the last [`sync`](Fleet::sync).
impl Fleet {
    /// Encodes the list for standard clients.
    pub(crate) fn encode_list(&mut self, now: Now) -> SharedText {
        let of = (self.merged.revision(), 0, now.age_ms);
        if let Some(cached) = self.texts.list.as_ref().filter(|cached| cached.of == of) {
            return cached.text.clone();
        }
        let text = Arc::new(self.list(|row| &row.entry));
        self.texts.list = Some(Cached {
            of,
            text: text.clone(),
        });
        text
    }

    /// Encodes the list for readers that take deltas, followed by the other members of a snapshot, like
    /// [`Roster::encode_snapshot`].
    pub(crate) fn encode_snapshot(&mut self, version: u64, now: Now) -> SharedText {
        let of = (self.merged.revision(), version, now.age_ms);
        if let Some(cached) = self.texts.snapshot.as_ref().filter(|cached| cached.of == of) {
            return cached.text.clone();
        }
        if let Some(sent) = &mut self.sent {
            sent.snapshot_taken(&self.merged);
        }
        let mut text = self.list(|row| &row.keyed);
        text.push_str(r#","keys":["#);
        for (index, row) in self.merged.list().into_iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            write_string(&mut text, &row.key);
        }
        let digest = self.digest().to_hex();
        // Writing to a String cannot fail.
        let _ = write!(text, r#"],"version":{version},"digest":"{digest}""#);
        let text = Arc::new(text);
        self.texts.snapshot = Some(Cached {
            of,
            text: text.clone(),
        });
        text
    }

    /// Encodes the payload of `presence.delta`: all changes since the last call. With an unchanged version it
    /// contains touches only, because clients ignore everything else.
    pub(crate) fn encode_delta(&mut self, from: u64, to: u64, now: Now) -> String {
        let digest = self.digest().to_hex();
        let Some(sent) = &mut self.sent else {
            return Delta::default().to_json(from, to, &digest);
        };
        let delta = if from == to {
            sent.touches(&self.merged)
        } else {
            let removals = core::mem::take(&mut self.removals);
            let wall_ms = now.age_ms.saturating_add_signed(self.offset_ms);
            sent.delta(&self.merged, &removals, wall_ms.saturating_sub(self.ttl_ms))
        };
        delta.to_json(from, to, &digest)
    }

    /// Whether so many keys were removed since the last delta that a snapshot has to replace the next one, like
    /// [`Roster::is_beyond_deltas`].
    pub(crate) fn is_beyond_deltas(&self) -> bool {
        self.sent
            .as_ref()
            .is_some_and(|sent| sent.is_beyond_deltas(&self.merged))
    }

    /// Starts or ends the record for [`encode_delta`](Self::encode_delta).
    pub(crate) fn track_changes(&mut self, is_on: bool, roster: &mut Roster, now: Now) {
        if self.sent.is_some() == is_on {
            return;
        }
        self.sent = None;
        roster.track_changes(is_on, now);
        if is_on {
            self.sync(roster, now);
            self.sent = Some(Sent::of(&self.merged));
        }
        self.removals.clear();
    }

    /// Returns the rows as of the last [`sync`](Self::sync) in list order, with their keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &RawEntry)> {
        let rows = self.merged.list().into_iter();
        rows.map(|row| (&*row.key, &row.keyed))
    }

    /// Returns the digest of the rows for clients that take deltas.
    fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        self.merged.rows().for_each(|row| digest.add(row.digest));
        digest
    }

    /// Returns the size of the list for clients that take deltas, in bytes.
    pub(crate) fn list_bytes(&self) -> usize {
        self.merged.rows().map(|row| row.keyed.as_str().len() + 1).sum()
    }

    fn list(&self, entry: fn(&Row) -> &RawEntry) -> String {
        let rows = self.merged.list();
        let bytes: usize = rows.iter().map(|row| entry(row).as_str().len() + 1).sum();
        let mut text = String::with_capacity(bytes + 64);
        text.push('[');
        for (index, row) in rows.into_iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(entry(row).as_str());
        }
        text.push(']');
        text
    }
}
