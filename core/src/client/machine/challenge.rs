//! The first frame of a connection.

use alloc::boxed::Box;

/// What the gateway sent to be signed.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    pub(super) nonce: Box<str>,
    /// The gateway's time: `signedAt` repeats it, so that a wrong clock here does not matter.
    pub(super) ts: u64,
    /// The device signature is under way.
    pub(super) awaits_signature: bool,
}
