//! `cargo xtask test`.

use lexopt::{Arg::Long, Parser, ValueExt as _};

use crate::failure::Failure;
use crate::project::Project;
use crate::steps;
use crate::steps::plan::{Plan, print_list};

/// The options of the command line.
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
        print_list(steps::ALL);
        return Ok(());
    }
    plan(&options)?.run(project)
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

fn plan(options: &Options) -> Result<Plan, Failure> {
    Plan::new("test", steps::ALL, &options.only, options.with_openclaw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<&'static str> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        plan(&parse(&arguments).expect("options")).expect("plan").names()
    }

    #[test]
    fn the_openclaw_steps_are_opt_in() {
        assert!(!names("").contains(&"openclaw"));
        assert!(names("--with-openclaw").contains(&"openclaw"));
        assert!(names("").contains(&"e2e"));
    }

    #[test]
    fn only_includes_the_prerequisites_in_order() {
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
