//! Lists, snapshots and deltas in a client's mirror, one a line, against a list of rows as `serde_json::Value`.

use std::collections::BTreeSet;
use std::sync::Arc;

use presence_core::client::mirror::DeltaOutcome;
use presence_core::client::{Mirror, MirrorConfig};
use presence_core::wire::presence::{Presence, Snapshot};
use serde_json::{Value, json};

const NOW_MS: u64 = 1_800_000_000_000;
/// More lines, and longer texts, find no more defects.
const MAX_LINES: usize = 64;

/// Rows with their keys, in the gateway's order.
#[derive(Debug)]
struct Naive {
    version: u64,
    rows: Vec<(String, Value)>,
}

/// Feeds each line to a mirror and compares its rows.
///
/// # Panics
/// When the mirror holds other rows than the naive list, or breaks a rule of its own.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut mirror = Mirror::new(MirrorConfig::default());
    let mut naive = None;
    let mut told = BTreeSet::new();
    for (line, now_ms) in text.lines().take(MAX_LINES).zip(NOW_MS..) {
        let value: Option<Value> = serde_json::from_str(line).ok();
        match Presence::find(line) {
            None | Some(Presence::Delta(None)) => continue,
            Some(Presence::List(rows)) => {
                mirror.apply_list(rows, now_ms);
                naive = None;
            }
            Some(Presence::Snapshot(snapshot)) => {
                mirror.apply_snapshot(snapshot, now_ms);
                naive = value.as_ref().and_then(payload_of_snapshot).map(snapshot_of);
            }
            Some(Presence::Delta(Some(delta))) => {
                let states_digest = delta.digest.is_some();
                let outcome = mirror.apply_delta(delta, now_ms);
                naive = naive.and_then(|naive| apply(naive, value.as_ref()?, outcome, states_digest));
            }
        }
        check(&mut mirror, &mut told, now_ms);
        if let Some(naive) = &naive {
            compare(&mirror, naive);
        }
    }
}

/// Checks the invariants of every mirror.
fn check(mirror: &mut Mirror, told: &mut BTreeSet<Arc<str>>, now_ms: u64) {
    assert!(mirror.next_change_ms().is_none_or(|at| at > now_ms));
    if let Some(diff) = mirror.take_diff() {
        for key in &diff.removed {
            assert!(told.remove(key), "{key} goes and was not there");
        }
        for key in diff.added {
            assert!(told.insert(key), "a row comes twice");
        }
    }
    let keys: BTreeSet<Arc<str>> = mirror.rows().iter().map(|row| row.key().into()).collect();
    // An insignificant difference is reported with the next significant one.
    assert!(
        keys.is_superset(told) || told.is_superset(&keys),
        "{keys:?} {told:?}"
    );
    serde_json::from_str::<Vec<&serde_json::value::RawValue>>(&mirror.raw_list_json())
        .expect("the rows are a list of JSON");
    check_explained(mirror, &keys, now_ms);
}

/// Checks that findings and explanations are JSON about existing rows.
fn check_explained(mirror: &Mirror, keys: &BTreeSet<Arc<str>>, now_ms: u64) {
    let found: Vec<Value> = serde_json::from_str(&mirror.findings_json()).expect("findings are JSON");
    for finding in &found {
        let rows = finding["rows"].as_array().expect("a finding has rows");
        let is_listed = |row: &Value| row.as_str().is_some_and(|row| keys.contains(row));
        assert!(rows.iter().all(is_listed), "{finding}");
        assert_eq!(finding.get("target"), rows.first(), "{finding}");
    }
    for key in keys {
        let explained = mirror.explain_json(key, now_ms).expect("a row is explained");
        serde_json::from_str::<&serde_json::value::RawValue>(&explained).expect("an explanation is JSON");
    }
}

/// Returns the object that holds the list: the value itself, or one inside it.
fn payload_of_snapshot(value: &Value) -> Option<&Value> {
    let parts = [
        value,
        &value["payload"],
        &value["snapshot"],
        &value["payload"]["snapshot"],
    ];
    parts.into_iter().find(|part| {
        let keys = part["keys"].as_array();
        let rows = part["presence"].as_array();
        let is_fit = keys.zip(rows).is_some_and(|(keys, rows)| {
            keys.len() == rows.len() && keys.iter().all(Value::is_string) && rows.iter().all(Value::is_object)
        });
        is_fit && part["version"].is_number()
    })
}

fn snapshot_of(payload: &Value) -> Naive {
    let mut rows: Vec<(String, Value)> = Vec::new();
    let keys = payload["keys"].as_array().into_iter().flatten();
    for (key, row) in keys.zip(payload["presence"].as_array().into_iter().flatten()) {
        let key = key.as_str().unwrap_or_default();
        if rows.iter().all(|(own, _)| own != key) {
            rows.push((key.into(), row.clone()));
        }
    }
    let version = number(&payload["version"]);
    Naive { version, rows }
}

fn apply(mut naive: Naive, value: &Value, outcome: DeltaOutcome, states_digest: bool) -> Option<Naive> {
    let delta = if value["payload"]["upserts"].is_null() {
        value
    } else {
        &value["payload"]
    };
    let (from, to) = (number(&delta["from"]), number(&delta["to"]));
    let is_touch = from == to && to == naive.version;
    if from > naive.version {
        assert_eq!(outcome, DeltaOutcome::Gap);
        return Some(naive);
    }
    if naive.version >= to && !is_touch {
        assert_eq!(outcome, DeltaOutcome::Old);
        return Some(naive);
    }
    if outcome == DeltaOutcome::Gap {
        assert!(states_digest, "a gap without a reason");
        return None;
    }
    assert_eq!(outcome, DeltaOutcome::Applied);
    let list = |name: &str| delta[name].as_array().into_iter().flatten();
    if !is_touch {
        for removal in list("removals").filter_map(|removal| removal["key"].as_str()) {
            naive.rows.retain(|(key, _)| key != removal);
        }
        for upsert in list("upserts") {
            let key = upsert["key"].as_str()?;
            match naive.rows.iter_mut().find(|(own, _)| own == key) {
                Some((_, row)) => *row = upsert["entry"].clone(),
                None => naive.rows.push((key.into(), upsert["entry"].clone())),
            }
        }
    }
    for touch in list("touched") {
        if let Some([Value::String(key), ts]) = touch.as_array().map(Vec::as_slice)
            && ts.is_number()
            && let Some((_, row)) = naive.rows.iter_mut().find(|(own, _)| own == key)
        {
            row["ts"] = number(ts).into();
        }
    }
    naive.version = to;
    Some(naive)
}

fn compare(mirror: &Mirror, naive: &Naive) {
    assert_eq!(mirror.version(), Some(naive.version));
    let has = |row: &Value| row.as_object().is_some_and(|row| row.len() <= 200);
    if !naive.rows.iter().all(|(_, row)| has(row)) {
        return;
    }
    let shown: Vec<Value> = mirror
        .raw_list()
        .map(|row| serde_json::from_str(row.as_str()).unwrap_or_default())
        .map(without_input)
        .collect();
    let expected: Vec<Value> = naive
        .rows
        .iter()
        .map(|(_, row)| without_input(row.clone()))
        .collect();
    assert_eq!(shown, expected);
    // The incremental digest equals the digest of all rows.
    let (keys, rows): (Vec<&String>, Vec<Value>) = {
        let rows = mirror.raw_list().map(|row| row.as_str());
        let rows = rows.map(|row| serde_json::from_str(row).unwrap_or_default());
        (naive.rows.iter().map(|(key, _)| key).collect(), rows.collect())
    };
    let text = json!({ "presence": rows, "keys": keys, "version": naive.version }).to_string();
    let again = Snapshot::read(&text).expect("a snapshot");
    let mut other = Mirror::new(MirrorConfig::default());
    other.apply_snapshot(again, NOW_MS);
    assert_eq!(other.len(), mirror.len());
}

/// A touch keeps the moment of the last input, so its age changes.
fn without_input(mut row: Value) -> Value {
    if let Some(members) = row.as_object_mut() {
        members.remove("lastInputSeconds");
    }
    row
}

fn number(value: &Value) -> u64 {
    let most = presence_core::model::entry::MAX_SAFE_INTEGER;
    let float = value.as_f64().unwrap_or_default();
    value.as_u64().unwrap_or(float as u64).min(most)
}
