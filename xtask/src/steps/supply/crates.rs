//! The crates of `Cargo.lock`, and the crates that are published.

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::steps::Step;
use crate::tally::Tally;
use crate::tools::crates::{CARGO_DENY, CARGO_SEMVER_CHECKS};

/// Environment variable for the revision that the crates' API is compared with.
const BASELINE: &str = "SEMVER_BASELINE";

/// The rules of `deny.toml`, except advisories.
pub(super) const DENY: Step = Step {
    name: "deny",
    title: "licences, sources and duplicates of the crates: cargo-deny",
    first_time: " (first time: about 1 min)",
    is_ready: |project| CARGO_DENY.is_there(project),
    needs: &[],
    opt_in: false,
    run: |project, tally| {
        CARGO_DENY.ensure(project)?;
        check(project, &["licenses", "bans", "sources"])?;
        tally.passed += 1;
        Ok(())
    },
};

/// Known vulnerabilities, crates without a maintainer, withdrawn versions.
pub(super) const ADVISORIES: Step = Step {
    name: "advisories",
    title: "known vulnerabilities of the crates: cargo-deny with the database of RustSec",
    first_time: "",
    is_ready: |_| true,
    needs: &["deny"],
    opt_in: false,
    run: |project, tally| {
        let fetch = CARGO_DENY.program(project).with(["fetch", "db"]);
        if fetch.run().is_err() {
            println!("      skipped: cannot download the advisories of RustSec from GitHub");
            tally.skipped += 1;
            return Ok(());
        }
        check(project, &["advisories"])?;
        tally.passed += 1;
        Ok(())
    },
};

/// The API of the crates, compared with the last release.
pub(super) const SEMVER: Step = Step {
    name: "semver",
    title: "breaking changes of the API of core and gateway since the last release: cargo-semver-checks",
    first_time: " (first time: about 4 min)",
    is_ready: |project| CARGO_SEMVER_CHECKS.is_there(project),
    needs: &[],
    opt_in: false,
    run: compare_api,
};

fn check(project: &Project, what: &[&str]) -> Result<(), Failure> {
    CARGO_DENY
        .program(project)
        .with(["--log-level", "warn", "--locked", "check"])
        .with(what)
        .run()
}

fn compare_api(project: &Project, tally: &mut Tally) -> Result<(), Failure> {
    let last_tag = || {
        Program::new(project, "git")
            .with(["describe", "--tags", "--abbrev=0", "--match", "v*"])
            .output()
    };
    let Some(baseline) = std::env::var(BASELINE).ok().or_else(last_tag) else {
        println!("      skipped: no release is tagged yet; {BASELINE}=REVISION names one to compare with");
        tally.skipped += 1;
        return Ok(());
    };
    CARGO_SEMVER_CHECKS.ensure(project)?;
    CARGO_SEMVER_CHECKS
        .program(project)
        .with(["--package", "presence-core", "--package", "presence-gateway"])
        .with(["--baseline-rev", baseline.trim()])
        .env("CARGO_TARGET_DIR", project.path("target/semver"))
        // It compares all features; which files the page has makes no difference to the API.
        .env("PRESENCE_PAGE", project.path("web-demo/src"))
        .run()?;
    tally.passed += 1;
    Ok(())
}
