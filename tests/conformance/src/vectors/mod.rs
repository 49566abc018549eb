//! The vectors of `tests/vectors`: their format, and a runner for any target.
//!
//! ```text
//! *.json ──load──► Suite ──┬── table::run      pure functions
//!                          └── script::run ──► Target: CoreTarget, SocketTarget
//!                                  └──► Record (digest of all that was received)
//! ```
//!
//! The format is described in `tests/vectors/README.md`; nothing here knows a rule of presence.

pub mod client;
pub mod connect;
pub mod core_target;
pub mod device;
pub mod evidence;
pub mod failure;
pub mod format;
pub mod limits;
pub mod load;
pub mod record;
pub mod script;
pub mod socket_target;
pub mod step;
pub mod suite;
pub mod table;
pub mod target;
pub mod values;

pub use core_target::CoreTarget;
pub use failure::Failure;
pub use load::Suite;
pub use socket_target::SocketTarget;
pub use suite::{Outcome, run_suite};
pub use target::Target;
