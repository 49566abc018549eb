//! Builds as they are released: from the last commit, without the paths of this machine, with the list of dependencies
//! inside.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tools::crates::CARGO_AUDITABLE;
use crate::tools::cross::Linux;

/// Separates two flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\u{1f}";

/// Returns the folder of the results.
pub(super) fn results(project: &Project) -> PathBuf {
    project.path("target/supply")
}

/// A copy of the last commit with a build folder and a name for cargo's home of its own.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    cargo_home: PathBuf,
}

impl Place {
    /// Copies the last commit into `target/supply/<name>`. Its build folder stays as it was.
    ///
    /// # Errors
    /// When the project is not a Git repository, or cannot be copied.
    pub(super) fn create(project: &Project, name: &str) -> Result<Self, Failure> {
        let folder = results(project).join(name);
        let cargo_home = folder.join("cargo");
        let place = Self { folder, cargo_home };
        let source = place.source();
        let failed = |what: &Path, error: &dyn std::fmt::Display| {
            Failure::missing(format!("cannot create {}: {error}", what.display()))
        };
        if source.exists() {
            fs::remove_dir_all(&source).map_err(|error| failed(&source, &error))?;
        }
        fs::create_dir_all(&place.folder).map_err(|error| failed(&place.folder, &error))?;
        Program::new(project, "git")
            .with(["clone", "--quiet", "."])
            .with([source.to_string_lossy()])
            .run()?;
        if !place.cargo_home.exists() {
            // A link to the same folder: its name must not appear in the result, and crates are not downloaded again.
            Program::new(project, "ln")
                .with(["-s"])
                .with([
                    users_cargo_home()?.to_string_lossy(),
                    place.cargo_home.to_string_lossy(),
                ])
                .run()?;
        }
        Ok(place)
    }

    /// The copy of the sources.
    pub(super) fn source(&self) -> PathBuf {
        self.folder.join("source")
    }

    /// `program`, in the copy, with its build folder and home of cargo.
    pub(super) fn configure(&self, program: Program) -> Program {
        program
            .folder(self.source())
            .env("CARGO_HOME", &self.cargo_home)
            .env("CARGO_TARGET_DIR", self.folder.join("build"))
    }

    /// Builds the gateway in release, for this machine or another kind of Linux; returns the program.
    ///
    /// # Errors
    /// When the build fails.
    pub(super) fn build_gateway(&self, project: &Project, linux: Option<&Linux>) -> Result<PathBuf, Failure> {
        CARGO_AUDITABLE.ensure(project)?;
        let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
        // If two mappings match, the last one applies.
        let flags = [remap(&self.folder, "/build"), remap(&self.cargo_home, "/cargo")];
        let cargo = CARGO_AUDITABLE
            .program(project)
            .with(["build", "--release", "--locked", "--package", "presence-gateway"])
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join(SEPARATOR));
        let cargo = self.configure(cargo);
        match linux {
            Some(linux) => linux.configure(cargo).run()?,
            None => cargo.run()?,
        }
        let target = linux.map_or("", |linux| linux.target);
        let program = format!("presence-gateway{}", std::env::consts::EXE_SUFFIX);
        Ok(self
            .folder
            .join("build")
            .join(target)
            .join("release")
            .join(program))
    }
}

/// Keeps a result beside the others, and prints its size.
///
/// # Errors
/// When it cannot be copied.
pub(super) fn keep(project: &Project, file: &Path, name: &str) -> Result<PathBuf, Failure> {
    let kept = results(project).join(name);
    let bytes = fs::copy(file, &kept)
        .map_err(|error| Failure::missing(format!("cannot copy {}: {error}", file.display())))?;
    println!("      {}: {bytes} bytes", kept.display());
    Ok(kept)
}

/// The user's, as cargo finds it.
fn users_cargo_home() -> Result<PathBuf, Failure> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
        .ok_or_else(|| Failure::missing("there is no home folder: set CARGO_HOME"))
}
