//! The rows at the moment, and the findings in them.

use std::collections::BTreeMap;

use presence_core::client::{Mirror, MirrorConfig};
use presence_core::model::RawEntry;
use serde::Serialize;
use serde_json::value::RawValue;

use super::changes::Change;
use super::{Replayed, seconds};
use crate::cli::doctor::{Answer, name};
use crate::cli::finding::{self, Finding};
use crate::cli::output::print_json;
use crate::cli::screen::{Screen, wrapped};
use crate::cli::{Failure, roster};

/// The report of `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    /// In ms after the start of the recording.
    at: u64,
    /// On the wall clock.
    wall: u64,
    rows: Box<RawValue>,
    checks_run: Vec<String>,
    findings: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_left_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<&'r [Change]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes_left_out: Option<u64>,
    digest: String,
    missing: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'r str>,
}

pub(super) fn print(replayed: &mut Replayed, is_json: bool) -> Result<(), Failure> {
    let replay = &mut replayed.replay;
    let other = |error: serde_json::Error| Failure::Other(error.to_string());
    let rows = serde_json::to_string(&replay.list()).map_err(other)?;
    let answer: Answer = finding::read(&replay.explain())?;
    let changes = replayed.changes.as_ref();
    if is_json {
        return print_json(&Report {
            at: replay.now().age_ms.saturating_sub(replayed.header.at),
            wall: replay.now().wall_ms,
            rows: RawValue::from_string(rows).map_err(other)?,
            checks_run: answer.checks,
            findings: answer.findings,
            findings_left_out: answer.findings_left_out,
            changes: changes.map(|changes| &*changes.list),
            changes_left_out: changes
                .map(|changes| changes.left_out)
                .filter(|left_out| *left_out > 0),
            digest: replay.digest(),
            missing: replay.missing(),
            problem: replayed.problem.as_deref(),
        });
    }
    let columns = Screen::stdout().columns();
    let names: BTreeMap<_, _> = replay
        .entries()
        .into_iter()
        .filter_map(|(key, row)| Some((key, name(&row)?)))
        .collect();
    let now = replay.now();
    let rows = RawEntry::parse_list(&rows).unwrap_or_default();
    let number = rows.len();
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_list(rows, now.wall_ms);
    let mut text = roster::table(&mirror, now.wall_ms, |_| String::new());
    text.push('\n');
    let mut lines = changes.map_or_else(Vec::new, |changes| changes.lines(columns));
    lines.extend(finding::lines(
        &answer.findings,
        &|key| names.get(key).cloned(),
        columns,
    ));
    let counts = finding::counts(&answer.findings);
    let unit = if number == 1 { "row" } else { "rows" };
    let summary = format!(
        "{} in {number} {unit}, {} after the start; {} checks.",
        if counts.is_empty() { "no findings" } else { &counts },
        seconds(now, replayed.header.now()),
        answer.checks.len(),
    );
    lines.extend(wrapped(&summary, "", columns));
    if let Some(left_out) = answer.findings_left_out {
        let text = format!("{left_out} more findings do not fit in the answer.");
        lines.extend(wrapped(&text, "", columns));
    }
    let mut codes: Vec<&str> = answer.findings.iter().map(Finding::code).collect();
    codes.sort_unstable();
    codes.dedup();
    if !codes.is_empty() {
        let text = format!(
            "The fewest inputs that give a finding: --shrink {}.",
            codes.join(", --shrink ")
        );
        lines.extend(wrapped(&text, "", columns));
    }
    text.push_str(&finding::fitted(lines, columns));
    crate::cli::print(&text)
}
