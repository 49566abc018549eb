//! Kinds of errors.

/// The gateway's reaction to an error besides its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// None; a handshake is closed with 1008.
    Refused,
    /// The method is not for this role: a connection that collects more than
    /// [`Limits::unauthorized_calls`](crate::wire::Limits::unauthorized_calls) in a row is closed.
    UnauthorizedRole,
    /// No common protocol number: the handshake is closed with 1002.
    ProtocolMismatch,
    /// Too many wrong secrets: the handshake is closed with 1013, so that clients reconnect.
    RateLimited,
}
