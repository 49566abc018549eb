//! Shared helpers of the tests.

pub mod model;
pub mod seed;
pub mod vectors;
pub mod virtual_hub;
