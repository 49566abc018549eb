//! The fewest inputs that still give something: delta debugging.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Header, Input, Line, Replay, Step};
use crate::model::PresenceEntry;
use crate::model::time::Now;

/// Inputs that are replayed at most for one answer.
const MAX_REPLAYED: usize = 20_000_000;

/// Leaves inputs out while `holds` is true of the rows at `until`: whole connections first, then single inputs. Returns
/// the lines of the inputs that are left, none of which can be left out alone unless the search became too long; `None` if it is
/// not true of all inputs.
pub fn shrink(
    header: &Header,
    lines: &[Line],
    until: Now,
    holds: impl FnMut(&[PresenceEntry]) -> bool,
) -> Option<Vec<Line>> {
    shrink_within(MAX_REPLAYED, header, lines, until, holds)
}

/// The same with that many inputs replayed at most.
pub(super) fn shrink_within(
    mut left: usize,
    header: &Header,
    lines: &[Line],
    until: Now,
    mut holds: impl FnMut(&[PresenceEntry]) -> bool,
) -> Option<Vec<Line>> {
    let mut connections: BTreeMap<Option<u64>, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        if let Step::Input(input) = &line.step {
            connections.entry(serial(input)).or_default().push(line);
        }
    }
    // `None` once the search is too long.
    let mut test = |units: &[Vec<&Line>]| {
        let mut kept: Vec<&Line> = units.iter().flatten().copied().collect();
        left = left.checked_sub(kept.len() + 1)?;
        // Lines are parts of one slice: their places are their order.
        kept.sort_by_key(|line| core::ptr::from_ref::<Line>(line) as usize);
        let mut replay = Replay::new(header);
        for line in kept {
            // Of inputs none can be wrong.
            let _ = replay.step(line);
        }
        replay.pass(until);
        Some(holds(&replay.list()))
    };
    let mut units: Vec<Vec<&Line>> = connections.into_values().collect();
    if test(&units) != Some(true) {
        return None;
    }
    reduce(&mut units, &mut test);
    let mut units: Vec<Vec<&Line>> = units
        .into_iter()
        .flatten()
        .map(|line| Vec::from([line]))
        .collect();
    reduce(&mut units, &mut test);
    let mut kept: Vec<&Line> = units.into_iter().flatten().collect();
    kept.sort_by_key(|line| core::ptr::from_ref::<Line>(line) as usize);
    Some(kept.into_iter().cloned().collect())
}

/// Leaves out ever smaller runs of units, until no single one can be left out.
fn reduce<'a>(units: &mut Vec<Vec<&'a Line>>, test: &mut impl FnMut(&[Vec<&'a Line>]) -> Option<bool>) {
    let mut size = units.len().div_ceil(2);
    loop {
        let before = units.len();
        let mut at = 0;
        while at < units.len() {
            let end = units.len().min(at + size);
            let fewer = [&units[..at], &units[end..]].concat();
            match test(&fewer) {
                Some(true) => *units = fewer,
                Some(false) => at = end,
                None => return,
            }
        }
        if size <= 1 && units.len() == before {
            return;
        }
        size = size.div_ceil(2).max(1);
    }
}

/// The connection of an input.
fn serial(input: &Input) -> Option<u64> {
    match input {
        Input::Join(serial, _) | Input::Leave(serial, _) | Input::Pong(serial) | Input::Call(serial, ..) => {
            Some(*serial)
        }
        Input::Wake | Input::Shutdown => None,
    }
}
