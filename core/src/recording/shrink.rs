//! The fewest inputs that still give a finding: delta debugging.

mod outline;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use self::outline::outline;
use super::{Expected, Header, Input, Line, Replay, Step};
use crate::findings::FindingKind;
use crate::model::time::Now;

/// Most lines and rows that are processed for one answer: about ten seconds.
const MAX_REPLAYED: usize = 2_000_000;
/// Moments in each of two rounds at which the finding is looked for.
const MOMENTS: usize = 64;

/// The fewest inputs, and the finding that results from them.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The inputs, followed by a line with the expected finding.
    pub lines: Vec<Line>,
    /// Whether no input can be left out alone; else the search became too long.
    pub is_least: bool,
}

/// Leaves out inputs while the others still give the finding of this kind: first inputs after the moment at which it
/// appeared, then whole connections, then single inputs. Returns `None` if all lines together give no such finding
/// at `until`.
///
/// Two findings are equal if they state one cause and share a row; for evictions, the cause suffices. A checkpoint at
/// the start is kept.
#[must_use]
pub fn shrink(header: &Header, lines: &[Line], until: Now, kind: FindingKind) -> Option<Shrunk> {
    shrink_within(MAX_REPLAYED, header, lines, until, kind)
}

/// [`shrink`] with a limit of lines and rows that are processed.
pub(super) fn shrink_within(
    max_replayed: usize,
    header: &Header,
    lines: &[Line],
    until: Now,
    kind: FindingKind,
) -> Option<Shrunk> {
    let is_state = |line: &&Line| matches!(line.step, Step::State(_));
    let (begin, lines) = lines.split_at(lines.iter().take_while(is_state).count());
    let inputs = lines.iter().filter(|line| matches!(line.step, Step::Input(_)));
    let mut inputs: Vec<&Line> = inputs.collect();
    let mut search = Search {
        header,
        begin,
        until,
        kind,
        wanted: Vec::new(),
        left: max_replayed,
    };
    search.wanted = search.found(&mut search.replay(&[inputs.clone()]));
    if search.wanted.is_empty() {
        return None;
    }
    inputs.truncate(search.first_moment(&inputs));
    let mut connections: BTreeMap<Option<u64>, Vec<&Line>> = BTreeMap::new();
    for line in inputs {
        if let Step::Input(input) = &line.step {
            connections.entry(serial(input)).or_default().push(line);
        }
    }
    let mut units: Vec<Vec<&Line>> = connections.into_values().collect();
    search.reduce(&mut units);
    let lines = units.into_iter().flatten();
    let mut units: Vec<Vec<&Line>> = lines.map(|line| Vec::from([line])).collect();
    let is_least = search.reduce(&mut units);
    let mut kept = in_order(&units);
    // With few inputs left, each moment is tried.
    kept.truncate(search.first_moment(&kept));
    let mut replay = search.replay(&[kept.clone()]);
    let mut lines: Vec<Line> = begin.iter().chain(kept).cloned().collect();
    let found = replay.found().into_iter().find(|found| search.is_wanted(found))?;
    lines.push(Line::new(search.until, Step::Expect(found)));
    Some(Shrunk { lines, is_least })
}

struct Search<'h> {
    header: &'h Header,
    /// The checkpoint at the start of the recording.
    begin: &'h [Line],
    until: Now,
    kind: FindingKind,
    /// The findings of this kind in the whole recording: keys of rows, and the words of the last sentence.
    wanted: Vec<(Expected, Vec<String>)>,
    left: usize,
}

impl Search<'_> {
    fn begin(&self) -> Replay {
        let mut replay = Replay::new(self.header);
        for line in self.begin {
            // The recording was replayed before.
            let _ = replay.step(line);
        }
        replay
    }

    fn replay(&self, units: &[Vec<&Line>]) -> Replay {
        let mut replay = self.begin();
        for line in in_order(units) {
            let _ = replay.step(line);
        }
        replay.pass(self.until);
        replay
    }

    /// The findings of this kind.
    fn found(&self, replay: &mut Replay) -> Vec<(Expected, Vec<String>)> {
        let found = replay.found().into_iter();
        let of_kind = found.filter(|found| *found.finding == *self.kind.code());
        of_kind
            .map(|found| (outline(&found), found))
            .map(|(outline, found)| (found, outline))
            .collect()
    }

    fn is_wanted(&self, found: &Expected) -> bool {
        *found.finding == *self.kind.code()
            && self.wanted.iter().any(|(wanted, words)| {
                let is_same = |row| wanted.rows.contains(row);
                let is_about_list = self.kind == FindingKind::Evictions || wanted.rows.is_empty();
                (is_about_list || found.rows.iter().any(is_same)) && *words == outline(found)
            })
    }

    fn holds(&self, replay: &mut Replay) -> bool {
        replay.found().iter().any(|found| self.is_wanted(found))
    }

    /// Sets the moment to the first tried one at which the finding exists. Returns the number of inputs up to it.
    fn first_moment(&mut self, inputs: &[&Line]) -> usize {
        let mut before = (0, self.begin());
        let mut end = inputs.len();
        for _ in 0..2 {
            let (mut at, mut replay) = before.clone();
            let step = (end - at).div_ceil(MOMENTS).max(1);
            while at < end {
                let next = end.min(at + step);
                for line in &inputs[at..next] {
                    let _ = replay.step(line);
                }
                self.left = self.left.saturating_sub(next - at + replay.rows());
                at = next;
                if self.holds(&mut replay) {
                    self.until = replay.now();
                    end = at;
                    break;
                }
                before = (at, replay.clone());
            }
        }
        end
    }

    /// Whether these inputs give the finding; `None` once the search is too long.
    fn test(&mut self, units: &[Vec<&Line>]) -> Option<bool> {
        let inputs: usize = units.iter().map(Vec::len).sum();
        self.left = self.left.checked_sub(self.begin.len() + inputs + 1)?;
        let mut replay = self.replay(units);
        // Findings examine all rows.
        self.left = self.left.saturating_sub(replay.rows());
        Some(self.holds(&mut replay))
    }

    /// Leaves out smaller and smaller runs of units, until no single unit can be left out. Returns `false` if the
    /// search became too long.
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

/// The lines of units in the order of the recording: that of their addresses, because they are parts of one slice.
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
