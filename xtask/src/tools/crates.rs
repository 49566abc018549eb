//! Programs from crates.io, built into `target/tools`.

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// A program and a tested version.
#[derive(Debug)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
    /// How long building it takes, on two cores.
    time: &'static str,
}

pub(crate) static CARGO_AUDITABLE: Tool = Tool::new("cargo-auditable", "0.7.7", "30 s");
pub(crate) static CARGO_CYCLONEDX: Tool = Tool::new("cargo-cyclonedx", "0.5.9", "40 s");
pub(crate) static CARGO_DEB: Tool = Tool::new("cargo-deb", "3.8.0", "1 min");
pub(crate) static CARGO_DENY: Tool = Tool::new("cargo-deny", "0.20.2", "40 s");
pub(crate) static CARGO_FUZZ: Tool = Tool::new("cargo-fuzz", "0.13.2", "1 min");
pub(crate) static CARGO_SEMVER_CHECKS: Tool = Tool::new("cargo-semver-checks", "0.51.0", "4 min");
pub(crate) static MDBOOK: Tool = Tool::new("mdbook", "0.5.4", "3 min");
pub(crate) static RUST_AUDIT_INFO: Tool = Tool::new("rust-audit-info", "0.5.4", "5 s");
pub(crate) static ZOPFLI: Tool = Tool::new("zopfli", "0.8.4", "5 s");

impl Tool {
    const fn new(name: &'static str, version: &'static str, time: &'static str) -> Self {
        Self { name, version, time }
    }

    /// Builds it unless this version is installed.
    ///
    /// # Errors
    /// When it cannot be built.
    pub(crate) fn ensure(&self, project: &Project) -> Result<(), Failure> {
        if self.is_there(project) {
            return Ok(());
        }
        let Self { name, version, time } = self;
        println!("      {name} {version} is missing: building it into target/tools (about {time})");
        let root = project.tools();
        Program::cargo(project)
            .with(["install", "--quiet", "--locked", "--force", name])
            .with(["--version", version, "--root"])
            .with([root.to_string_lossy()])
            .env("CARGO_TARGET_DIR", root.join("build"))
            // Programs are built once and run for seconds, and a build without optimisation takes half as long.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .run()
    }

    /// Whether this version is installed.
    pub(crate) fn is_there(&self, project: &Project) -> bool {
        let root = project.tools();
        let list = Program::cargo(project)
            .with(["install", "--list", "--root"])
            .with([root.to_string_lossy()])
            .output();
        let line = format!("{} v{}:", self.name, self.version);
        list.is_some_and(|list| list.lines().any(|found| found == line))
    }

    /// Returns the program. A subcommand of cargo gets its own name as first argument, as from cargo.
    pub(crate) fn program(&self, project: &Project) -> Program {
        let file = format!("{}{}", self.name, std::env::consts::EXE_SUFFIX);
        let program = Program::new(project, project.tools().join("bin").join(file));
        match self.name.strip_prefix("cargo-") {
            Some(subcommand) => program.with([subcommand]),
            None => program,
        }
    }
}
