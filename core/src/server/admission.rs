//! Who is let in: the order of checks and the answers. The shell finds the facts ([`Evidence`]:
//! compares secrets, verifies signatures, looks at the Origin header), the core decides.

pub use crate::protocol::device::DeviceEvidence;

/// What the shell found out about one `connect` request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The Origin header against the allowed ones.
    pub origin: OriginEvidence,
    /// The shared secret.
    pub secret: SecretEvidence,
    /// The device proof.
    pub device: DeviceEvidence,
}

/// The outcome of the origin check (reference 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginEvidence {
    /// No Origin header, or an allowed one.
    Allowed,
    /// An Origin that is not allowed.
    Refused,
}

/// The outcome of comparing the shared secret (SPEC 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretEvidence {
    /// The gateway asks for none (mode `none`).
    NotRequired,
    /// One of the offered secrets is the right one.
    Match,
    /// The gateway wants a token and the client offered nothing.
    TokenMissing,
    /// The gateway wants a password and the client offered nothing.
    PasswordMissing,
    /// The gateway wants a token and none of the offered secrets is it.
    TokenMismatch,
    /// The gateway wants a password and none of the offered secrets is it.
    PasswordMismatch,
    /// Too many failures from this address; nothing was compared.
    RateLimited {
        /// When to try again, in ms.
        retry_after_ms: u64,
    },
}
