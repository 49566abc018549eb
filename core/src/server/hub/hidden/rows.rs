//! Rows, lists and deltas without addresses. A row is masked once for each of its texts, for all who are sent it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::take;

use serde_json::value::RawValue;

use super::Of;
use crate::digest::{Digest, of_json};
use crate::model::json::{ObjectText, array_text, items, string, write_string};
use crate::server::AddressMask;
use crate::server::address_mask::{MaskedRow, inner_of};

/// Rows that are kept besides those of the last lists.
const SPARE_ROWS: usize = 64;

/// The digests of masked rows by their masked keys; `None` for a key that is no longer listed, but that a reader may
/// have from the last delta, or from a snapshot since.
pub(super) type RowDigests = BTreeMap<String, Option<u64>>;

/// The masked rows of the last lists, by the hash of their texts.
#[derive(Clone, Debug)]
pub(super) struct MaskedRows {
    pub(super) mask: AddressMask,
    /// Rows that were asked for since `old` was replaced.
    young: BTreeMap<u64, Arc<MaskedRow>>,
    /// Rows that were asked for before, and not since.
    old: BTreeMap<u64, Arc<MaskedRow>>,
    /// How many rows the last list of each kind has: the same row can have another text in each.
    list_lens: [usize; 2],
    /// How many rows were masked so far.
    #[cfg(test)]
    pub(super) made: u64,
}

impl MaskedRows {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            mask: AddressMask::new(seed),
            young: BTreeMap::new(),
            old: BTreeMap::new(),
            list_lens: [0; 2],
            #[cfg(test)]
            made: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.young.len() + self.old.len(), self.max_rows())
    }

    /// The most rows of `young`, and of `old`: those of one list must not replace those of the other one.
    fn max_rows(&self) -> usize {
        self.list_lens.iter().sum::<usize>() + SPARE_ROWS
    }

    /// Frees the rows.
    pub(super) fn clear(&mut self) {
        (self.young, self.old) = (BTreeMap::new(), BTreeMap::new());
        self.list_lens = [0; 2];
    }

    /// The masked row.
    pub(super) fn row(&mut self, json: &str) -> Arc<MaskedRow> {
        let hash = self.mask.hash(json);
        if let Some(row) = self.young.get(&hash) {
            return row.clone();
        }
        let row = self.old.remove(&hash).unwrap_or_else(|| {
            #[cfg(test)]
            {
                self.made += 1;
            }
            Arc::new(self.mask.row(json))
        });
        if self.young.len() >= self.max_rows() {
            self.old = take(&mut self.young);
        }
        self.young.insert(hash, row.clone());
        row
    }

    fn rows(&mut self, of: Of, list: &str) -> Vec<Arc<MaskedRow>> {
        let list = items(list).unwrap_or_default();
        self.list_lens[of as usize] = list.len();
        list.into_iter().map(|row| self.row(row.get())).collect()
    }

    /// The list.
    pub(super) fn list(&mut self, of: Of, list: &str) -> String {
        let rows = self.rows(of, list);
        list_text(&rows)
    }

    /// The list with the other members of a snapshot (SPEC 2.1), `[...],"keys":[...],"version":..,"digest":".."`, and
    /// the digests of its rows.
    pub(super) fn snapshot(&mut self, of: Of, snapshot: &str) -> (String, RowDigests) {
        let text = [r#"{"presence":"#, snapshot, "}"].concat();
        let [list, keys, version] = inner_of(&text, ["presence", "keys", "version"]);
        let rows = self.rows(of, list.map_or("[]", RawValue::get));
        let keys = keys.and_then(|keys| items(keys.get())).unwrap_or_default();
        let keys: Vec<String> = keys
            .into_iter()
            .zip(&rows)
            .map(|(key, row)| self.mask.row_key(&string(key).unwrap_or_default(), row))
            .collect();
        let pairs = keys.iter().zip(&rows);
        let digests: RowDigests = pairs
            .map(|(key, row)| (key.clone(), Some(of_json(key, &row.text))))
            .collect();
        let mut others = ObjectText::new();
        others.texts("keys", &mut keys.iter().map(String::as_str));
        others.raw("version", version.map_or("0", RawValue::get));
        others.text("digest", &digest(&digests).to_hex());
        let others = others.end();
        let others = others.trim_matches(['{', '}']);
        let list = list_text(&rows);
        ([&*list, ",", others].concat(), digests)
    }

    /// The payload of `presence.delta`; `digests` are those of the rows before it, and are brought up to date.
    pub(super) fn delta(&mut self, delta: &str, digests: &mut RowDigests) -> String {
        let [from, to, upserts, removals, touched] =
            inner_of(delta, ["from", "to", "upserts", "removals", "touched"]);
        // Removals come first: a removed key may exist again.
        let mut removed: Vec<String> = Vec::new();
        for removal in list_of(removals) {
            let [key, reason] = inner_of(removal.get(), ["key", "reason"]);
            let reason = reason.and_then(string).unwrap_or_default();
            for key in self.known_keys(key, digests) {
                digests.remove(&key);
                removed.push(removal_text(&key, &reason));
            }
        }
        let mut changed: Vec<String> = Vec::new();
        for upsert in list_of(upserts) {
            let [key, entry] = inner_of(upsert.get(), ["key", "entry"]);
            let row = self.row(entry.map_or("{}", RawValue::get));
            let mut before = self.known_keys(key, digests);
            let key = self.mask.row_key(&key.and_then(string).unwrap_or_default(), &row);
            before.retain(|before| *before != key);
            for before in before {
                // The write changed whether only an `ip` states the key, and so whether the key is a pseudonym.
                digests.remove(&before);
                removed.push(removal_text(&before, "replaced"));
            }
            let mut text = ObjectText::new();
            text.text("key", &key);
            text.raw("entry", &row.text);
            changed.push(text.end());
            digests.insert(key.clone(), Some(of_json(&key, &row.text)));
        }
        let touched = list_of(touched).into_iter().flat_map(|touched| {
            let pair = items(touched.get()).unwrap_or_default();
            let ts = pair.get(1).map_or("0", |ts| ts.get());
            let keys = self.known_keys(pair.first().copied(), digests).into_iter();
            keys.map(move |key| {
                let mut text = String::from("[");
                write_string(&mut text, &key);
                text + "," + ts + "]"
            })
        });
        let touched = array_text(&mut touched.collect::<Vec<_>>().into_iter());
        let mut shown = ObjectText::new();
        shown.raw("from", from.map_or("0", RawValue::get));
        shown.raw("to", to.map_or("0", RawValue::get));
        shown.raw("upserts", &array_text(&mut changed.into_iter()));
        shown.raw("removals", &array_text(&mut removed.into_iter()));
        shown.raw("touched", &touched);
        shown.text("digest", &digest(digests).to_hex());
        shown.end()
    }

    /// The masked keys under which readers may have the row with this key. No other one is shown: it may be an `ip`.
    fn known_keys(&self, key: Option<&RawValue>, digests: &RowDigests) -> Vec<String> {
        let key = key.and_then(string).unwrap_or_default();
        let mut keys = Vec::from([self.mask.pseudonym(&key), self.mask.key(&key)]);
        keys.dedup();
        keys.retain(|key| digests.contains_key(key));
        keys
    }
}

fn list_text(rows: &[Arc<MaskedRow>]) -> String {
    let bytes = rows.iter().map(|row| row.text.len() + 1).sum::<usize>();
    let mut text = String::with_capacity(bytes + 2);
    for row in rows {
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(&row.text);
    }
    text + if rows.is_empty() { "[]" } else { "]" }
}

fn removal_text(key: &str, reason: &str) -> String {
    let mut text = ObjectText::new();
    text.text("key", key);
    text.text("reason", reason);
    text.end()
}

fn list_of(list: Option<&RawValue>) -> Vec<&RawValue> {
    list.and_then(|list| items(list.get())).unwrap_or_default()
}

fn digest(rows: &RowDigests) -> Digest {
    let mut digest = Digest::default();
    rows.values().flatten().for_each(|row| digest.add(*row));
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_does_not_show_a_key_that_readers_may_not_have() {
        let mut rows = MaskedRows::new(7);
        let delta = |key: &str| {
            let removal = removal_text(key, "expired");
            [
                r#"{"from":1,"to":2,"upserts":[],"removals":["#,
                &removal,
                r#"],"touched":[]}"#,
            ]
            .concat()
        };
        // The row is in no list that was sent: its key may be an `ip`.
        let mut digests = RowDigests::new();
        let shown = rows.delta(&delta("lan-7"), &mut digests);
        assert!(shown.contains(r#""removals":[]"#), "{shown}");
        digests.insert("studio".into(), Some(1));
        let shown = rows.delta(&delta("studio"), &mut digests);
        assert!(
            shown.contains(r#""key":"studio""#) && digests.is_empty(),
            "{shown}"
        );
    }
}
