//! `cargo xtask autobahn`.

use lexopt::Parser;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tools::python::ensure_package;

/// The conformance suite.
const SUITE: (&str, &str) = ("kosoku", "0.1.0");

/// Runs the WebSocket conformance suite against the gateway and writes `tests/autobahn/RESULTS.md`.
///
/// # Errors
/// When the command line is wrong, the suite cannot be installed, or a case fails that is not explained.
pub(crate) fn autobahn(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if let Some(argument) = Parser::from_args(arguments.to_vec()).next()? {
        return Err(argument.unexpected().into());
    }
    println!("[1/3] the suite");
    let programs = ensure_package(project, SUITE.0, SUITE.1)?;
    println!("[2/3] the gateway");
    Program::cargo(project)
        .with(["build", "--package", "presence-gateway"])
        .run()?;
    println!("[3/3] the cases (about 2 min)");
    let paths = [
        project.path("tests/autobahn/run.py"),
        project.test_gateway(),
        programs.join(SUITE.0),
        project.path("target/autobahn"),
    ];
    Program::new(project, programs.join("python"))
        .with(["-B"])
        .with(paths.iter().map(|path| path.to_string_lossy()))
        .run()
}
