//! The list as JSON text: each row is encoded when it changed, the list when anything did.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;

use super::people::Shared;
use super::row::Encoded;
use super::{Roster, Row, Work};
use crate::model::SharedText;
use crate::model::json::write_string;
use crate::model::time::Now;

/// About how long a row's text is.
const ROW_BYTES: usize = 420;
/// About how long its key is.
const KEY_BYTES: usize = 48;

/// The last encoded list, with the moment that its self row shows, and the last snapshot.
#[derive(Debug, Default)]
pub(super) struct ListCache {
    list: Option<(u64, SharedText)>,
    snapshot: Option<(u64, SharedText)>,
    order: Option<Vec<u32>>,
}

impl ListCache {
    pub(super) fn clear(&mut self) {
        self.list = None;
        self.snapshot = None;
        self.order = None;
    }
}

pub(super) fn list(roster: &mut Roster, now: Now) -> SharedText {
    if let Some(list) = of_moment(&roster.encoder.list, now) {
        return list;
    }
    let mut text = String::with_capacity(roster.len().saturating_mul(ROW_BYTES));
    write_list(roster, &mut text, now);
    let list = Arc::new(text);
    roster.encoder.list = Some((now.age_ms, list.clone()));
    list
}

/// The list, and after it the other members of a snapshot.
pub(super) fn snapshot(roster: &mut Roster, now: Now) -> SharedText {
    if let Some(snapshot) = of_moment(&roster.encoder.snapshot, now) {
        return snapshot;
    }
    let mut text = String::with_capacity(roster.len().saturating_mul(ROW_BYTES + KEY_BYTES));
    match of_moment(&roster.encoder.list, now) {
        Some(list) => text.push_str(&list),
        None => write_list(roster, &mut text, now),
    }
    text.push_str(r#","keys":["SELF""#);
    let order = ordered(roster);
    for &slot in &order {
        text.push(',');
        write_string(&mut text, &roster.table.slab[slot].key.to_wire());
    }
    roster.encoder.order = Some(order);
    let (version, digest) = (roster.version, roster.digest().to_hex());
    // Writing to a String cannot fail.
    let _ = write!(text, r#"],"version":{version},"digest":"{digest}""#);
    let snapshot = Arc::new(text);
    roster.encoder.snapshot = Some((now.age_ms, snapshot.clone()));
    snapshot
}

fn of_moment(cached: &Option<(u64, SharedText)>, now: Now) -> Option<SharedText> {
    let (moment, text) = cached.as_ref()?;
    (*moment == now.age_ms).then(|| text.clone())
}

/// The slots in list order; to be put back.
fn ordered(roster: &mut Roster) -> Vec<u32> {
    match roster.encoder.order.take() {
        Some(order) => order,
        None => roster.ordered_slots(),
    }
}

fn write_list(roster: &mut Roster, text: &mut String, now: Now) {
    renew_self(&mut roster.self_row, now);
    let order = ordered(roster);
    let (offset_ms, epoch) = (roster.offset_ms, roster.epoch);
    text.push('[');
    text.push_str(encoded(
        &mut roster.self_row,
        offset_ms,
        epoch,
        None,
        &mut roster.work,
    ));
    for &slot in &order {
        text.push(',');
        let row = &mut roster.table.slab[slot];
        let shared = roster.people.shared(row);
        text.push_str(encoded(row, offset_ms, epoch, shared, &mut roster.work));
    }
    text.push(']');
    roster.encoder.order = Some(order);
}

/// Self is as fresh as the moment it is told (SPEC 1.6).
pub(super) fn renew_self(row: &mut Row, now: Now) {
    row.written_ms = now.age_ms;
    row.outdate();
}

/// The row as JSON text, encoded if it changed.
pub(super) fn encoded<'r>(
    row: &'r mut Row,
    offset_ms: i64,
    epoch: u64,
    shared: Option<Shared>,
    work: &mut Work,
) -> &'r str {
    let revision = shared.map_or(0, |shared| shared.revision);
    if row.encoded.epoch != epoch || row.encoded.revision != revision {
        work.rows_encoded += 1;
        // Strings, integers and lists of strings always encode; an empty object stands for what
        // cannot happen rather than a panic.
        let text = serde_json::to_string(row.entry(offset_ms, shared)).unwrap_or_else(|_| String::from("{}"));
        row.encoded = Encoded {
            text: text.into(),
            epoch,
            revision,
        };
    }
    &row.encoded.text
}
