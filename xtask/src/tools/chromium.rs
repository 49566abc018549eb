//! The browser of the browser tests.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// Where systems keep it.
const PLACES: [&str; 5] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/snap/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// Finds a Chromium, or installs Debian's where that can be done without asking.
///
/// # Errors
/// When there is none and it cannot be installed.
pub(crate) fn ensure_chromium(project: &Project) -> Result<PathBuf, Failure> {
    if let Some(path) = chromium() {
        return Ok(path);
    }
    let is_root = Program::new(project, "id")
        .with(["-u"])
        .output()
        .is_some_and(|id| id.trim() == "0");
    if is_root && Path::new("/usr/bin/apt-get").exists() {
        println!("      there is no Chromium: installing Debian's (about 1 min)");
        let apt = |arguments: &[&str]| {
            Program::new(project, "apt-get")
                .with(arguments.iter().copied())
                .env("DEBIAN_FRONTEND", "noninteractive")
                .run()
        };
        apt(&["update", "--quiet"])?;
        apt(&[
            "install",
            "--quiet",
            "--yes",
            "--no-install-recommends",
            "chromium",
        ])?;
    }
    chromium().ok_or_else(|| {
        Failure::missing(
            "the browser tests need Chromium: install it (Debian: `apt-get install chromium`), or name \
             one by CHROMIUM=/path/to/chromium",
        )
    })
}

/// The one named by `CHROMIUM`, else the first that is there.
pub(crate) fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    named
        .into_iter()
        .chain(PLACES.map(PathBuf::from))
        .find(|path| path.exists())
}
