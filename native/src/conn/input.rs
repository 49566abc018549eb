//! The inputs of one connection to the driver.

use presence_core::server::Handshake;
use presence_core::wire::{Call, CloseFrame, Request, ResponseFrame};

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

impl Input {
    /// Whether it takes far longer than others, so that the driver looks at the clock after it.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self, Self::Call(request) if matches!(request.call, Ok(Call::PresenceExplain(_))))
    }
}
