//! The fewest inputs that give a finding, as a recording.

use presence_core::findings::FindingKind;
use presence_core::recording::{Line, Reader, Replay, Step, shrink};

use super::{Replayed, seconds};
use crate::cli::output::print_json_text;
use crate::cli::{Failure, stderr};

/// Prints the fewest inputs, and the finding that they give.
pub(super) fn print(replayed: &Replayed, code: &str) -> Result<(), Failure> {
    let Replayed {
        header,
        replay,
        lines,
        ..
    } = replayed;
    let until = replay.now();
    let is_meant = |kind: &FindingKind| kind.code().eq_ignore_ascii_case(code);
    let shrunk = FindingKind::all()
        .find(is_meant)
        .and_then(|kind| shrink(header, lines, until, kind))
        .ok_or_else(|| {
            Failure::Other(format!(
                "no finding {code} at that moment; without --shrink, `replay` prints those there are"
            ))
        })?;
    let json = |line: serde_json::Result<String>| line.map_err(|error| Failure::Other(error.to_string()));
    let mut text = json(serde_json::to_string(header))? + "\n";
    for line in &shrunk.lines {
        text.push_str(&json(serde_json::to_string(line))?);
        text.push('\n');
    }
    verify(&text)?;
    let inputs = |lines: &[Line]| {
        lines
            .iter()
            .filter(|line| matches!(line.step, Step::Input(_)))
            .count()
    };
    let moment = shrunk.lines.last().map_or(until, Line::now);
    let end = if shrunk.is_least {
        "without any of them there is no such finding"
    } else {
        "the search ended before there was nothing more to leave out"
    };
    stderr::print_note(&format!(
        "these {} of {} inputs give {code} {} after the start; {end}",
        inputs(&shrunk.lines),
        inputs(lines),
        seconds(moment, header.now()),
    ));
    print_json_text(&text)
}

/// Replays the printed recording, which must give the finding that it states.
fn verify(text: &str) -> Result<(), Failure> {
    let reader = Reader::new(text).map_err(|error| Failure::Other(error.to_string()))?;
    let mut replay = Replay::new(reader.header());
    for line in reader {
        let line = line.map_err(|error| Failure::Other(error.to_string()))?;
        replay
            .step(&line)
            .map_err(|error| Failure::Other(error.to_string()))?;
    }
    Ok(())
}
