//! The list as JSON text: each row is encoded when it changed, the list when anything did.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Roster, Row, Work};
use crate::time::Now;

/// The last encoded list and the moment its self row shows.
#[derive(Debug, Default)]
pub(super) struct ListCache {
    list: Option<(u64, Arc<str>)>,
    order: Option<Vec<u32>>,
}

impl ListCache {
    pub(super) fn clear(&mut self) {
        self.list = None;
        self.order = None;
    }
}

pub(super) fn list(roster: &mut Roster, now: Now) -> Arc<str> {
    if let Some((moment, list)) = &roster.encoder.list
        && *moment == now.age_ms
    {
        return list.clone();
    }
    renew_self(&mut roster.self_row, now);
    let order = match roster.encoder.order.take() {
        Some(order) => order,
        None => roster.ordered_slots(),
    };
    let (offset_ms, epoch) = (roster.offset_ms, roster.epoch);
    let mut text = String::with_capacity(order.len().saturating_mul(420).saturating_add(420));
    text.push('[');
    text.push_str(encoded(&mut roster.self_row, offset_ms, epoch, &mut roster.work));
    for &slot in &order {
        text.push(',');
        text.push_str(encoded(
            &mut roster.table.slab[slot],
            offset_ms,
            epoch,
            &mut roster.work,
        ));
    }
    text.push(']');
    let list: Arc<str> = text.into();
    roster.encoder.order = Some(order);
    roster.encoder.list = Some((now.age_ms, list.clone()));
    list
}

/// Self is as fresh as the moment it is told (SPEC 1.6).
pub(super) fn renew_self(row: &mut Row, now: Now) {
    row.written_ms = now.age_ms;
    row.outdate();
}

/// The row as JSON text, encoded if it changed.
pub(super) fn encoded<'r>(row: &'r mut Row, offset_ms: i64, epoch: u64, work: &mut Work) -> &'r str {
    if row.encoded_epoch != epoch {
        work.rows_encoded += 1;
        // Strings, integers and lists of strings always encode; an empty object stands for what
        // cannot happen rather than a panic.
        let text = serde_json::to_string(row.entry(offset_ms)).unwrap_or_else(|_| String::from("{}"));
        row.encoded = text.into();
        row.encoded_epoch = epoch;
    }
    &row.encoded
}
