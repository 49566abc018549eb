//! What the steps need beyond cargo: each `ensure_*` makes it be there, or says what to do.

pub(crate) mod browser;
pub(crate) mod crates;
pub(crate) mod cross;
pub(crate) mod debian;
pub(crate) mod fuzz;
pub(crate) mod nats;
pub(crate) mod node;
pub(crate) mod npm;
pub(crate) mod prometheus;
pub(crate) mod python;
pub(crate) mod rust;
pub(crate) mod wasm;
