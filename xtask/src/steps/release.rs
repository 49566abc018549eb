//! The crates as they are published.

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
    run: |project, _| {
        Program::cargo(project)
            .with(["package", "--allow-dirty"])
            .with(CRATES)
            .run()
    },
};

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
