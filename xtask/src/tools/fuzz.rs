//! Tools for fuzzing: a nightly toolchain, for its sanitizers, and cargo-fuzz.

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tools::crates::CARGO_FUZZ;
use crate::tools::rust::ensure_toolchain;

/// The toolchain that libFuzzer's flags need.
pub(crate) const TOOLCHAIN: &str = "nightly";

/// Installs what is missing, cargo-fuzz into the project.
///
/// # Errors
/// When something is missing and cannot be installed.
pub(crate) fn ensure_fuzz_tools(project: &Project) -> Result<(), Failure> {
    ensure_toolchain(project, TOOLCHAIN)?;
    CARGO_FUZZ.ensure(project)
}

/// cargo-fuzz, with the nightly toolchain.
pub(crate) fn cargo_fuzz(project: &Project) -> Program {
    CARGO_FUZZ.program(project).env("RUSTUP_TOOLCHAIN", TOOLCHAIN)
}
