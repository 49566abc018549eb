//! `cargo xtask build`.

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// Builds everything a user gets, in release.
///
/// # Errors
/// When a build fails.
pub(crate) fn build(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if let Some(extra) = arguments.first() {
        return Err(Failure::usage(format!("`build` takes no `{extra}`")));
    }
    build_gateway(project)?;
    println!("built {}", project.release_gateway().display());
    Ok(())
}

/// Builds the gateway in release.
///
/// # Errors
/// When the build fails.
pub(crate) fn build_gateway(project: &Project) -> Result<(), Failure> {
    if project.release_gateway().exists() {
        println!("[1/1] the gateway, in release (only what changed)");
    } else {
        println!("[1/1] the gateway, in release (first time: about 3 min)");
    }
    Program::cargo(project)
        .with(["build", "--release", "--package", "presence-gateway"])
        .run()
}
