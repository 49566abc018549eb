//! The npm package and the demo page: built, and tried in Node, in Chromium and from the tarball.

use super::Step;
use super::node::{node_tests, run_node_tests};
use super::rust::{replay_record, simulation_record, vectors_record};
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tools::browser;
use crate::tools::node;
use crate::tools::npm::{self, Packages};
use crate::tools::rust::ensure_component;
use crate::tools::wasm::{ensure_wasm_tools, has_wasm_tools};

/// The tools that compile the core for JavaScript.
pub(super) const TOOLS: Step = Step {
    name: "wasm-tools",
    title: "tools that compile the core to WASM: target, wasm-pack, wasm-bindgen, zopfli",
    first_time: " (first time: about 4 min)",
    is_ready: has_wasm_tools,
    needs: &[],
    opt_in: false,
    run: |project, _| ensure_wasm_tools(project),
};

/// The package in `wasm/dist`.
pub(super) const BUILD: Step = Step {
    name: "package",
    title: "building the npm package; lints of the code for WASM only",
    first_time: " (first time: about 2 min)",
    is_ready: |project| project.path("wasm/dist/core.wasm").exists(),
    needs: &["wasm-tools"],
    opt_in: false,
    run: |project, _| {
        build_package(project)?;
        lint_package(project)
    },
};

/// The browser.
pub(super) const CHROMIUM: Step = Step {
    name: "chromium",
    title: "the browser of the browser tests",
    first_time: " (first time: about 1 min)",
    is_ready: |_| browser::CHROMIUM.find().is_some(),
    needs: &[],
    opt_in: false,
    run: |project, _| browser::CHROMIUM.ensure(project).map(drop),
};

/// The package in Node and Chromium: every vector, units, and against the real gateway.
pub(super) const TESTS: Step = Step {
    name: "client",
    title: "tests of the npm package in Node and Chromium: vectors, simulations, units, real gateway",
    first_time: "",
    is_ready: |_| true,
    needs: &["compile", "rust", "npm", "wasm-tools", "package", "chromium"],
    opt_in: false,
    run: |project, tally| {
        let native = [
            ("VECTOR_NATIVE", vectors_record(project)),
            ("SIMULATION_NATIVE", simulation_record(project)),
            ("REPLAY_NATIVE", replay_record(project)),
        ];
        node_tests(project, "wasm/tests", &native, tally)
    },
};

/// The package in Firefox: every vector, the suites, and against the real gateway.
pub(super) const FIREFOX_TESTS: Step = Step {
    name: "firefox",
    title: "tests of the npm package in Firefox: vectors, units, real gateway",
    first_time: " (first time: about 1 min)",
    is_ready: |_| browser::FIREFOX.find().is_some(),
    needs: &["compile", "npm", "wasm-tools", "package"],
    opt_in: false,
    run: |project, tally| {
        if let Err(failure) = browser::FIREFOX.ensure(project) {
            println!("      its tests are skipped: {failure}");
        }
        run_node_tests(project, "wasm/tests/firefox", "firefox.test.mjs", &[], tally)
    },
};

/// The tarball in each supported environment.
pub(super) const CONSUMERS: Step = Step {
    name: "consumers",
    title: "the packed package in Node, bundlers, Next.js and plain pages; sizes; lints of the package",
    first_time: "",
    is_ready: |_| true,
    needs: &["npm", "wasm-tools", "package", "chromium"],
    opt_in: false,
    run: |project, tally| run_node_tests(project, "tests/e2e/consumers", "run.mjs", &[], tally),
};

/// The demo page in `web-demo/dist`.
pub(super) const DEMO: Step = Step {
    name: "demo",
    title: "building the demo page",
    first_time: "",
    is_ready: |_| true,
    needs: &["wasm-tools", "package"],
    opt_in: false,
    run: |project, _| build_demo(project),
};

/// The demo page against the real gateway.
pub(super) const DEMO_TESTS: Step = Step {
    name: "browser",
    title: "tests of the demo page in Chromium, against the real gateway",
    first_time: "",
    is_ready: |_| true,
    needs: &["compile", "npm", "wasm-tools", "package", "chromium", "demo"],
    opt_in: false,
    run: |project, tally| node_tests(project, "tests/e2e/demo", &[], tally),
};

/// Builds the npm package, except parts that are up to date.
///
/// # Errors
/// When a tool is missing or the build fails.
pub(crate) fn build_package(project: &Project) -> Result<(), Failure> {
    node::ensure_host_node(project)?;
    ensure_wasm_tools(project)?;
    npm::ensure(project, Packages::Build)?;
    // The bundler needs a newer Node than npm does.
    Program::new(project, node::pinned_node(project)?)
        .folder(project.path("wasm"))
        .with(["scripts/build.mjs"])
        .run()
}

/// Lints the code that is compiled for WASM only, which the other lints do not cover.
fn lint_package(project: &Project) -> Result<(), Failure> {
    ensure_component(project, "clippy", "clippy")?;
    let arguments = ["clippy", "--package", "presence-wasm", "--all-features"];
    let target = ["--target", "wasm32-unknown-unknown", "--", "--deny", "warnings"];
    Program::cargo(project).with(arguments).with(target).run()
}

/// Builds the demo page from the built package.
///
/// # Errors
/// When the build fails.
pub(crate) fn build_demo(project: &Project) -> Result<(), Failure> {
    npm::ensure(project, Packages::Build)?;
    Program::new(project, "node")
        .folder(project.path("web-demo"))
        .with(["build.mjs"])
        .run()
}
