//! The last state sent to clients that take deltas, and the deltas that follow from it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::Serialize;
use serde_json::value::RawValue;

use super::merged::{Merged, Row};
use crate::model::RawEntry;
use crate::model::json::json_text;
use crate::roster::{Removal, TOUCH_TELL_MS, max_removed};

/// The rows as last sent, by wire key.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    pub(super) rows: BTreeMap<Arc<str>, Known>,
    /// The number of deltas so far.
    deltas: u64,
    /// Whether more keys were gone since the last delta than are kept.
    is_over: bool,
}

/// The sent state of a row.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The entry in the last delta; `None` if a snapshot since then had another entry or no such row, because only some
    /// clients received that snapshot.
    entry: Option<RawEntry>,
    /// The `ts` of the entry, or of a later touch.
    ts: u64,
    /// The last delta at which the row existed.
    delta: u64,
}

impl Sent {
    /// Starts with these rows: clients that take deltas first get a snapshot of them, or of later ones.
    pub(super) fn of(merged: &Merged) -> Self {
        let known = |row: &Row| {
            let entry = Some(row.keyed.clone());
            let (ts, delta) = (row.ts, 0);
            (row.key.clone(), Known { entry, ts, delta })
        };
        Self {
            rows: merged.rows().map(known).collect(),
            ..Self::default()
        }
    }

    /// Whether so many keys are gone since the last delta that a snapshot has to replace the next one.
    pub(super) fn is_beyond_deltas(&self, merged: &Merged) -> bool {
        let is_known = |row: &&Row| self.rows.contains_key(&row.key);
        let gone = self.rows.len() - merged.rows().filter(is_known).count();
        self.is_over || gone > max_removed(merged.rows().count())
    }

    /// Notes the rows of a snapshot, so that the next delta leads from it, too: it has the rows in which the snapshot
    /// differs from the last delta, and the keys that are gone. Each snapshot makes its keys known, so their number
    /// needs a bound.
    pub(super) fn snapshot_taken(&mut self, merged: &Merged) {
        self.is_over = self.is_beyond_deltas(merged);
        let rows: BTreeMap<&str, &Row> = merged.rows().map(|row| (&*row.key, row)).collect();
        if self.is_over {
            self.rows.retain(|key, _| rows.contains_key(&**key));
        }
        for (key, known) in &mut self.rows {
            let row = rows.get(&**key);
            if row.is_none_or(|row| matches!(known.news(row), News::Row)) {
                known.entry = None;
            }
        }
        for row in merged.rows() {
            self.rows.entry(row.key.clone()).or_insert(Known {
                entry: None,
                ts: row.ts,
                delta: self.deltas,
            });
        }
    }

    /// Returns the rows with only a newer proof of life since they were last sent, as long as the version is
    /// unchanged.
    pub(super) fn touches(&mut self, merged: &Merged) -> Delta {
        self.is_over = false;
        let mut delta = Delta::default();
        for row in merged.rows() {
            if let Some(known) = self.rows.get_mut(&row.key)
                && row.ts.saturating_sub(known.ts) > TOUCH_TELL_MS
            {
                known.ts = row.ts;
                delta.touched.push((row.key.clone(), row.ts));
            }
        }
        delta
    }

    /// Returns all changes since the last delta. The reason of a removal is in `removals`, else derived from
    /// the row's `ts`: whether it was before `expired_ms`.
    pub(super) fn delta(
        &mut self,
        merged: &Merged,
        removals: &BTreeMap<Box<str>, Removal>,
        expired_ms: u64,
    ) -> Delta {
        self.deltas += 1;
        self.is_over = false;
        let mut delta = Delta::default();
        for row in merged.rows() {
            let news = self.rows.get(&row.key).map_or(News::Row, |known| known.news(row));
            if let News::Row = news {
                delta.upserts.push((row.key.clone(), row.keyed.clone()));
                let known = Known {
                    entry: Some(row.keyed.clone()),
                    ts: row.ts,
                    delta: self.deltas,
                };
                self.rows.insert(row.key.clone(), known);
            } else if let Some(known) = self.rows.get_mut(&row.key) {
                known.delta = self.deltas;
                if let News::Touch = news {
                    known.ts = row.ts;
                    delta.touched.push((row.key.clone(), row.ts));
                }
            }
        }
        let deltas = self.deltas;
        self.rows.retain(|key, known| {
            let is_there = known.delta == deltas;
            if !is_there {
                let by_age = if known.ts < expired_ms {
                    Removal::Expired
                } else {
                    Removal::Evicted
                };
                let why = removals.get(&**key).copied().unwrap_or(by_age);
                delta.removals.push((key.clone(), why));
            }
            is_there
        });
        delta
    }
}

enum News {
    Row,
    Touch,
    Nothing,
}

impl Known {
    fn news(&self, row: &Row) -> News {
        match &self.entry {
            Some(entry) if !row.has_changes_since(entry, self.ts) => {
                if row.ts.saturating_sub(self.ts) > TOUCH_TELL_MS {
                    News::Touch
                } else {
                    News::Nothing
                }
            }
            _ => News::Row,
        }
    }
}

/// The contents of a delta.
#[derive(Debug, Default)]
pub(super) struct Delta {
    upserts: Vec<(Arc<str>, RawEntry)>,
    removals: Vec<(Arc<str>, Removal)>,
    touched: Vec<(Arc<str>, u64)>,
}

impl Delta {
    /// The payload of `presence.delta` (SPEC 2.1).
    pub(super) fn to_json(&self, from: u64, to: u64, digest: &str) -> String {
        let upserts = self.upserts.iter().filter_map(|(key, entry)| {
            // A row's text is an object: this cannot fail.
            let entry = serde_json::from_str(entry.as_str()).ok()?;
            Some(Upsert { key, entry })
        });
        let removals = self.removals.iter().map(|(key, why)| Removed {
            key,
            reason: why.as_str(),
        });
        json_text(&Payload {
            from,
            to,
            upserts: upserts.collect(),
            removals: removals.collect(),
            touched: self.touched.iter().map(|(key, ts)| (&**key, *ts)).collect(),
            digest,
        })
    }
}

#[derive(Serialize)]
struct Payload<'a> {
    from: u64,
    to: u64,
    upserts: Vec<Upsert<'a>>,
    removals: Vec<Removed<'a>>,
    touched: Vec<(&'a str, u64)>,
    digest: &'a str,
}

#[derive(Serialize)]
struct Upsert<'a> {
    key: &'a str,
    entry: &'a RawValue,
}

#[derive(Serialize)]
struct Removed<'a> {
    key: &'a str,
    reason: &'static str,
}
