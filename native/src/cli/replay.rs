//! `replay`: the rows at a moment of a recording, the findings in them, earlier changes with their causes, and the
//! result of other bounds.

mod changes;
mod report;
mod shrunk;

use presence_core::Now;
use presence_core::model::RawEntry;
use presence_core::recording::{Header, Line, Reader, Replay};
use serde_json::value::RawValue;

use self::changes::Changes;
use super::options::{ReplayOptions, refused};
use super::output::print_json;
use super::screen::Screen;
use super::{Failure, explain, explanation, finding, print, printable, saved, stderr};

/// A recording that was replayed to a moment.
struct Replayed {
    header: Header,
    replay: Replay,
    /// The lines so far, if they are shrunk.
    lines: Vec<Line>,
    /// The changes, if they are requested.
    changes: Option<Changes>,
    /// The error in the recording, before which the replay ends.
    problem: Option<String>,
}

pub(super) fn replay(options: &ReplayOptions) -> Result<(), Failure> {
    if let (Some(since), Some(at)) = (options.since, options.at)
        && since > at
    {
        return Err(Failure::Usage("--since is later than --at".to_owned()));
    }
    let text = saved::read_text(&options.file)?;
    // The error may quote the file.
    let failed = |why: &str| Failure::Other(format!("{}: {}", options.file.display(), printable(why)));
    let reader = Reader::new(&text).map_err(|error| failed(&error.to_string()))?;
    let mut replayed = replayed(reader, options)?;
    if let Some(code) = &options.shrink {
        shrunk::print(&replayed, code)?;
    } else if let Some(row) = &options.explain {
        explained(&mut replayed.replay, row, options.json)?;
    } else {
        report::print(&mut replayed, options.json)?;
    }
    let missing = replayed.replay.missing();
    if missing > 0 {
        let text = format!("{missing} inputs were not recorded: the answer is inexact");
        stderr::print_note(&text);
    }
    replayed.problem.map_or(Ok(()), |why| {
        Err(failed(&format!("{why}; shown is what is before that")))
    })
}

fn replayed(mut reader: Reader<'_>, options: &ReplayOptions) -> Result<Replayed, Failure> {
    let mut header = reader.header().clone();
    let start = header.now();
    let is_what_if = options.ttl.is_some() || options.max_entries.is_some();
    header.ttl_ms = options.ttl.unwrap_or(header.ttl_ms);
    header.max_entries = options.max_entries.unwrap_or(header.max_entries);
    header
        .config()
        .validate()
        .map_err(|error| Failure::Usage(refused(error).to_string()))?;
    let until = options.at.map(|ms| start.after(ms));
    let mut since = options.since.map(|ms| start.after(ms));
    // A checkpoint is not valid under other bounds, and shrinking needs all inputs.
    if let (Some(until), false, None) = (until, is_what_if, &options.shrink) {
        // `--since` is not later than this moment.
        reader.skip_to_checkpoint(since.unwrap_or(until).age_ms);
    }
    let mut replay = Replay::new(&header);
    let mut lines = Vec::new();
    let mut problem = None;
    // The time is that of the last line, so deadlines before the moment may be pending.
    let mut note = |replay: &mut Replay, at_ms: u64| {
        if since.take_if(|since| since.age_ms <= at_ms).is_some() {
            replay.note_changes();
        }
    };
    while let Some(line) = reader.next() {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                problem = Some(error.to_string());
                break;
            }
        };
        if until.is_some_and(|until| line.at > until.age_ms) {
            break;
        }
        note(&mut replay, line.at);
        if let Err(error) = replay.step(&line)
            && !(is_what_if && error.is_difference())
        {
            problem = Some(format!("line {}: {error}", reader.line()));
            break;
        }
        if options.shrink.is_some() {
            lines.push(line);
        }
    }
    note(&mut replay, u64::MAX);
    if let (Some(until), None) = (until, &problem) {
        replay.pass(until);
    }
    let changes = options
        .since
        .map(|ms| Changes::taken(&mut replay, start.after(ms), start));
    Ok(Replayed {
        header,
        replay,
        lines,
        changes,
        problem,
    })
}

/// Prints the explanation of a row, as `explain` does.
fn explained(replay: &mut Replay, word: &str, is_json: bool) -> Result<(), Failure> {
    let rows = replay.entries();
    let rows: Vec<(&str, &RawEntry)> = rows.iter().map(|(key, row)| (&**key, row)).collect();
    let key = explain::resolved(word, &rows, "without --explain, `replay` prints the rows")?;
    let json = replay.explain_row(key).unwrap_or_default();
    if is_json {
        return print_json(&finding::read::<Box<RawValue>>(&json)?);
    }
    let answer = finding::read(&json)?;
    print(&explanation::text(&answer, Screen::stdout().columns()))
}

/// Seconds after the start.
fn seconds(now: Now, start: Now) -> String {
    let ms = now.age_ms.saturating_sub(start.age_ms);
    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
}
