//! The commands of `cargo xtask`.

mod autobahn;
mod bench;
mod build;
mod deb;
mod docs;
mod fuzz;
mod run;
mod simulate;
mod soak;
mod supply;
mod test;

pub(crate) use autobahn::autobahn;
pub(crate) use bench::bench;
pub(crate) use build::build;
pub(crate) use deb::deb;
pub(crate) use docs::docs;
pub(crate) use fuzz::fuzz;
pub(crate) use run::run;
pub(crate) use simulate::simulate;
pub(crate) use soak::soak;
pub(crate) use supply::supply;
pub(crate) use test::test;
