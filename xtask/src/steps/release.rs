//! The crates as they are published.

use std::path::Path;
use std::{fs, io};

use super::Step;
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tally::Tally;
use crate::tools::rust::{ensure_toolchain, has_toolchain};

/// The published crates.
const CRATES: [&str; 4] = ["--package", "presence-core", "--package", "presence-gateway"];
/// The `rust-version` of the workspace.
const OLDEST_RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// The crates' packages, built from their contents; the gateway against the packaged core.
pub(super) const PACKAGES: Step = Step {
    name: "crates",
    title: "cargo package of core and gateway",
    first_time: " (first time: about 2 min)",
    is_ready: |project| project.path("target/package").is_dir(),
    needs: &[],
    opt_in: false,
    run: |project, _| check_packages(project),
};

/// The workspace that the unpacked crates are built in: the gateway takes the core from there, not from a registry.
const UNPACKED_WORKSPACE: &str = concat!(
    "[workspace]\nresolver = \"3\"\nmembers = [\"presence-*\"]\n\n[patch.crates-io]\npresence-core = { path = \"presence-core-",
    env!("CARGO_PKG_VERSION"),
    "\" }\n"
);

/// Packages the crates, unpacks the packages, and builds them.
///
/// The verification of `cargo package` itself would build the gateway against the core that an earlier run left in
/// cargo's home: cargo takes a registry's crate of the same version as unchanged.
fn check_packages(project: &Project) -> Result<(), Failure> {
    let packages = project.target().join("package");
    let unpacked = packages.join("unpacked");
    Program::cargo(project)
        .with(["package", "--allow-dirty", "--no-verify"])
        .with(CRATES)
        .run()?;
    lay_out(project, &unpacked).map_err(|error| {
        Failure::missing(format!(
            "cannot create the folder for the unpacked crates: {error}"
        ))
    })?;
    for name in ["presence-core", "presence-gateway"] {
        let file = format!("{name}-{}.crate", env!("CARGO_PKG_VERSION"));
        Program::new(project, "tar")
            // `m` sets the files' times to now: the fixed times of packages would hide a change from cargo.
            .with(["-xzmf", &packages.join(file).to_string_lossy()])
            .folder(&unpacked)
            .run()?;
    }
    Program::cargo(project)
        .with(["build", "--workspace", "--target-dir"])
        .with([packages.join("build").to_string_lossy()])
        .folder(&unpacked)
        .run()
}

/// Recreates the folder, with all of the workspace but its members.
fn lay_out(project: &Project, unpacked: &Path) -> io::Result<()> {
    if unpacked.exists() {
        fs::remove_dir_all(unpacked)?;
    }
    fs::create_dir_all(unpacked)?;
    fs::write(unpacked.join("Cargo.toml"), UNPACKED_WORKSPACE)?;
    fs::copy(project.path("Cargo.lock"), unpacked.join("Cargo.lock"))?;
    Ok(())
}

/// The crates with the oldest supported compiler.
pub(super) const OLDEST: Step = Step {
    name: "msrv",
    title: "cargo check of core and gateway with the oldest supported Rust",
    first_time: " (first time: about 2 min)",
    is_ready: |project| has_toolchain(project, OLDEST_RUST),
    needs: &[],
    opt_in: false,
    run: check_oldest,
};

/// Type-checks the crates. A machine that cannot install the toolchain skips this and reports that.
fn check_oldest(project: &Project, tally: &mut Tally) -> Result<(), Failure> {
    if let Err(why) = ensure_toolchain(project, OLDEST_RUST) {
        println!("      skipped: Rust {OLDEST_RUST} cannot be installed: {why}");
        tally.skipped += 1;
        return Ok(());
    }
    Program::new(project, "rustup")
        .with(["run", OLDEST_RUST, "cargo", "check"])
        .with(CRATES)
        .env("CARGO_TARGET_DIR", project.path("target/msrv"))
        .run()?;
    tally.passed += 1;
    Ok(())
}
