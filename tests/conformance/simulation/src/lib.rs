//! Our gateway and our clients in one process under virtual time: tests of both ends against each other,
//! and seeded simulations with bit-identical results natively and in WebAssembly.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what is not as expected fails the test"
)]

pub mod fleet;
pub mod fleet_seeded;
pub mod merge;
mod random;
pub mod recorded;
pub mod seeded;
pub mod trace;
pub mod virtual_hub;
pub mod world;

pub use random::Rng;

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs the simulation of that seed; returns its record, a line for each stretch of it.
#[wasm_bindgen]
#[must_use]
pub fn simulate(seed: u32) -> String {
    seeded::run(seed.into())
}

/// The number of seeds that run on every target: `0..seeds()`.
#[wasm_bindgen]
#[must_use]
pub fn seeds() -> u32 {
    seeded::SEEDS
}

/// Clients of the recording of a busy minute.
pub const BUSY_CLIENTS: usize = 1_000;
/// Inputs of it.
pub const BUSY_INPUTS: usize = 10_000;

/// A recording of a minute, with that many clients and inputs.
#[wasm_bindgen]
#[must_use]
pub fn recording(seed: u32, clients: usize, inputs: usize) -> String {
    recorded::text(seed.into(), clients, inputs)
}

/// Applies a function of the vectors of the merge to its arguments, a JSON list; returns the result as JSON.
///
/// # Errors
/// Why there is no result, in words.
#[wasm_bindgen]
pub fn apply(function: &str, input: &str) -> Result<String, String> {
    let input: Vec<serde_json::Value> = serde_json::from_str(input).map_err(|error| error.to_string())?;
    let result = merge::apply(function, &input).ok_or_else(|| format!("no function {function}"))?;
    result.map(|value| value.to_string())
}
