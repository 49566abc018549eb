//! The selection of steps, their order and their results.

use std::time::{Duration, Instant};

use super::Step;
use crate::failure::Failure;
use crate::project::Project;
use crate::tally::Tally;

/// The steps of one run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The command they belong to, as in `cargo xtask test`.
    command: &'static str,
    steps: Vec<&'static Step>,
}

impl Plan {
    /// Selects the steps that `only` names, or all that are not opt-in, and the steps that these require.
    ///
    /// # Errors
    /// When a name is unknown.
    pub(crate) fn new(
        command: &'static str,
        all: &'static [Step],
        only: &[String],
        with_opt_in: bool,
    ) -> Result<Self, Failure> {
        if let Some(unknown) = only.iter().find(|name| all.iter().all(|step| step.name != *name)) {
            return Err(Failure::usage(format!(
                "there is no step `{unknown}` (see `cargo xtask {command} --list`)"
            )));
        }
        let wanted = |step: &Step| {
            if only.is_empty() {
                return with_opt_in || !step.opt_in;
            }
            only.iter().any(|name| name == step.name)
        };
        let needed = |step: &Step| {
            all.iter()
                .any(|other| wanted(other) && other.needs.contains(&step.name))
        };
        let steps = all.iter().filter(|step| wanted(step) || needed(step)).collect();
        Ok(Self { command, steps })
    }

    /// The steps' names, in order.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.steps.iter().map(|step| step.name).collect()
    }

    /// Runs the steps, and stops at the first that fails.
    ///
    /// # Errors
    /// When a step fails.
    pub(crate) fn run(&self, project: &Project) -> Result<(), Failure> {
        let count = self.steps.len();
        let mut done = Vec::new();
        let mut total = Tally::default();
        let started = Instant::now();
        for (index, step) in self.steps.iter().enumerate() {
            let first_time = if (step.is_ready)(project) {
                ""
            } else {
                step.first_time
            };
            println!("\n[{}/{count}] {}{first_time}", index + 1, step.title);
            let begun = Instant::now();
            let mut tally = Tally::default();
            let outcome = (step.run)(project, &mut tally);
            if outcome.is_err() && tally.failed == 0 {
                // The step has no tests or broke off: the sum must include its failure.
                tally.failed = 1;
            }
            total.add(tally);
            done.push((step.name, outcome.is_ok(), tally, begun.elapsed()));
            if let Err(cause) = outcome {
                summarise(&done, count, started.elapsed());
                return Err(Failure::Step {
                    command: self.command,
                    name: step.name,
                    cause: Box::new(cause),
                    totals: total.to_string(),
                });
            }
        }
        summarise(&done, count, started.elapsed());
        println!("{total}");
        Ok(())
    }
}

/// Prints the name and the title of each step.
pub(crate) fn print_list(steps: &[Step]) {
    for step in steps {
        println!("{:<16} {}", step.name, step.title);
    }
}

fn summarise(done: &[(&str, bool, Tally, Duration)], planned: usize, elapsed: Duration) {
    println!("\nsummary");
    for (name, ok, tally, time) in done {
        let verdict = if *ok { "ok" } else { "FAILED" };
        let mut counts = if *tally == Tally::default() {
            String::new()
        } else {
            tally.to_string()
        };
        if tally.skipped > 0 {
            counts.push_str(&format!(", {} skipped", tally.skipped));
        }
        println!(
            "  {name:<16} {verdict:<7} {:>7.1} s  {counts}",
            time.as_secs_f64()
        );
    }
    println!(
        "  {} of {planned} steps, {:.1} s",
        done.len(),
        elapsed.as_secs_f64()
    );
}
