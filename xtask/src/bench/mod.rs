//! What `cargo xtask bench` measured, and the page it writes of it.

pub(crate) mod figures;
mod lines;
mod number;
pub(crate) mod page;
pub(crate) mod targets;
