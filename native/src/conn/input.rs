//! The inputs of one connection to the driver.

use presence_core::server::Handshake;
use presence_core::wire::{CloseFrame, Request, ResponseFrame};

/// An input from a connection's task, in the order of its frames.
#[derive(Debug)]
pub(crate) enum Input {
    /// The handshake is accepted. Frames before it were sent by the task itself; frames after it go through the
    /// driver, so that hello comes first.
    Join(Box<Handshake>),
    /// A request.
    Call(Box<Request>),
    /// A response to an invalid request.
    Send(Box<ResponseFrame>),
    /// A pong.
    Pong,
    /// Close the connection.
    Close(CloseFrame),
}
