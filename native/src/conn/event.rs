//! What connections send to the driver.

use std::sync::Arc;

use presence_core::server::{Handshake, LeaveCause};
use presence_core::wire::{CloseFrame, Request, ResponseFrame};
use tokio::sync::oneshot;

use super::peer::Peer;

/// Events that may wait for the driver; connections wait when there are more.
pub(crate) const MAX_EVENTS: usize = 256;

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// All that one read of a socket yielded.
    Batch(Arc<Peer>, Vec<Input>),
    /// A connection is gone, or about to.
    Leave(Arc<Peer>, LeaveCause),
    /// The gateway stops.
    Shutdown(&'static str),
    /// Answer when everything before is done and everything due is sent: with the next deadline.
    Settle(oneshot::Sender<Option<u64>>),
}

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
