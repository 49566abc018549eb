//! What `cargo xtask bench` measured, and the page it writes of it.

pub(crate) mod figures;
mod json;
pub(crate) mod page;
pub(crate) mod targets;
