//! Presence lists in the frames of a gateway, as its client reads them (SPEC 2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use crate::model::RawEntry;
use crate::model::json::{first_items, inner, integer, members, string};

/// Most rows of a list, and most items of each list of a delta, that are read (SPEC 3).
pub const MAX_ROWS: usize = 10_000;

/// Reads a text that is a list of rows: of the first [`MAX_ROWS`] items those that are objects.
#[must_use]
pub fn rows(json: &str) -> Option<Vec<RawEntry>> {
    let (rows, _) = first_items(json, MAX_ROWS)?;
    Some(
        rows.into_iter()
            .filter_map(|row| RawEntry::read(row.get()))
            .collect(),
    )
}

/// Reads the list of rows called `presence` in an object, as [`rows`] does.
#[must_use]
pub fn listed(json: &str) -> Option<Vec<RawEntry>> {
    let [presence] = members(json, ["presence"])?;
    rows(presence?.get())
}

/// A list of rows with their keys, from which deltas start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The version of the roster.
    pub version: u64,
    /// The digest of the rows, if the gateway states one.
    pub digest: Option<Box<str>>,
    /// The rows, each with its key.
    pub rows: Vec<(Box<str>, RawEntry)>,
}

impl Snapshot {
    /// Reads `{presence, keys, version, digest?}`; `None` if one is missing, a row is not an object, or the
    /// keys do not fit the rows. Rows beyond [`MAX_ROWS`] are left out.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        let [presence, keys, version, digest] = members(json, ["presence", "keys", "version", "digest"])?;
        let (rows, rows_len) = first_items(presence?.get(), MAX_ROWS)?;
        let (keys, keys_len) = first_items(keys?.get(), MAX_ROWS)?;
        if rows_len != keys_len {
            return None;
        }
        let read =
            |(key, row): (&RawValue, &RawValue)| Some((string(key)?.into(), RawEntry::read(row.get())?));
        let rows = keys.into_iter().zip(rows).map(read);
        Some(Self {
            version: integer(version?)?,
            digest: digest.map(|digest| string(digest).unwrap_or_default().into()),
            rows: rows.collect::<Option<_>>()?,
        })
    }
}

/// The changes between two versions of the roster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// The version it starts from.
    pub from: u64,
    /// The version it leads to.
    pub to: u64,
    /// The digest of the rows afterwards, if the gateway states one.
    pub digest: Option<Box<str>>,
    /// Keys of rows that are gone.
    pub removals: Vec<Box<str>>,
    /// New and changed rows, with their keys.
    pub upserts: Vec<(Box<str>, RawEntry)>,
    /// Keys of touched rows, with the new `ts`.
    pub touched: Vec<(Box<str>, u64)>,
}

impl Delta {
    /// Reads `{from, to, removals?, upserts?, touched?, digest?}`; `None` if a version is missing, an upsert is not
    /// `{key, entry}`, or a list has more than [`MAX_ROWS`] items. Other items that cannot be read are left out.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        let [from, to, digest, removals, upserts, touched] =
            members(json, ["from", "to", "digest", "removals", "upserts", "touched"])?;
        let upsert = |upsert: &RawValue| {
            let [key, entry] = members(upsert.get(), ["key", "entry"])?;
            Some((string(key?)?.into(), RawEntry::read(entry?.get())?))
        };
        let removal = |removal: &RawValue| {
            let [key] = members(removal.get(), ["key"])?;
            Some(string(key?)?.into())
        };
        let touch = |touch: &RawValue| match *first_items(touch.get(), 3)?.0 {
            [key, ts] => Some((string(key)?.into(), integer(ts)?)),
            _ => None,
        };
        Some(Self {
            from: integer(from?)?,
            to: integer(to?)?,
            digest: digest.map(|digest| string(digest).unwrap_or_default().into()),
            removals: list(removals)?.into_iter().filter_map(removal).collect(),
            upserts: list(upserts)?.into_iter().map(upsert).collect::<Option<_>>()?,
            touched: list(touched)?.into_iter().filter_map(touch).collect(),
        })
    }
}

/// The items of a list that may be absent; `None` if there are too many.
fn list(json: Option<&RawValue>) -> Option<Vec<&RawValue>> {
    let list = json.and_then(|json| first_items(json.get(), MAX_ROWS));
    let (items, len) = list.unwrap_or_default();
    (len <= MAX_ROWS).then_some(items)
}

/// Presence data in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// All rows.
    List(Vec<RawEntry>),
    /// All rows, with their keys.
    Snapshot(Snapshot),
    /// A delta; `None` if it cannot be read.
    Delta(Option<Delta>),
}

impl Presence {
    /// Finds a list, a snapshot or a delta in anything a gateway sends that holds one: a list itself, a `presence`
    /// event, `hello-ok`, the answer to `system-presence`, or a payload of these.
    #[must_use]
    pub fn find(json: &str) -> Option<Self> {
        let whole = members(json, ["payload", "snapshot", "upserts"]);
        let [payload, snapshot, upserts] = whole.unwrap_or_default();
        let [inner_snapshot, inner_upserts] = inner(payload, ["snapshot", "upserts"]);
        if inner_upserts.is_some() {
            return Some(Self::Delta(Delta::read(payload?.get())));
        } else if upserts.is_some() {
            return Some(Self::Delta(Delta::read(json)));
        }
        let parts = [payload, snapshot, inner_snapshot].into_iter().flatten();
        let parts = core::iter::once(json).chain(parts.map(RawValue::get));
        let snapshot = parts.clone().find_map(Snapshot::read);
        let list = || parts.clone().find_map(|json| rows(json).or_else(|| listed(json)));
        snapshot.map(Self::Snapshot).or_else(|| list().map(Self::List))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use super::*;

    fn rows_in(text: &str) -> Vec<RawEntry> {
        match Presence::find(text).unwrap() {
            Presence::List(rows) => rows,
            Presence::Snapshot(snapshot) => snapshot.rows.into_iter().map(|(_, row)| row).collect(),
            Presence::Delta(delta) => delta.unwrap().upserts.into_iter().map(|(_, row)| row).collect(),
        }
    }

    #[test]
    fn the_list_is_found_in_every_form_of_answer() {
        for text in [
            r#"[{"ts":1}]"#,
            r#"{"presence":[{"ts":1}]}"#,
            r#"{"type":"res","id":"2","ok":true,"payload":[{"ts":1},"junk",null]}"#,
            r#"{"type":"event","event":"presence","payload":{"presence":[{"ts":1}]},"seq":1}"#,
            r#"{"type":"hello-ok","snapshot":{"presence":[{"ts":1}]}}"#,
            r#"{"type":"res","payload":{"type":"hello-ok","snapshot":{"presence":[{"ts":1}]}}}"#,
        ] {
            assert_eq!(
                rows_in(text),
                RawEntry::parse_list(r#"[{"ts":1}]"#).unwrap(),
                "{text}"
            );
        }
        assert_eq!(Presence::find("{}"), None);
        assert_eq!(Presence::find("not json"), None);
    }

    #[test]
    fn reads_no_more_rows_than_a_mirror_holds() {
        let list = |item: &str, len: usize| format!("[{}]", vec![item; len].join(","));
        for (len, kept) in [(MAX_ROWS, MAX_ROWS), (MAX_ROWS + 1, MAX_ROWS)] {
            let rows = list("{}", len);
            assert_eq!(rows_in(&rows).len(), kept);
            let text = |keys: usize| {
                let keys = list(r#""k""#, keys);
                format!(r#"{{"presence":{rows},"keys":{keys},"version":1}}"#)
            };
            assert_eq!(rows_in(&text(len)).len(), kept);
            // Items that are not read count as well.
            assert_eq!(Snapshot::read(&text(len + 1)), None);
            for (name, item) in [
                ("upserts", r#"{"key":"k","entry":{}}"#),
                ("removals", r#"{"key":"k"}"#),
                ("touched", r#"["k",1]"#),
            ] {
                let text = format!(r#"{{"from":1,"to":2,"{name}":{}}}"#, list(item, len));
                let delta = Delta::read(&text);
                // A part of a delta would be a different delta.
                assert_eq!(delta.is_some(), len == kept, "{name}");
            }
        }
    }

    #[test]
    fn unreadable_parts_of_a_delta_are_left_out_except_upserts() {
        let text = r#"{"from":1,"to":2,"removals":[5,{"key":"a"},{"key":1}],"touched":[["b",3],["c"],5,[1,2]],"upserts":null}"#;
        let delta = Delta::read(text).unwrap();
        assert_eq!(delta.removals, ["a".into()]);
        assert_eq!(delta.touched, [("b".into(), 3)]);
        for upsert in [
            "5",
            "{}",
            r#"{"key":"a"}"#,
            r#"{"key":5,"entry":{}}"#,
            r#"{"key":"a","entry":[]}"#,
        ] {
            let text = format!(r#"{{"from":1,"to":2,"upserts":[{upsert}]}}"#);
            assert_eq!(Delta::read(&text), None, "{text}");
        }
    }
}
