//! The run that measures.

use crate::process::Program;
use crate::project::Project;

/// The date and the commit of this run.
pub(crate) fn this_run(project: &Project) -> String {
    let date = Program::new(project, "date")
        .with(["-u", "+%-d %B %Y"])
        .env("LC_ALL", "C")
        .output();
    let commit = Program::new(project, "git")
        .with(["describe", "--always", "--dirty", "--abbrev=8"])
        .output();
    let [date, commit] = [date, commit].map(|word| word.unwrap_or_else(|| "unknown".to_owned()));
    format!("{date}, commit {commit}")
}
