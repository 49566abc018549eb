//! Packages from npm, with a cache inside the project.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// npm's name on this system.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// A file in `node_modules` that a finished installation writes: a copy of its manifest or lock file.
const STAMP: &str = "node_modules/.installed-from";

/// Installs exactly the packages of the folder's `package-lock.json`, unless they are installed.
///
/// # Errors
/// When npm fails.
pub(crate) fn ensure_locked(project: &Project, folder: &Path) -> Result<(), Failure> {
    let lock = read(&folder.join("package-lock.json"))?;
    if is_stamped(folder, &lock) {
        return Ok(());
    }
    npm(project, folder).with(["ci"]).run()?;
    write(&folder.join(STAMP), &lock)
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

/// Whether an installation was finished in this folder, perhaps from an older lock file.
pub(crate) fn is_installed(folder: &Path) -> bool {
    folder.join(STAMP).exists()
}

/// The folders of the project that have a `package-lock.json`.
///
/// # Errors
/// When the project cannot be read.
pub(crate) fn locked_folders(project: &Project) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut waiting = vec![project.path(".")];
    while let Some(folder) = waiting.pop() {
        if folder.join("package-lock.json").exists() {
            found.push(folder.clone());
        }
        let entries = std::fs::read_dir(&folder).map_err(|error| cannot("read", &folder, &error))?;
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let is_ours = !["target", "node_modules", "dist"]
                .iter()
                .any(|fetched| name == *fetched);
            if is_ours && !name.to_string_lossy().starts_with('.') && entry.path().is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
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
