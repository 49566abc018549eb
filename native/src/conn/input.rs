//! What the driver gets of one connection.

use presence_core::server::Handshake;
use presence_core::wire::{CloseFrame, Request, ResponseFrame};

/// What a connection's task hands to the driver, in the order it happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// The handshake is accepted. Everything before it was sent by the task itself, everything after
    /// it goes through the driver, so that hello comes first.
    Join(Box<Handshake>),
    /// A request.
    Call(Box<Request>),
    /// A frame that answers a bad request.
    Send(Box<ResponseFrame>),
    /// A pong.
    Pong,
    /// The client is to be sent away.
    Close(CloseFrame),
}
