//! `cargo xtask simulate`.

use lexopt::{Arg::Long, Parser, ValueExt as _};

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// The worlds, with the default number of seeds.
const WORLDS: [(&str, u64); 3] = [("pair", 10_000), ("fleet", 2_000), ("cluster", 10_000)];
/// The first seed: `cargo xtask test` runs lower ones.
const FROM: u64 = 1_000;

/// Runs many seeds of the simulations.
///
/// # Errors
/// When the command line is wrong, or a seed fails.
pub(crate) fn simulate(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let (mut from, mut seeds, mut only) = (FROM, None, None);
    let mut parser = Parser::from_args(arguments.to_vec());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("from") => from = parser.value()?.parse()?,
            Long("seeds") => seeds = Some(parser.value()?.parse()?),
            Long("world") => only = Some(parser.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if let Some(only) = &only
        && !WORLDS.iter().any(|(world, _)| world == only)
    {
        return Err(Failure::usage(format!(
            "unknown world `{only}`: use pair, fleet or cluster"
        )));
    }
    let is_wanted = |world: &str| only.as_ref().is_none_or(|only| only == world);
    for (world, default) in WORLDS.into_iter().filter(|(world, _)| is_wanted(world)) {
        run(project, world, from, seeds.unwrap_or(default))?;
    }
    Ok(())
}

fn run(project: &Project, world: &str, from: u64, seeds: u64) -> Result<(), Failure> {
    println!("simulating the world {world}: {seeds} seeds from {from} on");
    Program::cargo(project)
        .with([
            "run",
            "--release",
            "--package",
            "presence-simulation",
            "--example",
            "many_seeds",
            "--",
        ])
        // A panic ends its seed only.
        .env("CARGO_PROFILE_RELEASE_PANIC", "unwind")
        .with([world.to_owned(), from.to_string(), seeds.to_string()])
        .run()
}
