//! The first frame of a connection.

use alloc::boxed::Box;

/// The gateway's challenge.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    pub(super) nonce: Box<str>,
    /// The gateway's time. `signedAt` repeats it, so that a wrong local clock does not matter.
    pub(super) ts: u64,
    /// Whether the device signature is pending.
    pub(super) awaits_signature: bool,
}
