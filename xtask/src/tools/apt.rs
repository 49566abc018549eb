//! Installs tools that are packages of Debian, with apt. (`commands/deb.rs` builds the package of the gateway.)

use std::path::Path;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// Installs packages where no password is needed: as root, on a system with apt. Elsewhere it does nothing.
///
/// # Errors
/// When apt fails.
pub(crate) fn install(project: &Project, what: &str, packages: &[&str]) -> Result<(), Failure> {
    let is_root = Program::new(project, "id")
        .with(["-u"])
        .output()
        .is_some_and(|id| id.trim() == "0");
    if !is_root || !Path::new("/usr/bin/apt-get").exists() {
        return Ok(());
    }
    println!("      there is no {what}: installing Debian's (about 1 min)");
    let apt = |arguments: &[&str]| {
        Program::new(project, "apt-get")
            .with(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .run()
    };
    apt(&["update", "--quiet"])?;
    let install = ["install", "--quiet", "--yes", "--no-install-recommends"];
    apt(&[&install, packages].concat())
}
