//! Parts of the Rust toolchain.

use std::path::Path;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// Whether the standard library of `target` is installed.
pub(crate) fn has_target(project: &Project, target: &str) -> bool {
    let sysroot = Program::new(project, "rustc")
        .with(["--print", "sysroot"])
        .output();
    sysroot.is_some_and(|root| {
        Path::new(root.trim())
            .join("lib/rustlib")
            .join(target)
            .join("lib")
            .exists()
    })
}

/// Installs the standard library of `target` with rustup if it is missing. A toolchain file that lists the
/// target is not enough where rustup's automatic installation is switched off.
///
/// # Errors
/// When it is missing and cannot be installed.
pub(crate) fn ensure_target(project: &Project, target: &str) -> Result<(), Failure> {
    if has_target(project, target) {
        return Ok(());
    }
    println!("      the target {target} is missing: rustup installs it");
    Program::new(project, "rustup")
        .with(["target", "add", target])
        .run()
}

/// Whether this version of Rust is installed.
pub(crate) fn has_toolchain(project: &Project, version: &str) -> bool {
    Program::new(project, "rustup")
        .with(["run", version, "rustc", "--version"])
        .output()
        .is_some()
}

/// Installs this version of Rust with rustup if it is missing.
///
/// # Errors
/// When it is missing and cannot be installed.
pub(crate) fn ensure_toolchain(project: &Project, version: &str) -> Result<(), Failure> {
    if has_toolchain(project, version) {
        return Ok(());
    }
    println!("      Rust {version} is missing: rustup installs it");
    Program::new(project, "rustup")
        .with(["toolchain", "install", version, "--profile", "minimal"])
        .run()
}

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
    println!("      {component} is missing: rustup installs it");
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
