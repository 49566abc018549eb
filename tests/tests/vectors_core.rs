//! All vectors against the core's state machines.

use presence_tests::vectors::{CoreTarget, Failure, Suite, run_suite};

#[test]
fn the_core_does_what_the_vectors_say() -> Result<(), Failure> {
    let suite = Suite::of_the_project()?;
    let outcome = run_suite::<CoreTarget>(&suite)?;
    println!("{outcome}");
    // Whatever else changes, the rules stay covered.
    if std::env::var_os("VECTOR").is_none() {
        assert!(outcome.tables + outcome.scripts >= 90, "{outcome}");
    }
    Ok(())
}
