//! The shipped crates for other systems.

use super::Step;
use super::smoke::start_and_list;
use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tally::Tally;
use crate::tools::cross::{LINUXES, Linux};
use crate::tools::rust::{ensure_target, has_target};

/// Systems without a C compiler that can be installed here.
const CHECKED: [&str; 2] = ["aarch64-apple-darwin", "x86_64-pc-windows-msvc"];

/// Each system has code of its own. Systems with an installable C compiler are built, the others are type-checked
/// with the command line as their only feature: most others compile C.
pub(super) const PLATFORMS: Step = Step {
    name: "platforms",
    title: "the gateway with the page for other systems: Linux with musl and on ARM built, macOS and Windows checked with the feature `cli` only",
    first_time: " (first time: about 5 min)",
    is_ready: |project| {
        let is_built = |target| has_target(project, target) && project.path("target").join(target).exists();
        CHECKED.iter().all(|target| is_built(target))
            && LINUXES
                .iter()
                .all(|linux| is_built(linux.target) && linux.has_compiler(project))
    },
    needs: &["wasm-tools", "package", "demo"],
    opt_in: false,
    run: |project, tally| {
        for target in CHECKED {
            check_without_c(project, target, tally)?;
        }
        for linux in &LINUXES {
            build(project, linux, tally)?;
        }
        Ok(())
    },
};

/// Checks a system. Without a network, systems whose standard library is missing are skipped with a message: the step
/// fails only for code that does not compile.
fn check_without_c(project: &Project, target: &str, tally: &mut Tally) -> Result<(), Failure> {
    if let Err(why) = ensure_target(project, target) {
        println!("      skipped: {target}: its standard library cannot be installed: {why}");
        tally.skipped += 1;
        return Ok(());
    }
    println!("      {target}: checking, with the feature `cli` only");
    Program::cargo(project)
        .with(["check", "--package", "presence-core"])
        .with(["--package", "presence-gateway"])
        .with(["--no-default-features", "--features", "presence-gateway/cli"])
        .with(["--target", target])
        .env("RUSTFLAGS", "-D warnings")
        .run()?;
    tally.passed += 1;
    Ok(())
}

/// Builds the gateway, and starts it if this machine runs the program by itself.
fn build(project: &Project, linux: &Linux, tally: &mut Tally) -> Result<(), Failure> {
    let target = linux.target;
    if let Err(why) = linux.ensure(project) {
        println!("      {target} is not built: {why}");
        return check_without_c(project, target, tally);
    }
    println!("      {target}: building");
    let page = project.path("web-demo/dist");
    let cargo = Program::cargo(project)
        .with(["build", "--package", "presence-gateway", "--features", "page"])
        // It runs for a second at most, so optimisation and debug information would only cost build time.
        .with(["--config", "profile.dev.debug=false"])
        .with(["--config", "profile.dev.package.presence-core.opt-level=0"])
        .with(["--config", "profile.dev.package.curve25519-dalek.opt-level=0"])
        .env("PRESENCE_PAGE", &page)
        .env("RUSTFLAGS", "-D warnings");
    linux.configure(cargo).run()?;
    tally.passed += 1;
    if linux.runs_here() {
        let gateway = project
            .target()
            .join(target)
            .join("debug")
            .join("presence-gateway");
        start_and_list(
            &[gateway.to_string_lossy().into_owned()],
            Some(&page.join("index.html")),
        )?;
        println!("      {target}: started, its row listed, and its page loaded");
        tally.passed += 1;
    }
    Ok(())
}
