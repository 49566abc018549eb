//! Shared helpers of the tests.

pub mod model;
pub mod seed;
pub mod virtual_hub;
pub mod vectors;
