//! `doctor`: reports what is wrong in a presence list, and what to change in which client.

use std::collections::BTreeMap;

use presence_core::client::mirror::MAX_ROWS;
use presence_core::client::{ClientConfig, Mirror, MirrorConfig};
use presence_core::findings::{FindingKind, Severity};
use presence_core::model::RawEntry;
use presence_core::wire::presence::{Snapshot, rows};
use serde::{Deserialize, Serialize};

use super::client::{Link, client_info, in_time, no_params};
use super::finding::{self, Finding};
use super::options::DoctorOptions;
use super::options::Target;
use super::output::print_json;
use super::screen::{Screen, wrapped};
use super::{Failure, print, saved};

/// The gateway's method for findings from its memory.
pub(super) const EXPLAIN: &str = "presence.explain";
const WHY_SKIPPED: &str = "they need what a gateway of this project remembers, and this is a list alone";

/// The source of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    /// The memory of a gateway of this project.
    Gateway,
    /// A list.
    List,
}

/// The report of `--json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    ok: bool,
    source: Source,
    checks_run: Vec<String>,
    checks_skipped: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped_why: Option<&'static str>,
    findings: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings_left_out: Option<u64>,
}

/// The gateway's answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) findings: Vec<Finding>,
    /// The number of findings that do not fit into an answer.
    pub(super) findings_left_out: Option<u64>,
    #[serde(default)]
    pub(super) checks: Vec<String>,
}

/// The examined list.
struct Examined {
    report: Report,
    /// Names of rows by key.
    names: BTreeMap<String, String>,
    rows: usize,
}

/// Returns the exit code.
pub(super) async fn doctor(options: &DoctorOptions) -> Result<u8, Failure> {
    let examined = match &options.file {
        Some(path) => of_list(&saved::read(path)?)?,
        None => of_gateway(&options.client).await?,
    };
    let Examined { report, names, rows } = &examined;
    if options.json {
        print_json(report)?;
    } else {
        let columns = Screen::stdout().columns();
        print(&text(report, &|key| names.get(key).cloned(), *rows, columns))?;
    }
    Ok(code(&report.findings))
}

/// 0, 6 or 7, by the worst finding.
pub(super) fn code(findings: &[Finding]) -> u8 {
    match findings.iter().map(|finding| finding.severity).max() {
        None | Some(Severity::Info) => 0,
        Some(Severity::Warning) => 6,
        Some(Severity::Error) => 7,
    }
}

async fn of_gateway(client: &super::options::ClientOptions) -> Result<Examined, Failure> {
    let target = Target::new(client)?;
    let mut link = Link::new(target.clone(), ClientConfig::new(client_info()))?;
    let examined = in_time(&target, async {
        link.connect().await?;
        if !has_explain(&link) {
            return of_list(&listed(&mut link).await?);
        }
        let answer: Answer = finding::read(&link.call(EXPLAIN, &no_params()).await?)?;
        let snapshot = snapshot(&mut link).await?;
        let names = snapshot
            .rows
            .iter()
            .filter_map(|(key, row)| Some((key.to_string(), name(row)?)));
        Ok(Examined {
            names: names.collect(),
            rows: snapshot.rows.len(),
            report: Report {
                ok: code(&answer.findings) == 0,
                source: Source::Gateway,
                checks_run: answer.checks,
                checks_skipped: Vec::new(),
                skipped_why: None,
                findings: answer.findings,
                findings_left_out: answer.findings_left_out,
            },
        })
    })
    .await;
    link.stop().await;
    examined
}

/// Whether the gateway of a live link explains its rows.
pub(super) fn has_explain(link: &Link) -> bool {
    let hello = link.machine().hello();
    hello.is_some_and(|hello| hello.has_method(EXPLAIN))
}

/// The list of a gateway.
///
/// # Errors
/// That of the call, or [`Failure::Other`].
pub(super) async fn listed(link: &mut Link) -> Result<Mirror, Failure> {
    let payload = link.call("system-presence", &no_params()).await?;
    let rows = rows(&payload)
        .ok_or_else(|| Failure::Other("the gateway's answer is not a list of rows".to_owned()))?;
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.apply_list(rows, link.machine().server_ms(link.now()));
    Ok(mirror)
}

/// The list of a gateway of this project, with keys.
///
/// # Errors
/// That of the call, or [`Failure::Other`].
pub(super) async fn snapshot(link: &mut Link) -> Result<Snapshot, Failure> {
    let payload = link.call("presence.snapshot", &no_params()).await?;
    Snapshot::read(&payload)
        .ok_or_else(|| Failure::Other("the gateway's answer is not a list with keys".to_owned()))
}

fn of_list(mirror: &Mirror) -> Result<Examined, Failure> {
    let findings = finding::of_list(mirror)?;
    let names = mirror
        .rows()
        .into_iter()
        .filter_map(|row| Some((row.key().to_owned(), name(row.entry())?)));
    Ok(Examined {
        names: names.collect(),
        rows: mirror.raw_list().count(),
        report: Report {
            ok: code(&findings) == 0,
            source: Source::List,
            checks_run: FindingKind::OF_LISTS.map(FindingKind::check_id).into(),
            checks_skipped: FindingKind::OF_GATEWAYS.map(FindingKind::check_id).into(),
            skipped_why: Some(WHY_SKIPPED),
            findings,
            findings_left_out: None,
        },
    })
}

/// The name of a row for people.
pub(super) fn name(row: &RawEntry) -> Option<String> {
    let host = row.str("host")?.trim();
    (!host.is_empty()).then(|| host.to_owned())
}

/// The report for people.
fn text(report: &Report, name: &dyn Fn(&str) -> Option<String>, rows: usize, columns: usize) -> String {
    let mut lines = finding::lines(&report.findings, name, columns);
    let counts = finding::counts(&report.findings);
    let found = if counts.is_empty() { "no findings" } else { &counts };
    let unit = if rows == 1 { "row" } else { "rows" };
    let first = if rows < MAX_ROWS { "" } else { "the first " };
    let checks = report.checks_run.len();
    lines.extend(wrapped(
        &format!("{found} in {first}{rows} {unit}; {checks} checks."),
        "",
        columns,
    ));
    if let Some(left_out) = report.findings_left_out {
        let text = format!("{left_out} more findings do not fit in the gateway's answer.");
        lines.extend(wrapped(&text, "", columns));
    }
    if let Some(why) = report.skipped_why {
        let skipped = report.checks_skipped.len();
        lines.extend(wrapped(
            &format!("{skipped} checks were skipped: {why}."),
            "",
            columns,
        ));
    }
    finding::fitted(lines, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined(list: &str) -> Examined {
        let mut mirror = Mirror::new(MirrorConfig::default());
        mirror.apply_list(RawEntry::parse_list(list).unwrap(), 0);
        of_list(&mirror).unwrap()
    }

    #[test]
    fn a_healthy_list_names_the_skipped_checks() {
        let Examined { report, rows, .. } = examined(r#"[{"instanceId":"a","host":"h","reason":"connect"}]"#);
        assert!(report.ok && code(&report.findings) == 0);
        assert_eq!(
            text(&report, &|_| None, rows, 80),
            "no findings in 1 row; 8 checks.\n7 checks were skipped: they need what a gateway of this project remembers, and\n\
             this is a list alone.\n"
        );
    }

    #[test]
    fn a_row_is_named_once() {
        let list = r#"[
            {"instanceId":"a","host":"studio","reason":"connect"},
            {"instanceId":"a","host":"studio","reason":"disconnect"}
        ]"#;
        let Examined { report, names, rows } = examined(list);
        assert_eq!(report.findings[0].rows, ["instance:a"]);
        let text = text(&report, &|key| names.get(key).cloned(), rows, usize::MAX);
        assert!(text.contains("Row: studio (instance:a)\n"), "{text}");
        assert!(text.contains("\n1 info in 2 rows; "), "{text}");
        assert!(report.ok);
    }

    #[test]
    fn the_worst_finding_is_the_code() {
        let worst = |list: &str| code(&examined(list).report.findings);
        assert_eq!(worst(r#"[{"instanceId":"A"},{"instanceId":"a"}]"#), 6);
        assert_eq!(
            worst(r#"[{"instanceId":"null"},{"instanceId":"A"},{"instanceId":"a"}]"#),
            7
        );
    }
}
