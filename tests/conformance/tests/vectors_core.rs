//! All vectors against the core's state machines.

use presence_conformance::vectors::{CoreTarget, Failure, Suite, run_suite};

#[test]
fn the_core_follows_the_vectors() -> Result<(), Failure> {
    let suite = Suite::of_the_project()?;
    let outcome = run_suite::<CoreTarget>(&suite)?;
    println!("{outcome}");
    // The input of the digest, to compare it with that of another target.
    if let Some(path) = std::env::var_os("VECTOR_RECORD") {
        std::fs::write(path, &outcome.record)?;
    }
    // All rules must stay covered.
    if std::env::var_os("VECTOR").is_none() {
        assert!(outcome.tables + outcome.scripts >= 90, "{outcome}");
    }
    Ok(())
}
