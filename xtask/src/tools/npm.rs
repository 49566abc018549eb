//! Packages from npm, with a cache inside the project.

use std::path::Path;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// npm's name on this system.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// A file in `node_modules` that a finished installation writes: what was installed.
const STAMP: &str = "node_modules/.installed-from";

/// A part of the workspace's packages.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packages {
    /// Those that build the npm package and the demo page, and Node for that.
    Build,
    /// Also those of all tests: twice as many bytes.
    All,
}

impl Packages {
    /// The arguments of npm that select these packages. Not the folder `wasm`, which would include `wasm/tests`.
    fn selection(self) -> &'static [&'static str] {
        match self {
            Self::Build => &[
                "--include-workspace-root",
                "--workspace=openclaw-presence",
                "--workspace=openclaw-presence-demo",
            ],
            Self::All => &[],
        }
    }

    fn stamp(self, lock: &str) -> String {
        format!("{self:?}\n{lock}")
    }
}

/// Installs the selected packages in the versions of `package-lock.json`, unless they or all packages are installed.
///
/// # Errors
/// When npm fails.
pub(crate) fn ensure(project: &Project, packages: Packages) -> Result<(), Failure> {
    ensure_in(project, &project.path(""), packages)
}

/// Like [`ensure`], in another checkout.
///
/// # Errors
/// When npm fails.
pub(crate) fn ensure_in(project: &Project, checkout: &Path, packages: Packages) -> Result<(), Failure> {
    let lock = read(&checkout.join("package-lock.json"))?;
    // `npm ci` removes packages that are not selected, so a build must not run it after the tests.
    let is_there = |packages: Packages| is_stamped(checkout, &packages.stamp(&lock));
    if is_there(packages) || is_there(Packages::All) {
        return Ok(());
    }
    npm(project, checkout)
        .with(["ci"])
        .with(packages.selection())
        .run()?;
    write(&checkout.join(STAMP), &packages.stamp(&lock))
}

/// Installs the packages of a manifest with exact pins into a folder of their own, unless they are installed.
///
/// # Errors
/// When npm fails.
pub(crate) fn ensure_unlocked(project: &Project, manifest: &Path, folder: &Path) -> Result<(), Failure> {
    let wanted = read(manifest)?;
    if is_stamped(folder, &wanted) {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(|error| cannot("create", folder, &error))?;
    write(&folder.join("package.json"), &wanted)?;
    npm(project, folder)
        .with(["install", "--no-package-lock"])
        .run()?;
    write(&folder.join(STAMP), &wanted)
}

/// Whether an installation was finished in this folder, perhaps from an older manifest.
pub(crate) fn is_installed(folder: &Path) -> bool {
    folder.join(STAMP).exists()
}

/// Whether these packages of the workspace are installed.
pub(crate) fn has(project: &Project, packages: Packages) -> bool {
    let folder = project.path("");
    read(&folder.join("package-lock.json")).is_ok_and(|lock| is_stamped(&folder, &packages.stamp(&lock)))
}

/// npm without install scripts (no package here needs any), quiet, and with its cache in the project.
pub(crate) fn npm(project: &Project, folder: &Path) -> Program {
    Program::new(project, NPM)
        .folder(folder)
        .env("npm_config_cache", project.tools().join("npm-cache"))
        .env("npm_config_ignore_scripts", "true")
        .env("npm_config_audit", "false")
        .env("npm_config_fund", "false")
        .env("npm_config_update_notifier", "false")
        .env("npm_config_loglevel", "error")
}

fn is_stamped(folder: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == wanted)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| cannot("read", path, &error))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| cannot("write", path, &error))
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::missing(format!("cannot {verb} {}: {error}", path.display()))
}
