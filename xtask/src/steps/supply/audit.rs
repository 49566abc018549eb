//! Known vulnerabilities of npm packages.

use serde_json::Value;

use crate::failure::Failure;
use crate::project::Project;
use crate::steps::Step;
use crate::tally::Tally;
use crate::tools::{node, npm};

/// Checks the whole workspace, also the packages of tests, because they run on developers' machines.
pub(super) const NPM: Step = Step {
    name: "npm-audit",
    title: "known vulnerabilities of the npm packages: npm audit",
    first_time: "",
    is_ready: |_| true,
    needs: &[],
    opt_in: false,
    run: audit,
};

/// The registry's answer.
#[derive(Debug, Eq, PartialEq)]
enum Answer {
    /// The number of checked packages, and the vulnerable ones.
    Report { asked: u64, vulnerable: Vec<String> },
    /// There is no audit, with the reason.
    None(String),
}

fn audit(project: &Project, tally: &mut Tally) -> Result<(), Failure> {
    node::ensure_host_node(project)?;
    let text = npm::npm(project, &project.path(""))
        .with(["audit", "--package-lock-only", "--json"])
        .any_output()?;
    match read(&text) {
        Answer::Report { asked, vulnerable } if vulnerable.is_empty() => {
            println!("      none of {asked} packages");
            tally.passed += 1;
            Ok(())
        }
        Answer::Report { vulnerable, .. } => {
            tally.failed += 1;
            Err(Failure::missing(format!(
                "packages with known vulnerabilities: {}: `npm audit` explains them",
                vulnerable.join(", ")
            )))
        }
        Answer::None(why) => {
            println!("      skipped: the registry does not answer: {why}");
            tally.skipped += 1;
            Ok(())
        }
    }
}

/// Reads what `npm audit --json` prints.
fn read(text: &str) -> Answer {
    let report: Value = serde_json::from_str(text).unwrap_or_default();
    let asked = &report["metadata"]["dependencies"]["total"];
    if let (Some(packages), Some(asked)) = (report["vulnerabilities"].as_object(), asked.as_u64()) {
        let name = |(name, what): (&String, &Value)| {
            let severity = what["severity"].as_str().unwrap_or("unknown");
            format!("{name} ({severity})")
        };
        return Answer::Report {
            asked,
            vulnerable: packages.iter().map(name).collect(),
        };
    }
    let why = [&report["message"], &report["error"]["summary"]]
        .into_iter()
        .find_map(Value::as_str)
        .filter(|why| !why.is_empty());
    Answer::None(why.unwrap_or("npm printed no report").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read() {
        let clean =
            r#"{"auditReportVersion":2,"vulnerabilities":{},"metadata":{"dependencies":{"total":12}}}"#;
        let report = |vulnerable| Answer::Report {
            asked: 12,
            vulnerable,
        };
        assert_eq!(read(clean), report(Vec::new()));
        let found = clean.replace(
            r#""vulnerabilities":{}"#,
            r#""vulnerabilities":{"left":{"severity":"high"}}"#,
        );
        assert_eq!(read(&found), report(vec!["left (high)".to_owned()]));
    }

    #[test]
    fn a_registry_without_audits_is_no_report() {
        let refused =
            r#"{"message":"405 Method Not Allowed","method":"POST","error":{"summary":"","detail":""}}"#;
        assert_eq!(read(refused), Answer::None("405 Method Not Allowed".to_owned()));
        assert_eq!(read(""), Answer::None("npm printed no report".to_owned()));
    }
}
