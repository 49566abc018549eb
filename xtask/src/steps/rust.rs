//! The steps that run cargo.

use super::Step;
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tally::Tally;
use crate::tools::nats::ensure_server;
use crate::tools::prometheus;
use crate::tools::rust::ensure_component;

/// Formatting.
pub(super) const FORMAT: Step = Step {
    name: "fmt",
    title: "formatting: rustfmt makes no change",
    first_time: "",
    is_ready: |_| true,
    needs: &[],
    opt_in: false,
    run: |project, _| {
        ensure_component(project, "rustfmt", "fmt")?;
        Program::cargo(project).with(["fmt", "--all", "--check"]).run()
    },
};

/// Lints.
pub(super) const LINT: Step = Step {
    name: "clippy",
    title: "lints: no warning in any target",
    first_time: " (first time: about 1 min)",
    is_ready: Project::is_compiled,
    needs: &[],
    opt_in: false,
    run: |project, _| {
        ensure_component(project, "clippy", "clippy")?;
        let arguments = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ];
        Program::cargo(project).with(arguments).run()
    },
};

/// The build that the Rust tests and the end-to-end tests share: all targets at once, because building
/// the gateway alone would choose other features for its dependencies and compile them again.
pub(super) const COMPILE: Step = Step {
    name: "compile",
    title: "building the gateway and all tests",
    first_time: " (first time: about 2 min)",
    is_ready: Project::is_compiled,
    needs: &[],
    opt_in: false,
    run: |project, _| {
        Program::cargo(project)
            .with(["build", "--workspace", "--all-targets"])
            .run()
    },
};

/// Every Rust test.
pub(super) const TESTS: Step = Step {
    name: "rust",
    title: "Rust tests: unit, property, vector, socket",
    first_time: "",
    is_ready: |_| true,
    needs: &["compile"],
    opt_in: false,
    run: rust_tests,
};

/// Crates that only the features `cli`, `cluster`, `history` and `tls` need.
const OPTIONAL_CRATES: [&str; 10] = [
    "async-nats",
    "clap",
    "landlock",
    "ring",
    "rusqlite",
    "rustls",
    "signal-hook-registry",
    "tempfile",
    "toml",
    "tracing-subscriber",
];

/// The library without the command line and TLS.
pub(super) const EMBEDDING: Step = Step {
    name: "embedding",
    title: "the gateway as a library: without the command line, TLS and their dependencies",
    first_time: "",
    is_ready: |_| true,
    needs: &[],
    opt_in: false,
    run: |project, _| {
        let library = ["--package", "presence-gateway", "--no-default-features"];
        let tree = Program::cargo(project)
            .with(["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
            .with(library)
            .output()
            .ok_or_else(|| Failure::missing("`cargo tree` failed"))?;
        let mut names = tree.lines().filter_map(|line| line.split(' ').next());
        if let Some(name) = names.find(|name| OPTIONAL_CRATES.contains(name)) {
            let why = format!(
                "the gateway's library depends on {name}, which only the features `cli`, `cluster`, `history` and `tls` may bring"
            );
            return Err(Failure::missing(why));
        }
        Program::cargo(project)
            .with(["clippy", "--lib"])
            .with(library)
            .with(["--", "--deny", "warnings"])
            .run()
    },
};

/// The core and its tests, with one side of the protocol, with none, and as they are by default.
pub(super) const CHECK_FEATURES: Step = Step {
    name: "features",
    title: "core and its tests with the features client, server, changes, history, none, and the default ones: no warning",
    first_time: "",
    is_ready: |_| true,
    needs: &[],
    opt_in: false,
    run: |project, _| {
        let alone = ["", "client", "server", "changes", "history"];
        let alone = alone.map(|features| vec!["--no-default-features", "--features", features]);
        for features in alone.into_iter().chain([Vec::new()]) {
            Program::cargo(project)
                .with(["clippy", "--package", "presence-core", "--all-targets"])
                .with(features)
                .with(["--", "--deny", "warnings"])
                .run()?;
        }
        Ok(())
    },
};

/// Documentation.
pub(super) const DOCS: Step = Step {
    name: "docs",
    title: "documentation: rustdoc without a warning",
    first_time: "",
    is_ready: |_| true,
    needs: &[],
    opt_in: false,
    run: |project, _| {
        let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items"];
        Program::cargo(project)
            .with(arguments)
            .env("RUSTDOCFLAGS", "-D warnings")
            .run()
    },
};

/// The file in which the Rust tests record the native core's results for the vectors.
pub(super) fn vectors_record(project: &Project) -> std::path::PathBuf {
    project.path("target/vectors-native.txt")
}

/// The file in which they record the native core's results for the seeded simulations.
pub(super) fn simulation_record(project: &Project) -> std::path::PathBuf {
    project.path("target/simulation-native.txt")
}

/// The file in which they record a native replay of a recording.
pub(super) fn replay_record(project: &Project) -> std::path::PathBuf {
    project.path("target/replay-native.txt")
}

fn rust_tests(project: &Project, tally: &mut Tally) -> Result<(), Failure> {
    if let Err(error) = ensure_server(project) {
        println!("      no NATS server: the tests of fleets are skipped ({error})");
    }
    if let Err(error) = prometheus::ensure(project) {
        println!("      no promtool: the checks of metrics and alert rules by it are skipped ({error})");
    }
    // One run reports all failures.
    Program::cargo(project)
        .with(["test", "--workspace", "--no-fail-fast"])
        // Results of the native core for the vectors and the seeds, which the core in WebAssembly must reproduce.
        .env("VECTOR_RECORD", vectors_record(project))
        .env("SIMULATION_RECORD", simulation_record(project))
        .env("REPLAY_RECORD", replay_record(project))
        // Without it, the soak takes 6 s.
        .env("SOAK_SECONDS", "60")
        .run_reading(|line| tally.read_cargo(line))
}
