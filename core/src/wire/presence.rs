//! Presence lists in the frames of a gateway, as its client reads them (SPEC 2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde_json::value::RawValue;

use crate::model::json::{first_items, inner, integer, members, string};
use crate::model::{Origin, RawEntry};

/// Most rows of a list, and most items of each list of a delta, that are read (SPEC 3).
pub const MAX_ROWS: usize = 10_000;

/// Where frames have lists of rows, and, from [`UPSERTS`] on, of `{key, entry}`. [`Origin::list`] counts them.
pub const LISTS: [&[&str]; 8] = [
    &[],
    &["presence"],
    &["payload"],
    &["payload", "presence"],
    &["snapshot", "presence"],
    &["payload", "snapshot", "presence"],
    &["upserts"],
    &["payload", "upserts"],
];
/// The first of the [`LISTS`] of upserts.
pub const UPSERTS: u32 = 6;

/// Where a text is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The number given to the frame.
    pub frame: u64,
    /// The part of the frame that the text is.
    pub part: Part,
}

/// The parts of frames that lists are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    Frame,
    /// `payload`.
    Payload,
    /// `snapshot`.
    Snapshot,
    /// `payload.snapshot`.
    PayloadSnapshot,
}

impl Source {
    fn origin(self, list: u32, index: usize) -> Option<Origin> {
        Some(Origin {
            frame: self.frame,
            list,
            index: u32::try_from(index).ok()?,
        })
    }

    /// The number of its `presence` among the [`LISTS`].
    fn presence(self) -> u32 {
        match self.part {
            Part::Frame => 1,
            Part::Payload => 3,
            Part::Snapshot => 4,
            Part::PayloadSnapshot => 5,
        }
    }
}

/// Reads a text that is a list of rows: of the first [`MAX_ROWS`] items those that are objects.
#[must_use]
pub fn rows(json: &str, source: Source) -> Option<Vec<RawEntry>> {
    let list = if source.part == Part::Frame { 0 } else { 2 };
    rows_of(json, source, list)
}

/// Reads the list of rows called `presence` in an object, as [`rows`] does.
#[must_use]
pub fn listed(json: &str, source: Source) -> Option<Vec<RawEntry>> {
    let [presence] = members(json, ["presence"])?;
    rows_of(presence?.get(), source, source.presence())
}

fn rows_of(json: &str, source: Source, list: u32) -> Option<Vec<RawEntry>> {
    let (rows, _) = first_items(json, MAX_ROWS)?;
    let read = |(index, row): (usize, &RawValue)| RawEntry::read(row.get(), source.origin(list, index));
    Some(rows.into_iter().enumerate().filter_map(read).collect())
}

/// A list of rows with their keys: what deltas start from.
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
    pub fn read(json: &str, source: Source) -> Option<Self> {
        let [presence, keys, version, digest] = members(json, ["presence", "keys", "version", "digest"])?;
        let (rows, rows_len) = first_items(presence?.get(), MAX_ROWS)?;
        let (keys, keys_len) = first_items(keys?.get(), MAX_ROWS)?;
        if rows_len != keys_len {
            return None;
        }
        let list = source.presence();
        let read = |(index, (key, row)): (usize, (&RawValue, &RawValue))| {
            let row = RawEntry::read(row.get(), source.origin(list, index))?;
            Some((string(key)?.into(), row))
        };
        let rows = keys.into_iter().zip(rows).enumerate().map(read);
        Some(Self {
            version: integer(version?)?,
            digest: digest.map(|digest| string(digest).unwrap_or_default().into()),
            rows: rows.collect::<Option<_>>()?,
        })
    }
}

/// What changed between two versions of the roster.
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
    /// Rows that are new or say something else, with their keys.
    pub upserts: Vec<(Box<str>, RawEntry)>,
    /// Keys of rows that were heard of again, and when.
    pub touched: Vec<(Box<str>, u64)>,
}

impl Delta {
    /// Reads `{from, to, removals?, upserts?, touched?, digest?}`; `None` if a version is missing, an upsert is not
    /// `{key, entry}`, or a list has more than [`MAX_ROWS`] items. Other items that cannot be read are left out.
    #[must_use]
    pub fn read(json: &str, source: Source) -> Option<Self> {
        let [from, to, digest, removals, upserts, touched] =
            members(json, ["from", "to", "digest", "removals", "upserts", "touched"])?;
        let number = UPSERTS + u32::from(source.part != Part::Frame);
        let upsert = |(index, upsert): (usize, &RawValue)| {
            let [key, entry] = members(upsert.get(), ["key", "entry"])?;
            let row = RawEntry::read(entry?.get(), source.origin(number, index))?;
            Some((string(key?)?.into(), row))
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
            upserts: list(upserts)?
                .into_iter()
                .enumerate()
                .map(upsert)
                .collect::<Option<_>>()?,
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

/// What a text says of a roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// All rows.
    List(Vec<RawEntry>),
    /// All rows, with their keys.
    Snapshot(Snapshot),
    /// What changed; `None` if it cannot be read.
    Delta(Option<Delta>),
}

impl Presence {
    /// Finds a list, a snapshot or a delta in anything a gateway sends that holds one: a list itself, a `presence`
    /// event, `hello-ok`, the answer to `system-presence`, or a payload of these. `frame` is the number given to it.
    #[must_use]
    pub fn find(json: &str, frame: u64) -> Option<Self> {
        let whole = members(json, ["payload", "snapshot", "upserts"]);
        let [payload, snapshot, upserts] = whole.unwrap_or_default();
        let [inner_snapshot, inner_upserts] = inner(payload, ["snapshot", "upserts"]);
        let parts = [
            (Part::Frame, Some(json)),
            (Part::Payload, payload.map(RawValue::get)),
            (Part::Snapshot, snapshot.map(RawValue::get)),
            (Part::PayloadSnapshot, inner_snapshot.map(RawValue::get)),
        ];
        let parts = parts
            .into_iter()
            .filter_map(|(part, json)| Some((json?, Source { frame, part })));
        if inner_upserts.is_some() || upserts.is_some() {
            let at = usize::from(inner_upserts.is_some());
            let (json, source) = parts.clone().nth(at)?;
            return Some(Self::Delta(Delta::read(json, source)));
        }
        let snapshot = parts
            .clone()
            .find_map(|(json, source)| Snapshot::read(json, source));
        let list = || {
            parts
                .clone()
                .find_map(|(json, source)| rows(json, source).or_else(|| listed(json, source)))
        };
        snapshot.map(Self::Snapshot).or_else(|| list().map(Self::List))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use super::*;

    fn rows_in(text: &str) -> Vec<RawEntry> {
        match Presence::find(text, 9).unwrap() {
            Presence::List(rows) => rows,
            Presence::Snapshot(snapshot) => snapshot.rows.into_iter().map(|(_, row)| row).collect(),
            Presence::Delta(delta) => delta.unwrap().upserts.into_iter().map(|(_, row)| row).collect(),
        }
    }

    #[test]
    fn finds_the_list_wherever_a_gateway_puts_it() {
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
        assert_eq!(Presence::find("{}", 1), None);
        assert_eq!(Presence::find("not json", 1), None);
    }

    #[test]
    fn rows_know_their_place_in_every_frame() {
        let row = r#"{"ts":1}"#;
        let keyed = format!(r#"{{"presence":[{row},{row}],"keys":["a","b"],"version":1}}"#);
        for (list, text) in [
            (0, format!("[0,{row}]")),
            (1, format!(r#"{{"presence":[0,{row}]}}"#)),
            (1, keyed.clone()),
            (2, format!(r#"{{"payload":[0,{row}]}}"#)),
            (3, format!(r#"{{"payload":{{"presence":[0,{row}]}}}}"#)),
            (3, format!(r#"{{"payload":{keyed}}}"#)),
            (4, format!(r#"{{"snapshot":{{"presence":[0,{row}]}}}}"#)),
            (4, format!(r#"{{"snapshot":{keyed}}}"#)),
            (
                5,
                format!(r#"{{"payload":{{"snapshot":{{"presence":[0,{row}]}}}}}}"#),
            ),
            (5, format!(r#"{{"payload":{{"snapshot":{keyed}}}}}"#)),
            (
                6,
                format!(
                    r#"{{"from":1,"to":2,"upserts":[{{"key":"j","entry":{{}}}},{{"key":"k","entry":{row}}}]}}"#
                ),
            ),
            (
                7,
                format!(
                    r#"{{"payload":{{"from":1,"to":2,"upserts":[{{"key":"j","entry":{{}}}},{{"key":"k","entry":{row}}}]}}}}"#
                ),
            ),
        ] {
            let origin = Origin {
                frame: 9,
                list,
                index: 1,
            };
            assert_eq!(rows_in(&text).last().unwrap().origin(), Some(origin), "{text}");
            // The place is where it says.
            let mut json: &serde_json::Value = &serde_json::from_str(&text).unwrap();
            for name in LISTS[list as usize] {
                json = &json[name];
            }
            let item = if list < UPSERTS {
                &json[1]
            } else {
                &json[1]["entry"]
            };
            assert_eq!(item["ts"], 1, "{text}");
        }
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
            // What is not read counts all the same.
            assert_eq!(Snapshot::read(&text(len + 1), Source::default()), None);
            for (name, item) in [
                ("upserts", r#"{"key":"k","entry":{}}"#),
                ("removals", r#"{"key":"k"}"#),
                ("touched", r#"["k",1]"#),
            ] {
                let text = format!(r#"{{"from":1,"to":2,"{name}":{}}}"#, list(item, len));
                let delta = Delta::read(&text, Source::default());
                // A part of a delta would be another delta.
                assert_eq!(delta.is_some(), len == kept, "{name}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_in_a_delta_is_left_out_unless_it_is_an_upsert() {
        let text = r#"{"from":1,"to":2,"removals":[5,{"key":"a"},{"key":1}],"touched":[["b",3],["c"],5,[1,2]],"upserts":null}"#;
        let delta = Delta::read(text, Source::default()).unwrap();
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
            assert_eq!(Delta::read(&text, Source::default()), None, "{text}");
        }
    }
}
