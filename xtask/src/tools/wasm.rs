//! The tools that make the core's module for JavaScript: the target, wasm-pack, wasm-bindgen and zopfli.

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tools::crates::ZOPFLI;
use crate::tools::rust::ensure_target;

/// The target of the package's core.
const TARGET: &str = "wasm32-unknown-unknown";

/// Crates with the exact versions that `wasm/` requires. The interface between glue code and module is private,
/// so the versions of wasm-bindgen's tool and crate must be equal.
const TOOLS: [(&str, &str, &str); 2] = [
    ("wasm-pack", "wasm-pack", "0.15.1"),
    ("wasm-bindgen", "wasm-bindgen-cli", "0.2.130"),
];

/// Installs what is missing, into the project.
///
/// # Errors
/// When something is missing and cannot be installed.
pub(crate) fn ensure_wasm_tools(project: &Project) -> Result<(), Failure> {
    ensure_target(project, TARGET)?;
    let root = project.tools();
    for (program, package, version) in TOOLS {
        if is_there(project, program, version) {
            continue;
        }
        println!("      {program} {version} is missing: building it (about 1 min)");
        // No `--locked`: the lock file of wasm-bindgen-cli does not build.
        Program::cargo(project)
            .with(["install", "--quiet", "--root"])
            .with([root.to_string_lossy()])
            .with([package, "--version", &format!("={version}")])
            .env("CARGO_TARGET_DIR", root.join("build"))
            // They are built once and run for a second, and a build without optimisation takes half as long.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .run()?;
    }
    ZOPFLI.ensure(project)
}

/// Whether everything is installed.
pub(crate) fn has_wasm_tools(project: &Project) -> bool {
    TOOLS
        .iter()
        .all(|(program, _, version)| is_there(project, program, version))
        && ZOPFLI.is_there(project)
}

fn is_there(project: &Project, program: &str, version: &str) -> bool {
    let path = project.tools().join("bin").join(program);
    let found = Program::new(project, path).with(["--version"]).output();
    found.is_some_and(|found| found.split_whitespace().any(|word| word == version))
}
