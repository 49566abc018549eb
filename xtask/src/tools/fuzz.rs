//! What fuzzing needs beyond the toolchain of the tests: a nightly one, for its sanitizers, and cargo-fuzz.

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tools::rust::ensure_toolchain;

/// The version that the targets were written with.
const CARGO_FUZZ: &str = "0.13.2";
/// The toolchain that libFuzzer's flags need.
pub(crate) const TOOLCHAIN: &str = "nightly";

/// Installs what is missing, cargo-fuzz into the project.
///
/// # Errors
/// When something is missing and cannot be installed.
pub(crate) fn ensure_fuzz_tools(project: &Project) -> Result<(), Failure> {
    ensure_toolchain(project, TOOLCHAIN)?;
    let version = cargo_fuzz(project).with(["--version"]).output();
    if version.is_some_and(|version| version.ends_with(CARGO_FUZZ)) {
        return Ok(());
    }
    println!("      cargo-fuzz {CARGO_FUZZ} is missing: installing it into target/tools (about 1 min)");
    let root = project.tools();
    Program::cargo(project)
        .with([
            "install",
            "cargo-fuzz",
            "--locked",
            "--force",
            "--version",
            CARGO_FUZZ,
        ])
        .with(["--root".into(), root.to_string_lossy()])
        .with(["--target-dir".into(), root.join("build").to_string_lossy()])
        .run()
}

/// cargo-fuzz, with the nightly toolchain and a build folder of its own.
pub(crate) fn cargo_fuzz(project: &Project) -> Program {
    let name = format!("cargo-fuzz{}", std::env::consts::EXE_SUFFIX);
    Program::new(project, project.tools().join("bin").join(name))
        .env("RUSTUP_TOOLCHAIN", TOOLCHAIN)
        .with(["fuzz"])
}
