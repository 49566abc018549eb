//! `cargo xtask supply`.

use lexopt::{Arg::Long, Parser, ValueExt as _};

use crate::failure::Failure;
use crate::project::Project;
use crate::steps::plan::{Plan, print_list};
use crate::steps::supply;

/// Checks the dependencies and the builds of a release; the results are in `target/supply`.
///
/// # Errors
/// When the command line is wrong or a step fails.
pub(crate) fn supply(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let mut only = Vec::new();
    let mut parser = Parser::from_args(arguments.to_vec());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => only.push(parser.value()?.string()?),
            Long("list") => {
                print_list(supply::ALL);
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Plan::new("supply", supply::ALL, &only, false)?.run(project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_includes_its_prerequisites() {
        let plan = |name: &str| Plan::new("supply", supply::ALL, &[name.to_owned()], false);
        assert_eq!(plan("sbom").expect("plan").names(), ["gateway", "sbom"]);
        assert!(plan("nonsense").is_err());
    }
}
