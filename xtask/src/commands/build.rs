//! `cargo xtask build`.

use std::path::PathBuf;

use lexopt::Parser;

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::steps::package::{build_demo, build_package};
use crate::tools::crates::{CARGO_AUDITABLE, RUST_AUDIT_INFO};
use crate::tools::cross::LINUXES;

/// Builds the release artifacts. The gateway includes the page, and is one static program on Linux.
///
/// # Errors
/// When a build fails.
pub(crate) fn build(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    if let Some(argument) = Parser::from_args(arguments.to_vec()).next()? {
        return Err(argument.unexpected().into());
    }
    let program = distributed(project)?;
    let bytes = std::fs::metadata(&program).map_or(0, |file| file.len());
    println!("built {} ({:.1} MB)", program.display(), bytes as f64 / 1e6);
    Ok(())
}

/// Builds the gateway that is distributed, and returns its path.
///
/// # Errors
/// When a build fails.
pub(super) fn distributed(project: &Project) -> Result<PathBuf, Failure> {
    build_page(project)?;
    let program = build_with_page(project)?;
    RUST_AUDIT_INFO.ensure(project)?;
    let crates = RUST_AUDIT_INFO
        .program(project)
        .with([program.to_string_lossy()])
        .any_output()?;
    must_list_crates(&crates)?;
    Ok(program)
}

/// `crates` is the list inside a gateway, as `rust-audit-info` prints it.
fn must_list_crates(crates: &str) -> Result<(), Failure> {
    if crates.contains(r#""presence-core""#) {
        return Ok(());
    }
    Err(Failure::missing(
        "the gateway does not contain the list of its crates".to_owned(),
    ))
}

/// Builds the gateway with the page and with the list of its crates inside. The build folder is a separate one, so that
/// the builds for `run` and `bench` stay valid.
fn build_with_page(project: &Project) -> Result<PathBuf, Failure> {
    CARGO_AUDITABLE.ensure(project)?;
    let folder = project.path("target/dist");
    let cargo = CARGO_AUDITABLE
        .program(project)
        .with([
            "build",
            "--release",
            "--locked",
            "--package",
            "presence-gateway",
            "--features",
            "page",
        ])
        .with(["--target-dir".into(), folder.to_string_lossy()])
        .env("PRESENCE_PAGE", project.path("web-demo/dist"));
    let program = format!("presence-gateway{}", std::env::consts::EXE_SUFFIX);
    let is_first = !folder.exists();
    let announce = |what: &str| println!("[3/3] the gateway {what}{}", first_time(is_first, "4 min"));
    let linux = LINUXES.iter().find(|linux| linux.runs_here());
    match linux.map(|linux| linux.ensure(project).map(|()| linux)) {
        Some(Ok(linux)) => {
            announce("with the page, as a static program");
            linux.configure(cargo).run()?;
            return Ok(folder.join(linux.target).join("release").join(program));
        }
        Some(Err(why)) => println!("      not as a static program: {why}"),
        None => {}
    }
    announce("with the page");
    cargo.run()?;
    Ok(folder.join("release").join(program))
}

fn first_time(is_first: bool, time: &str) -> String {
    if is_first {
        format!(" (first time: about {time})")
    } else {
        " (only what changed)".to_owned()
    }
}

/// Builds the npm package, the demo page that uses it, and the gateway that serves the page.
///
/// # Errors
/// When a build fails.
pub(crate) fn build_all(project: &Project) -> Result<(), Failure> {
    build_page(project)?;
    let is_first = !project.release_gateway().exists();
    println!("[3/3] the gateway, in release{}", first_time(is_first, "3 min"));
    Program::cargo(project)
        .with(["build", "--release", "--package", "presence-gateway"])
        .run()
}

/// Builds the npm package, and the demo page that uses it.
fn build_page(project: &Project) -> Result<(), Failure> {
    let is_first = !project.path("wasm/dist/core.wasm").exists();
    println!("[1/3] the npm package{}", first_time(is_first, "6 min"));
    build_package(project)?;
    println!("[2/3] the demo page");
    build_demo(project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_without_the_list_of_its_crates_is_refused() {
        assert!(must_list_crates("").is_err());
        let list = r#"{"packages":[{"name":"presence-core","version":"0.1.0","source":"local"}]}"#;
        must_list_crates(list).expect("a list");
    }
}
