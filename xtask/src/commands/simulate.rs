//! `cargo xtask simulate`.

use lexopt::{Arg::Long, Parser, ValueExt as _};

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// The first seed, and how many, unless others are asked for: `cargo xtask test` runs lower ones.
const DEFAULT: (u64, u64) = (1_000, 10_000);

/// Runs many seeds of the simulation.
///
/// # Errors
/// When the command line is wrong, or a seed fails.
pub(crate) fn simulate(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let (mut from, mut seeds) = DEFAULT;
    let mut parser = Parser::from_args(arguments.to_vec());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("from") => from = parser.value()?.parse()?,
            Long("seeds") => seeds = parser.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    println!(
        "simulating gateway and clients: {seeds} seeds from {from} on (1,000 take about a minute on 2 cores)"
    );
    Program::cargo(project)
        .with([
            "run",
            "--release",
            "--package",
            "presence-simulation",
            "--example",
            "seeds",
            "--",
        ])
        // A panic must end its seed and nothing else.
        .env("CARGO_PROFILE_RELEASE_PANIC", "unwind")
        .with([from.to_string(), seeds.to_string()])
        .run()
}
