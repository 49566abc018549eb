//! [`Peer`] between the driver, its connection's task and its client, in many orders of their steps: shuttle repeats
//! each test, and fails when a thread waits for ever. The task and the driver of the model have the same steps as
//! those of `session.rs` and `driver.rs`.

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
