//! Requests of clients: beacons and the list.

use std::fmt::Write as _;
use std::ops::Range;

use crate::bench::WAIT;
use crate::error::BenchError;
use crate::fleet::Fleet;

/// Beacons in flight while rows are added.
const FILL_DEPTH: usize = 16;

/// A beacon about row `row`, about as long as a mac app's: 200 rows are 81 kB. `mark` makes each text different.
pub(crate) fn beacon(id: u64, row: usize, mark: u64) -> String {
    let (high, low) = ((row >> 8) & 255, row & 255);
    let mut text = String::with_capacity(640);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        r#"{{"type":"req","id":"b{id}","method":"system-event","params":{{"text":"Node: host-fill-{row} (10.0.{high}.{low}) · app 1.2.3 · last input 12s ago · mode ui · reason periodic {mark:010}","instanceId":"fill-{row}","host":"host-fill-{row}","ip":"10.0.{high}.{low}","version":"1.2.3","platform":"macos 26.0.0","deviceFamily":"Mac","modelIdentifier":"Mac15,3","mode":"ui","lastInputSeconds":12,"reason":"periodic","roles":["operator"],"scopes":["operator.read","operator.write"]}}}}"#
    );
    text
}

/// A request for the list, of constant length.
pub(crate) fn list_request(id: u64) -> String {
    format!(r#"{{"type":"req","id":"{id:010}","method":"system-presence","params":{{}}}}"#)
}

/// Adds rows through client 0, up to `rows` with the gateway's own.
pub(crate) fn fill(fleet: &mut Fleet, rows: usize) -> Result<(), BenchError> {
    fill_with(fleet, 0..rows.saturating_sub(1))
}

/// Adds these rows through client 0.
pub(crate) fn fill_with(fleet: &mut Fleet, rows: Range<usize>) -> Result<(), BenchError> {
    let rows: Vec<usize> = rows.collect();
    for some in rows.chunks(FILL_DEPTH) {
        let before = fleet.clients[0].seen;
        for &row in some {
            fleet.clients[0].push(&beacon(row as u64, row, 0));
        }
        fleet.clients[0].flush();
        let wanted = before.responses + some.len() as u64;
        let is_done = fleet.pump(WAIT, |fleet| fleet.clients[0].seen.responses >= wanted)?;
        if !is_done || fleet.clients[0].seen.refused > before.refused {
            return Err(BenchError::Gateway("the gateway refuses beacons".to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_json_of_constant_length() {
        for text in [beacon(7, 300, 9), list_request(3)] {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["type"], "req");
        }
        assert_eq!(list_request(0).len(), list_request(4_000_000_000).len());
        assert_eq!(beacon(1, 7, 0).len(), beacon(1, 7, 999_999).len());
    }
}
