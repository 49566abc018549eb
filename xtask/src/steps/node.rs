//! The end-to-end tests with real clients from npm.

use super::Step;
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tally::Tally;
use crate::tools::node;
use crate::tools::npm::{self, Packages};

/// The packages of the whole workspace: one installation for all tests.
pub(super) const PACKAGES: Step = Step {
    name: "npm",
    title: "npm packages of the builds and of all tests",
    first_time: " (first time: about 2 min)",
    is_ready: |project| npm::has(project, Packages::All),
    needs: &[],
    opt_in: false,
    run: |project, _| {
        node::ensure_host_node(project)?;
        npm::ensure(project, Packages::All)
    },
};

/// Real clients against the real gateway.
pub(super) const END_TO_END: Step = Step {
    name: "e2e",
    title: "end-to-end tests: real OpenClaw clients against the gateway",
    first_time: "",
    is_ready: |_| true,
    needs: &["compile", "npm"],
    opt_in: false,
    run: |project, tally| node_tests(project, "tests/e2e/clients", &[], tally),
};

/// Runs the `*.test.mjs` files of `folder` with the pinned Node.
///
/// # Errors
/// When a test fails.
pub(super) fn node_tests(
    project: &Project,
    folder: &str,
    environment: &[(&str, std::path::PathBuf)],
    tally: &mut Tally,
) -> Result<(), Failure> {
    run_node_tests(project, folder, "*.test.mjs", environment, tally)
}

/// Runs the tests in `files` of `folder` with the pinned Node.
///
/// # Errors
/// When a test fails.
pub(super) fn run_node_tests(
    project: &Project,
    folder: &str,
    files: &str,
    environment: &[(&str, std::path::PathBuf)],
    tally: &mut Tally,
) -> Result<(), Failure> {
    // The limit is per file and generous: it only prevents a test that hangs from blocking CI.
    // Two files at a time, also on two cores: most of their time is waiting for browsers and timers.
    let arguments = [
        "--test",
        "--test-timeout=600000",
        "--test-concurrency=2",
        "--test-reporter=spec",
        files,
    ];
    let mut program = Program::new(project, node::pinned_node(project)?)
        .with(arguments)
        .folder(project.path(folder))
        .env("PRESENCE_GATEWAY_BIN", project.test_gateway());
    for (name, value) in environment {
        program = program.env(name, value);
    }
    program.run_reading(|line| tally.read_node(line))
}
