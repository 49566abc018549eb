//! Runs all vectors against one target.

use std::fmt;

use super::Failure;
use super::load::Suite;
use super::record::digest;
use super::target::Target;
use super::{script, table};
use crate::fail;

/// The result of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The target's name.
    pub target: &'static str,
    /// Vectors of pure functions that passed.
    pub tables: usize,
    /// Cases in them.
    pub cases: usize,
    /// Scripts that passed.
    pub scripts: usize,
    /// Scripts that this target cannot run, by their own word.
    pub skipped: Vec<String>,
    /// Over all that was received in scripts that run on every target.
    pub digest: String,
    /// The input of the digest.
    pub record: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            target,
            tables,
            cases,
            scripts,
            skipped,
            digest,
            ..
        } = self;
        write!(f, "vectors on {target}: {} passed", tables + scripts)?;
        write!(
            f,
            " ({tables} tables of {cases} cases, {scripts} scripts; {} skipped)",
            skipped.len()
        )?;
        write!(f, ", digest {digest}")
    }
}

/// Runs every vector, or those whose name contains the word in `VECTOR`.
///
/// # Errors
/// All vectors that failed, each with its reason.
pub fn run_suite<T: Target>(suite: &Suite) -> Result<Outcome, Failure> {
    let only = std::env::var("VECTOR").unwrap_or_default();
    let mut failures = Vec::new();
    let mut outcome = Outcome {
        target: T::NAME,
        tables: 0,
        cases: 0,
        scripts: 0,
        skipped: Vec::new(),
        digest: String::new(),
        record: String::new(),
    };
    let is_skipped = |targets: Option<&[String]>| {
        targets.is_some_and(|targets| !targets.iter().any(|name| name == T::NAME))
    };
    for table in suite.tables.iter().filter(|table| table.name.contains(&only)) {
        if is_skipped(table.targets.as_deref()) {
            outcome.skipped.push(table.name.clone());
            continue;
        }
        match table::run(suite, table) {
            Ok(()) => {
                outcome.tables += 1;
                outcome.cases += table.cases.len();
            }
            Err(failure) => failures.push(failure.at(format!("{} (SPEC {})", table.name, table.spec))),
        }
    }
    for script in suite.scripts.iter().filter(|script| script.name.contains(&only)) {
        if is_skipped(script.targets.as_deref()) {
            outcome.skipped.push(script.name.clone());
            continue;
        }
        match script::run::<T>(suite, script) {
            Ok(record) => {
                outcome.scripts += 1;
                if script.targets.is_none() {
                    outcome.record.push_str(&record);
                }
            }
            Err(failure) => failures.push(failure.at(format!("{} (SPEC {})", script.name, script.spec))),
        }
    }
    outcome.digest = digest(&outcome.record);
    if outcome.tables + outcome.scripts + failures.len() == 0 {
        fail!("no vector is called like {only:?}");
    }
    if failures.is_empty() {
        return Ok(outcome);
    }
    let list: Vec<_> = failures.iter().map(ToString::to_string).collect();
    fail!(
        "{} of the vectors failed on {}:\n  {}",
        failures.len(),
        T::NAME,
        list.join("\n  ")
    )
}
