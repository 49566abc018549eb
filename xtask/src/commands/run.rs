//! `cargo xtask run`.

use super::build::build_all;
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// Builds the gateway and replaces this process with it. The gateway prints the URL to open.
///
/// # Errors
/// When the build or the gateway fails.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    // Accepts `cargo xtask run -- --port 0`, which is how cargo itself passes arguments.
    let arguments = match arguments.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => arguments,
    };
    build_all(project)?;
    // Paths in the options are relative to the user's working directory, not to the project's root.
    let here = std::env::current_dir().unwrap_or_else(|_| project.path(""));
    Program::new(project, project.release_gateway())
        .folder(here)
        .with(["serve"])
        .with([
            "--web-root".into(),
            project.path("web-demo/dist").to_string_lossy(),
        ])
        .with(arguments)
        .become_it()
}
