//! The figures that `cargo xtask bench` measured, and the page that presents them.

pub(crate) mod figures;
mod lines;
mod number;
pub(crate) mod page;
pub(crate) mod run;
pub(crate) mod targets;
