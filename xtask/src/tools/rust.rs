//! Parts of the Rust toolchain.

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// Makes `cargo <subcommand>` work, installing the component with rustup if there is one: a minimal
/// toolchain comes without rustfmt and clippy.
///
/// # Errors
/// When it is missing and cannot be installed.
pub(crate) fn ensure_component(project: &Project, component: &str, subcommand: &str) -> Result<(), Failure> {
    let works = || {
        Program::cargo(project)
            .with([subcommand, "--version"])
            .output()
            .is_some()
    };
    if works() {
        return Ok(());
    }
    println!("      {component} is missing: asking rustup for it");
    let installed = Program::new(project, "rustup")
        .with(["component", "add", component])
        .run();
    if works() {
        return Ok(());
    }
    installed.and_then(|()| {
        Err(Failure::missing(format!(
            "`cargo {subcommand}` does not work; install the Rust component {component}"
        )))
    })
}
