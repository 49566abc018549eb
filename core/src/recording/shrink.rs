//! The fewest inputs that still give a finding: delta debugging.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Header, Input, Line, Replay, Step};
use crate::findings::FindingKind;
use crate::model::time::Now;

/// Lines and rows that are gone through at most for one answer.
const MAX_WORK: usize = 20_000_000;

/// The fewest inputs, and the finding that they give.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The inputs, and as the last line the finding that is expected after them.
    pub lines: Vec<Line>,
    /// Whether no input can be left out alone; else the search became too long.
    pub is_least: bool,
}

/// Leaves inputs out while there is a finding of this kind at `until`: whole connections first, then single inputs.
/// `None` if all inputs together do not give it. A checkpoint that the recording begins with is kept.
#[must_use]
pub fn shrink(header: &Header, lines: &[Line], until: Now, kind: FindingKind) -> Option<Shrunk> {
    shrink_within(MAX_WORK, header, lines, until, kind)
}

/// The same with that much work at most.
pub(super) fn shrink_within(
    max_work: usize,
    header: &Header,
    lines: &[Line],
    until: Now,
    kind: FindingKind,
) -> Option<Shrunk> {
    let mut connections: BTreeMap<Option<u64>, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        if let Step::Input(input) = &line.step {
            connections.entry(serial(input)).or_default().push(line);
        }
    }
    let begin = lines
        .iter()
        .take_while(|line| matches!(line.step, Step::State(_)))
        .count();
    let begin = &lines[..begin];
    let mut search = Search {
        header,
        begin,
        until,
        kind,
        left: max_work,
    };
    let mut units: Vec<Vec<&Line>> = connections.into_values().collect();
    if search.test(&units) != Some(true) {
        return None;
    }
    search.reduce(&mut units);
    let mut units: Vec<Vec<&Line>> = units
        .into_iter()
        .flatten()
        .map(|line| Vec::from([line]))
        .collect();
    let is_least = search.reduce(&mut units);
    let kept = in_order(&units).into_iter();
    let mut lines: Vec<Line> = begin.iter().chain(kept).cloned().collect();
    let mut found = search.replay(&units).found().into_iter();
    let found = found.find(|found| *found.finding == *kind.code())?;
    lines.push(Line::new(until, Step::Expect(found)));
    Some(Shrunk { lines, is_least })
}

struct Search<'h> {
    header: &'h Header,
    /// The checkpoint that the recording begins with.
    begin: &'h [Line],
    until: Now,
    kind: FindingKind,
    left: usize,
}

impl Search<'_> {
    fn replay(&self, units: &[Vec<&Line>]) -> Replay {
        let mut replay = Replay::new(self.header);
        for line in self.begin.iter().chain(in_order(units)) {
            // All lines together were right.
            let _ = replay.step(line);
        }
        replay.pass(self.until);
        replay
    }

    /// Whether these inputs give the finding; `None` once the search is too long.
    fn test(&mut self, units: &[Vec<&Line>]) -> Option<bool> {
        let inputs: usize = units.iter().map(Vec::len).sum();
        self.left = self.left.checked_sub(self.begin.len() + inputs + 1)?;
        let mut replay = self.replay(units);
        // Findings go through all rows.
        self.left = self.left.saturating_sub(replay.rows());
        Some(replay.has(self.kind))
    }

    /// Leaves out ever smaller runs of units, until no single one can be left out. Returns `false` if that became too
    /// long.
    fn reduce(&mut self, units: &mut Vec<Vec<&Line>>) -> bool {
        let mut size = units.len().div_ceil(2);
        loop {
            let before = units.len();
            let mut at = 0;
            while at < units.len() {
                let end = units.len().min(at + size);
                let fewer = [&units[..at], &units[end..]].concat();
                match self.test(&fewer) {
                    Some(true) => *units = fewer,
                    Some(false) => at = end,
                    None => return false,
                }
            }
            if size <= 1 && units.len() == before {
                return true;
            }
            size = size.div_ceil(2).max(1);
        }
    }
}

/// The lines of units in the order of the recording. They are parts of one slice: their places are their order.
fn in_order<'a>(units: &[Vec<&'a Line>]) -> Vec<&'a Line> {
    let mut lines: Vec<&Line> = units.iter().flatten().copied().collect();
    lines.sort_by_key(|line| core::ptr::from_ref::<Line>(line) as usize);
    lines
}

/// The connection of an input.
fn serial(input: &Input) -> Option<u64> {
    match input {
        Input::Join(serial, _) | Input::Leave(serial, _) | Input::Pong(serial) | Input::Call(serial, ..) => {
            Some(*serial)
        }
        Input::RefusedClock(..) | Input::Wake | Input::Shutdown => None,
    }
}
