//! Findings, as JSON and as text.

use presence_core::client::Mirror;
use presence_core::findings::Severity;
use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthStr;

use super::screen::{cut, wrapped};
use super::{Failure, printable};

/// Most findings that are written as text.
const MAX_FINDINGS: usize = 50;
/// Most rows of a finding that are written as text.
const MAX_ROWS: usize = 6;
/// Most columns of a row's name.
const MAX_NAME: usize = 60;
/// Columns of the longest severity and the gap after it.
const INDENT: &str = "         ";

/// A finding (SPEC 6).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    check_id: String,
    pub(super) severity: Severity,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    fix_hint: String,
    code: String,
    title: String,
    confidence: String,
    evidence: Vec<String>,
    pub(super) rows: Vec<String>,
}

impl Finding {
    /// The stable code.
    pub(super) fn code(&self) -> &str {
        &self.code
    }
}

/// The findings in the list of a mirror, with the keys of its rows.
///
/// # Errors
/// Does not happen: the core writes what is read here.
pub(super) fn of_list(mirror: &Mirror) -> Result<Vec<Finding>, Failure> {
    let mut findings: Vec<Finding> = read(&mirror.findings_json())?;
    for finding in &mut findings {
        let mut seen = std::collections::HashSet::new();
        finding.rows.retain(|key| seen.insert(key.clone()));
    }
    Ok(findings)
}

/// Reads findings or an object that has them.
///
/// # Errors
/// [`Failure::Other`] if the text has another form.
pub(super) fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, Failure> {
    serde_json::from_str(json)
        .map_err(|error| Failure::Other(format!("the gateway's answer has an unknown form: {error}")))
}

/// The lines of findings, the worst first. `name` returns what people call the row with a key.
pub(super) fn lines(
    findings: &[Finding],
    name: &dyn Fn(&str) -> Option<String>,
    columns: usize,
) -> Vec<String> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut lines = Vec::new();
    for finding in sorted.iter().take(MAX_FINDINGS) {
        let title = format!(
            "{} ({} confidence)",
            printable(&finding.title),
            printable(&finding.confidence)
        );
        let mut title = wrapped(&title, INDENT, columns);
        let word = finding.severity.as_str();
        if let Some(first) = title.first_mut() {
            first.replace_range(..word.len(), word);
        }
        lines.append(&mut title);
        for sentence in &finding.evidence {
            lines.extend(wrapped(&printable(sentence), INDENT, columns));
        }
        let fix = format!("Fix: {}", printable(&finding.fix_hint));
        lines.extend(wrapped(&fix, INDENT, columns));
        if !finding.rows.is_empty() {
            lines.extend(wrapped(&rows(&finding.rows, name), INDENT, columns));
        }
        lines.push(String::new());
    }
    if let Some(hidden) = findings
        .len()
        .checked_sub(MAX_FINDINGS)
        .filter(|hidden| *hidden > 0)
    {
        lines.push(format!("... and {hidden} more; --json prints all of them."));
        lines.push(String::new());
    }
    lines
}

/// The rows of a finding: their names, and their keys in brackets.
fn rows(keys: &[String], name: &dyn Fn(&str) -> Option<String>) -> String {
    let row = |key: &String| match name(key) {
        Some(name) => format!(
            "{} ({})",
            cut(&printable(&name), MAX_NAME / 2),
            cut(&printable(key), MAX_NAME)
        ),
        None => cut(&printable(key), MAX_NAME),
    };
    let mut rows: Vec<String> = keys.iter().take(MAX_ROWS).map(row).collect();
    if let Some(hidden) = keys.len().checked_sub(MAX_ROWS).filter(|hidden| *hidden > 0) {
        rows.push(format!("{hidden} more"));
    }
    let word = if keys.len() == 1 { "Row" } else { "Rows" };
    format!("{word}: {}", rows.join(", "))
}

/// The number of findings of each severity, the worst first; empty if there are none.
pub(super) fn counts(findings: &[Finding]) -> String {
    let count = |severity: Severity| {
        let number = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count();
        let plural = match (severity, number) {
            (Severity::Info, _) | (_, 1) => "",
            _ => "s",
        };
        (number > 0).then(|| format!("{number} {}{plural}", severity.as_str()))
    };
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Info]
        .into_iter()
        .filter_map(count)
        .collect();
    counts.join(", ")
}

/// Cuts lines that are still longer, such as a long word.
pub(super) fn fitted(lines: Vec<String>, columns: usize) -> String {
    let mut text = String::new();
    for line in lines {
        if line.width() > columns {
            text.push_str(&cut(&line, columns));
        } else {
            text.push_str(&line);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, rows: usize) -> Finding {
        Finding {
            check_id: "presence/x".to_owned(),
            severity,
            message: String::new(),
            target: None,
            fix_hint: "Send a stable client.instanceId in the handshake and in every beacon.".to_owned(),
            code: "X".to_owned(),
            title: "A client connects without an instanceId.".to_owned(),
            confidence: "high".to_owned(),
            evidence: vec![
                "3 connections of host \"tab\u{1b}[2J\" look alike and have no instanceId and no deviceId."
                    .to_owned(),
            ],
            rows: (0..rows).map(|n| format!("row:tab#{n}")).collect(),
        }
    }

    #[test]
    fn a_finding_fits_eighty_columns() {
        let findings = [finding(Severity::Info, 1), finding(Severity::Warning, 9)];
        let name = |key: &str| key.ends_with('0').then(|| "tab".to_owned());
        let lines = lines(&findings, &name, 80);
        assert_eq!(
            lines[..8],
            [
                "warning  A client connects without an instanceId. (high confidence)",
                "         3 connections of host \"tab\u{fffd}[2J\" look alike and have no instanceId and",
                "         no deviceId.",
                "         Fix: Send a stable client.instanceId in the handshake and in every",
                "         beacon.",
                "         Rows: tab (row:tab#0), row:tab#1, row:tab#2, row:tab#3, row:tab#4,",
                "         row:tab#5, 3 more",
                "",
            ]
        );
        assert_eq!(
            lines[8],
            "info     A client connects without an instanceId. (high confidence)"
        );
        assert_eq!(lines[13], "         Row: tab (row:tab#0)");
    }

    #[test]
    fn many_findings_and_long_words_are_cut() {
        let mut long = finding(Severity::Error, 1);
        long.rows[0] = "x".repeat(400);
        long.evidence = vec!["y".repeat(400)];
        let mut findings = vec![finding(Severity::Info, 0); MAX_FINDINGS + 1];
        findings.push(long);
        let text = fitted(lines(&findings, &|_| None, 80), 80);
        assert!(text.lines().all(|line| line.width() <= 80), "{text}");
        assert!(text.ends_with("... and 2 more; --json prints all of them.\n\n"));
        assert_eq!(counts(&findings), "1 error, 51 info");
        assert_eq!(counts(&[]), "");
    }
}
