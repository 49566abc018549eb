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
        // In a fleet the status has the digest of all rows.
        matches!(self, Self::Call(request) if matches!(request.call, Ok(Call::PresenceExplain(_) | Call::Status)))
    }
}

#[cfg(test)]
mod tests {
    use presence_core::wire::Access;

    use super::*;

    #[test]
    fn calls_that_read_all_rows_are_slow() {
        for (call, is_slow) in [
            (Call::PresenceExplain(None), true),
            (Call::Status, true),
            (Call::Health, false),
        ] {
            let input = Input::Call(Box::new(Request {
                id: "1".into(),
                access: Access::Operator,
                call: Ok(call),
            }));
            assert_eq!(input.is_slow(), is_slow, "{input:?}");
        }
    }
}
