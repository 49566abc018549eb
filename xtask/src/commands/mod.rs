//! What can be typed after `cargo xtask`.

mod build;
mod run;
mod test;

pub(crate) use build::build;
pub(crate) use run::run;
pub(crate) use test::test;
