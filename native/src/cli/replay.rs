//! `replay`: the rows at a moment of a recording, what is wrong in them, and what other bounds would have given.

use presence_core::Now;
use presence_core::client::{Mirror, MirrorConfig};
use presence_core::findings::{FindingKind, findings};
use presence_core::model::RawEntry;
use presence_core::recording::{Header, Line, Reader, Replay, StepError, shrink};

use super::options::{ReplayOptions, out_of_bounds};
use super::{Failure, print, roster, saved, stderr};

pub(super) fn replay(options: &ReplayOptions) -> Result<(), Failure> {
    let name = options.file.display();
    let text = saved::read_text(&options.file)?;
    // What is wrong may quote the file.
    let failed = |why: String| Failure::Other(format!("{name}: {}", super::printable(&why)));
    let mut reader = Reader::new(&text).map_err(|error| failed(error.to_string()))?;
    let start = reader.header().now();
    let mut header = reader.header().clone();
    let is_what_if = options.ttl.is_some() || options.max_entries.is_some();
    header.ttl_ms = options.ttl.unwrap_or(header.ttl_ms);
    header.max_entries = options.max_entries.unwrap_or(header.max_entries);
    header
        .config()
        .validate()
        .map_err(|error| Failure::Usage(out_of_bounds(error).to_string()))?;
    let until = options.at.map(|ms| start.after(ms));

    let mut replay = Replay::new(&header);
    let mut lines = Vec::new();
    let mut problem = None;
    while let Some(line) = reader.next() {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                problem = Some(format!("{error}; the rows before it are shown"));
                break;
            }
        };
        if until.is_some_and(|until| line.at > until.age_ms) {
            break;
        }
        if let Err(error) = replay.step(&line)
            && !(is_what_if && matches!(error, StepError::Digest | StepError::Finding))
        {
            problem = Some(format!("line {}: {error}", reader.line()));
            break;
        }
        if options.shrink.is_some() {
            lines.push(line);
        }
    }
    if let Some(code) = &options.shrink {
        return problem.map_or_else(
            || shrunk(&header, &lines, until.unwrap_or_else(|| replay.now()), code),
            |why| Err(failed(why)),
        );
    }
    if let (Some(until), None) = (until, &problem) {
        replay.pass(until);
    }
    show(&mut replay, header.max_entries, options.json)?;
    if replay.missing() > 0 {
        let missing = replay.missing();
        stderr::say(&format!(
            "{missing} inputs were not recorded: the rows are inexact"
        ));
    }
    problem.map_or(Ok(()), |why| Err(failed(why)))
}

/// Prints the fewest inputs that give the finding at that moment, and the finding.
fn shrunk(header: &Header, lines: &[Line], until: Now, code: &str) -> Result<(), Failure> {
    let is_code = |kind: &FindingKind| kind.code().eq_ignore_ascii_case(code);
    let kept = FindingKind::all()
        .find(is_code)
        .and_then(|kind| shrink(header, lines, until, kind))
        .ok_or_else(|| {
            Failure::Other(format!(
                "no finding {code} at that moment; without --shrink, `replay` prints those there are"
            ))
        })?;
    let json = |line: serde_json::Result<String>| line.map_err(|error| Failure::Other(error.to_string()));
    let mut text = json(serde_json::to_string(header))? + "\n";
    for line in &kept.lines {
        text.push_str(&json(serde_json::to_string(line))?);
        text.push('\n');
    }
    let after_ms = until.age_ms.saturating_sub(header.at);
    stderr::say(&format!(
        "these {} of {} lines give {code} {} s after the start",
        kept.lines.len() - 1,
        lines.len(),
        after_ms / 1_000
    ));
    print(&text)
}

fn show(replay: &mut Replay, max_entries: usize, is_json: bool) -> Result<(), Failure> {
    let list = serde_json::to_string(&replay.list()).map_err(|error| Failure::Other(error.to_string()))?;
    if is_json {
        return print(&format!("{list}\n"));
    }
    let rows = RawEntry::parse_list(&list).unwrap_or_default();
    let found = findings(&rows.iter().collect::<Vec<_>>(), Some(max_entries));
    let now_ms = replay.now().wall_ms;
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_list(rows, now_ms);
    let mut text = roster::table(&mirror, now_ms, |_| String::new());
    let number = found.len();
    for finding in found {
        text.push_str(&format!("\n{}: {}\n", finding.kind.code(), finding.kind.title()));
        for evidence in finding.evidence {
            text.push_str(&format!("  {}\n", super::printable(&evidence)));
        }
        text.push_str(&format!("  Fix: {}\n", finding.kind.fix()));
    }
    let findings = match number {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        _ => format!("{number} findings"),
    };
    text.push_str(&format!(
        "\n{findings} in these rows; {} checks of the list. The {} checks that need a gateway's memory, such as {}, are not\n\
         replayed: run `presence-gateway doctor` on the gateway.\n",
        FindingKind::OF_LISTS.len(),
        FindingKind::OF_GATEWAYS.len(),
        FindingKind::Flapping.code(),
    ));
    print(&text)
}
