//! `cargo xtask soak`.

use lexopt::{Arg::Long, Parser, ValueExt as _};

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// Default duration.
const DEFAULT_MINUTES: u64 = 60;

/// Lets clients come and go for a long time, and pauses a gateway of a fleet for 40 s.
///
/// # Errors
/// When the command line is wrong, memory grows, or the list does not match the connected clients.
pub(crate) fn soak(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let mut minutes = DEFAULT_MINUTES;
    let mut parser = Parser::from_args(arguments.to_vec());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("minutes") => minutes = parser.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    println!("clients come, go, break off and misbehave for {minutes} min");
    Program::cargo(project)
        .with([
            "test",
            "--release",
            "--package",
            "presence-gateway",
            "--test",
            "soak",
            "--",
            "--nocapture",
        ])
        .env("SOAK_SECONDS", minutes.saturating_mul(60).to_string())
        .run()?;
    println!("a gateway of a fleet is paused for 40 s");
    Program::cargo(project)
        .with([
            "test",
            "--package",
            "presence-gateway",
            "--test",
            "cluster",
            "--",
            "--ignored",
            "--nocapture",
            "a_gateway_that_is_paused_for_40_s",
        ])
        .run()
}
