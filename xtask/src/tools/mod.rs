//! Tools that the steps need besides cargo: each `ensure_*` installs one, or fails with the next step for the user.

pub(crate) mod apt;
pub(crate) mod browser;
pub(crate) mod crates;
pub(crate) mod cross;
pub(crate) mod fuzz;
pub(crate) mod nats;
pub(crate) mod node;
pub(crate) mod npm;
pub(crate) mod prometheus;
pub(crate) mod python;
pub(crate) mod rust;
pub(crate) mod wasm;
