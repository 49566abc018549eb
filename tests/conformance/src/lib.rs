//! Shared helpers of the tests.

pub mod model;
pub mod seed;
pub mod sources;
pub mod vectors;

pub use presence_simulation::virtual_hub;
