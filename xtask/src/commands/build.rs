//! `cargo xtask build`.

use lexopt::Parser;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::steps::package::{build_demo, build_package};

/// Builds everything a user gets, in release.
///
/// # Errors
/// When a build fails.
pub(crate) fn build(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if let Some(argument) = Parser::from_args(arguments.to_vec()).next()? {
        return Err(argument.unexpected().into());
    }
    build_all(project)?;
    println!("built {}", project.release_gateway().display());
    Ok(())
}

/// Builds the npm package, the demo page that uses it, and the gateway that serves the page.
///
/// # Errors
/// When a build fails.
pub(crate) fn build_all(project: &Project) -> Result<(), Failure> {
    let first_time = |is_first: bool, time: &str| {
        if is_first {
            format!(" (first time: about {time})")
        } else {
            " (only what changed)".to_owned()
        }
    };
    let is_first = !project.path("wasm/dist/core.wasm").exists();
    println!("[1/3] the npm package{}", first_time(is_first, "6 min"));
    build_package(project)?;
    println!("[2/3] the demo page");
    build_demo(project)?;
    let is_first = !project.release_gateway().exists();
    println!("[3/3] the gateway, in release{}", first_time(is_first, "3 min"));
    Program::cargo(project)
        .with(["build", "--release", "--package", "presence-gateway"])
        .run()
}
