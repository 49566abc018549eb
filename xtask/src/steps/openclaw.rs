//! The tests with the real OpenClaw command lines; opt-in, because the downloads are large.

use std::path::PathBuf;

use super::Step;
use super::node::node_tests;
use crate::failure::Failure;
use crate::project::Project;
use crate::tools::{node, npm};

/// One release of each protocol generation.
const RELEASES: [&str; 2] = ["2026.2.12", "2026.9.6"];

/// The command lines themselves.
pub(super) const INSTALL: Step = Step {
    name: "openclaw-install",
    title: "OpenClaw's own command lines of February and September 2026, from npm",
    first_time: " (first time: about 2 min, 2 GB)",
    is_ready: |project| {
        RELEASES
            .iter()
            .all(|release| npm::is_installed(&folder(project, release)))
    },
    needs: &[],
    opt_in: true,
    run: |project, _| {
        node::ensure_host_node(project)?;
        install_all(project)
    },
};

/// Both of them against our gateway.
pub(super) const TESTS: Step = Step {
    name: "openclaw",
    title: "OpenClaw's own command lines against our gateway, our package against its gateways",
    first_time: "",
    is_ready: |_| true,
    needs: &[
        "compile",
        "npm",
        "wasm-tools",
        "package",
        "chromium",
        "openclaw-install",
    ],
    opt_in: true,
    run: |project, tally| {
        let environment = [
            ("OPENCLAW_2026_2", program(project, RELEASES[0])),
            ("OPENCLAW_2026_9", program(project, RELEASES[1])),
            ("OPENCLAW_OUTPUTS", project.path("target/openclaw-outputs")),
        ];
        node_tests(project, "tests/e2e/openclaw", &environment, tally)?;
        // And the npm package against the gateways that come with them, in Node and in a page.
        node_tests(project, "wasm/tests/openclaw", &environment, tally)
    },
};

/// Installs what is missing of both.
///
/// # Errors
/// When npm fails.
pub(crate) fn install_all(project: &Project) -> Result<(), Failure> {
    RELEASES.iter().try_for_each(|release| install(project, release))
}

/// The command line of a release, to be run by Node.
pub(crate) fn program(project: &Project, release: &str) -> PathBuf {
    folder(project, release).join("node_modules/openclaw/openclaw.mjs")
}

fn folder(project: &Project, release: &str) -> PathBuf {
    project.tools().join(format!("openclaw-{release}"))
}

fn install(project: &Project, release: &str) -> Result<(), Failure> {
    let manifest = project.path(&format!("tests/e2e/openclaw/cli-{release}.package.json"));
    npm::ensure_unlocked(project, &manifest, &folder(project, release))
}
