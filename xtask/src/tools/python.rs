//! Python's packages, in a virtual environment inside the project.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;

/// Installs a package from PyPI into its own environment, unless it is installed; returns the folder of its programs.
///
/// # Errors
/// When Python is missing or the package cannot be installed.
pub(crate) fn ensure_package(project: &Project, name: &str, version: &str) -> Result<PathBuf, Failure> {
    let environment = project.tools().join(format!("{name}-{version}"));
    let programs = environment.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let python = programs.join("python");
    let import = format!("import {name}");
    if Program::new(project, &python)
        .with(["-c", &import])
        .output()
        .is_some()
    {
        return Ok(programs);
    }
    println!("      {name} {version} is missing: pip installs it into target/tools");
    Program::new(project, "python3")
        .with(["-m", "venv"])
        .with([environment.to_string_lossy()])
        .run()?;
    Program::new(project, &python)
        .with(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .with([format!("{name}=={version}")])
        .run()?;
    Ok(programs)
}
