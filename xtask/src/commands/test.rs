//! `cargo xtask test`.

use std::time::{Duration, Instant};

use lexopt::{Arg::Long, Parser, ValueExt as _};

use crate::failure::Failure;
use crate::project::Project;
use crate::steps::{self, Step};
use crate::tally::Tally;

/// What was asked for on the command line.
#[derive(Debug, Default, Eq, PartialEq)]
struct Options {
    only: Vec<String>,
    with_openclaw: bool,
    list: bool,
}

/// Runs the steps, cheap ones first, and stops at the first that fails.
///
/// # Errors
/// When the command line is wrong or a step fails.
pub(crate) fn test(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let options = parse(arguments)?;
    if options.list {
        for step in steps::ALL {
            println!("{:<16} {}", step.name, step.title);
        }
        return Ok(());
    }
    let plan = plan(&options)?;
    let mut done = Vec::new();
    let mut total = Tally::default();
    let started = Instant::now();
    for (index, step) in plan.iter().enumerate() {
        let first_time = if (step.is_ready)(project) {
            ""
        } else {
            step.first_time
        };
        println!("\n[{}/{}] {}{first_time}", index + 1, plan.len(), step.title);
        let begun = Instant::now();
        let mut tally = Tally::default();
        let outcome = (step.run)(project, &mut tally);
        if outcome.is_err() && tally.failed == 0 {
            // A step without tests of its own, or one that broke off: its failure must show in the sum.
            tally.failed = 1;
        }
        total.add(tally);
        done.push((step.name, outcome.is_ok(), tally, begun.elapsed()));
        if let Err(cause) = outcome {
            summarise(&done, plan.len(), started.elapsed());
            return Err(Failure::Step {
                name: step.name,
                cause: Box::new(cause),
                totals: total.to_string(),
            });
        }
    }
    summarise(&done, plan.len(), started.elapsed());
    println!("{total}");
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut parser = Parser::from_args(arguments.to_vec());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => options.only.push(parser.value()?.string()?),
            Long("with-openclaw") => options.with_openclaw = true,
            Long("list") => options.list = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

/// The steps to run, in order, with those that the wanted ones need.
fn plan(options: &Options) -> Result<Vec<&'static Step>, Failure> {
    for name in &options.only {
        if !steps::ALL.iter().any(|step| step.name == name) {
            return Err(Failure::usage(format!(
                "there is no step `{name}` (see `cargo xtask test --list`)"
            )));
        }
    }
    let wanted = |step: &Step| {
        if options.only.is_empty() {
            return options.with_openclaw || !step.opt_in;
        }
        options.only.iter().any(|name| name == step.name)
    };
    let needed = |step: &Step| {
        steps::ALL
            .iter()
            .any(|other| wanted(other) && other.needs.contains(&step.name))
    };
    Ok(steps::ALL
        .iter()
        .filter(|step| wanted(step) || needed(step))
        .collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<&'static str> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        plan(&parse(&arguments).expect("options"))
            .expect("plan")
            .iter()
            .map(|step| step.name)
            .collect()
    }

    #[test]
    fn the_openclaw_steps_are_opt_in() {
        assert!(!names("").contains(&"openclaw"));
        assert!(names("--with-openclaw").contains(&"openclaw"));
        assert!(names("").contains(&"e2e"));
    }

    #[test]
    fn only_brings_what_the_step_needs_in_order() {
        assert_eq!(names("--only fmt"), ["fmt"]);
        assert_eq!(names("--only e2e"), ["compile", "npm", "e2e"]);
        assert_eq!(
            names("--only openclaw"),
            [
                "compile",
                "npm",
                "wasm-tools",
                "package",
                "chromium",
                "openclaw-install",
                "openclaw"
            ]
        );
    }

    #[test]
    fn every_need_is_a_step_that_comes_before() {
        for (index, step) in steps::ALL.iter().enumerate() {
            for need in step.needs {
                assert!(
                    steps::ALL[..index].iter().any(|other| other.name == *need),
                    "{} needs {need}",
                    step.name
                );
            }
        }
    }

    #[test]
    fn wrong_options_are_refused() {
        for line in ["--only", "--only nonsense", "--fast"] {
            let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert!(
                parse(&arguments)
                    .and_then(|options| plan(&options).map(drop))
                    .is_err(),
                "{line}"
            );
        }
    }
}
