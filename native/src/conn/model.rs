//! [`Peer`] between the driver, its connection's task and its client, in many orders of their steps: shuttle repeats
//! each test, and fails when a thread waits for ever.
//!
//! Only `peer.rs` and the modules that it uses are the real ones. The task, the driver and the socket of the model are
//! copies by hand of the steps in `session.rs`, `driver.rs` and `socket.rs`: a mistake in these files, such as a step
//! that is missing there, is not found here. Tests over sockets cover them, mainly those of `native/tests/connection`.

mod socket;
mod tests;

// With `socket`, what `peer.rs` looks for in the module above it.
use super::{input, pool, writer};
mod sync {
    pub(super) use shuttle::sync::{Mutex, MutexGuard};
    pub(super) use std::sync::PoisonError;
}

#[path = "peer.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "the same code with other locks and another socket"
)]
#[allow(dead_code, reason = "the model has its part of it")]
mod peer;
